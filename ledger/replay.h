// replay: from the blocks of a journal to everything that is stored beside them. Live traffic
// writes these records as it decides (apply.h); here they are derived from what was decided, so
// that a ledger can be verified, rebuilt, and made anew from a backup.
//
// Blocks come in order, without a gap, decoded with Columns::all. Memory grows with the number of
// identities (16 bytes each). One thread.
#pragma once

#include <unordered_map>

#include "ledger/block.h"
#include "ledger/config.h"
#include "ledger/dictionary.h"
#include "ledger/head.h"
#include "ledger/history.h"
#include "ledger/identity_index.h"
#include "ledger/position.h"
#include "ledger/reservation_book.h"
#include "ledger/store.h"
#include "ledger/waiting.h"

namespace gauger::ledger {

// Every identity that was accepted, in full: told by its raw id, as the intake does.
class AcceptedIdentities {
 public:
  // The identity chunks of everything that was added lie in `journal`.
  AcceptedIdentities(const LedgerConfig& config, const Store& journal)
      : journal_(journal), key_(config.identity_key), history_(journal, 0) {}

  Fingerprint fingerprint_of(StringId name_space, StringId source, std::string_view id) const;
  Result<bool> contains(Fingerprint print, StringId name_space, StringId source,
                        std::string_view id);
  void add(Fingerprint print, uint64_t row);
  void add(const Block& block);
  // Every row below `end_row`, out of the chunks alone.
  Result<void> add_rows(uint64_t end_row);

 private:
  const Store& journal_;
  const uint64_t key_;
  History history_;
  IdentityIndex index_;
  std::optional<History::Identities> chunks_;  // until something is added
};

// The head after a block, from the head before it. `block` has all columns, `bytes` are its stored
// form.
void add_block(const Block& block, std::string_view bytes, Head& head);

class Replay {
 public:
  // Writes what blocks make of Family::positions, documents, amendments, reservations and
  // Family::meta's head into `into`. Names are
  // looked up in `dictionary`, which knows every block that is added.
  Replay(const LedgerConfig& config, const Dictionary& dictionary, AcceptedIdentities& identities,
         Store& into)
      : config_(config), dictionary_(dictionary), identities_(identities), into_(into) {}

  // Goes on where another replay ended, after that head, with what it wrote in `into`.
  Result<void> resume(const Head& head);
  // The block and its stored bytes. Does not add its identities to those that were accepted.
  // corruption where the block names what cannot be.
  Result<void> add(const Block& block, std::string_view bytes);

  // After the last block.
  const Head& head() const { return head_; }
  const std::unordered_map<std::string, Position>& positions() const { return positions_; }

 private:
  void move_positions(const Block& block);
  void post_documents(const Block& block);
  void apply_adjustments(const Block& block);
  Result<void> await_targets(const Block& block);

  const LedgerConfig config_;
  const Dictionary& dictionary_;
  AcceptedIdentities& identities_;
  Store& into_;
  Head head_;
  std::unordered_map<std::string, Position> positions_;
  Waiting waiting_;
  ReservationBook reservations_;
  WriteSet writes_;
};

// What of Family::positions, documents, amendments and reservations a store holds otherwise than
// the replay of its journal says.
struct ReplayDifference {
  Family family;
  std::string key;
  std::optional<std::string> replayed;  // none: the journal knows nothing of it
  std::string sentence;
};
// `at_most` of them. Equal in meaning is equal: an amendment that changes nothing, or a
// reservation that may be forgotten by `now`, makes no difference.
Result<std::vector<ReplayDifference>> compare_replay(const Store& stored, const Store& replayed,
                                                     std::chrono::minutes grain, Instant now,
                                                     size_t at_most);

}  // namespace gauger::ledger
