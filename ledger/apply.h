// apply(batch, state) -> commit: the ledger's core. Decides every record of a batch against what
// the ledger knows (duplicate, conflict, retraction, outcome), gives the accepted ones their
// keys, and says what has to be written. It reads the past through `History` and touches no
// disk, clock or thread itself, so that it runs the same over RocksDB and in memory.
//
// After apply the state already includes the batch; the commit must be written, in order, or
// the state thrown away.
#pragma once

#include <memory>

#include "ledger/batch.h"
#include "ledger/block.h"
#include "ledger/dictionary.h"
#include "ledger/history.h"
#include "ledger/identity_set.h"
#include "ledger/position.h"
#include "ledger/reservation_book.h"
#include "ledger/waiting.h"

namespace gauger::ledger {

struct State {
  LedgerConfig config;
  Dictionary dictionary;
  IdentitySet identities;
  Waiting waiting;
  Head head;  // its hash lags: the thread that encodes blocks chains them
  std::unordered_map<std::string, Position> positions;  // by position_key
  ReservationBook reservations;
  QuotaTerms quota_terms;
};

struct Commit {
  std::shared_ptr<Block> block;  // previous_hash is still to be set
  Head head;                     // after the block, but for its hash
  WriteSet writes;               // beside the block and the head
};

Result<Commit> apply(Batch& batch, State& state, History& history);

// Chains, encodes and hashes the block: completes the commit's writes and its head.
void seal(Commit& commit, const Digest& previous_hash);

// The dictionary chunks of a block. Keys: 'S' or 'K' + first id.
void put_dictionary(WriteSet& writes, const Block& block, const StoredBlock& stored);
Result<void> load_dictionary(const Store& store, const Head& head, Dictionary& dictionary);

}  // namespace gauger::ledger
