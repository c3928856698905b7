// The ledger: the only writer of a data directory. It takes batches of usage events, decides
// them exactly once (apply.h), writes a journal block per commit, and keeps the rollups behind.
//
//   auto ledger = Ledger::open(directory, options, clock);
//   auto& batch = ledger->batch();         // fill it: begin_segment, add, reject, end_segment
//   ledger->commit();                      // decide it and hand it on
//   ledger->flush();                       // everything committed is durable and visible
//
// Threads: one thread fills and commits. A second encodes, writes and syncs; a third folds what
// is durable into the rollups. Between them are short bounded queues: `commit` waits when the
// disk is slower, so memory is bounded. `usage`, `documents`, `reader`, `durable_head`,
// `wait_until_visible` and `store` are safe from any thread and see durable blocks only (but for
// `store`); everything else belongs to the committing thread. After any failed write or sync every
// call answers with that error, for ever: the caller ends the process, since a log that failed once
// cannot be trusted.
//
// Data directory: `lock` (who holds it), `anchor` (how far it is durable), `store/` (RocksDB).
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "ledger/batch.h"
#include "ledger/config.h"
#include "ledger/documents.h"
#include "ledger/head.h"
#include "ledger/position.h"
#include "ledger/quota_book.h"
#include "ledger/usage_query.h"
#include "schemas/clock.h"
#include "schemas/usage_table.h"

namespace gauger::ledger {

class Disk;
class Store;

struct LedgerOptions {
  // For a ledger that is made now; one that exists must match what is given here, if anything.
  std::optional<LedgerConfig> config;
  // Runs every stage on the calling thread: slow, and the same every time.
  bool single_threaded = false;
  // Identities in memory in full; older ones lie in runs on disk (identity_run.h).
  uint64_t hot_identities_max = 6'000'000;
  uint64_t free_bytes_min = limits::free_bytes_min;
  size_t block_cache_bytes = 64U << 20;  // decoded blocks, for what changes rows of old ones
  Disk* disk = nullptr;                  // the machine's, but in tests; outlives the ledger
};

// How far the ledger is, for progress and metrics.
struct LedgerStatus {
  Head head;  // of the last committed block
  uint64_t durable_sequence = 0;
  uint64_t published_sequence = 0;
  uint64_t identities = 0;
  uint64_t identity_bytes = 0;
  uint64_t waiting = 0;  // amendments whose target has not come
};

class Reader;

class Ledger {
 public:
  // Creates the directory where there is none. unavailable when another process holds it,
  // refused when its configuration differs, corruption when its head lies below its anchor.
  static Result<std::unique_ptr<Ledger>> open(const std::filesystem::path& directory,
                                              const LedgerOptions& options, const Clock& clock);
  // Over a store of the caller's (tests, simulation): no lock and no anchor.
  static Result<std::unique_ptr<Ledger>> open(Store& store, const LedgerOptions& options,
                                              const Clock& clock);
  ~Ledger();

  Batch& batch();
  Result<void> commit();
  Result<void> flush();
  // The records of the last commit, with what became of them, until `batch` begins the next one.
  const Batch& committed() const;
  // Returns once everything up to that block is durable and visible; asks for a sync now.
  Result<void> wait_until_visible(uint64_t sequence) const;
  // Appends versions of documents, all or none, in one block, and returns once they are durable.
  // invalid_argument and conflict (DocumentDraft::after_version) leave the ledger as it was.
  Result<std::vector<DocumentVersion>> append_documents(std::vector<DocumentDraft> drafts);
  // --- quotas. Only quotas() may be asked from any thread.
  // Replaces all quotas; their balances are folded from what the ledger has. invalid_argument
  // names the quota that cannot be kept.
  Result<void> define_quotas(std::vector<Quota> quotas, QuotaTerms terms);
  const QuotaBook& quotas() const;
  // Decides, and where it is allowed holds what is asked for until `expires_at`. The grant is in
  // the open batch: it may be told to nobody before flush() has returned. The same id and request
  // again is the same grant; the same id with another request, or one that has ended, a conflict.
  Result<QuotaDecision> reserve(const QuotaRequest& request, std::string_view id,
                                Instant expires_at);
  // What was used is known before its event comes: holds that instead. not_found where no live
  // reservation has that id.
  Result<void> settle(std::string_view name_space, std::string_view id,
                      const QuotaAmounts& amounts);
  Result<void> cancel(std::string_view name_space, std::string_view id);
  // Ends what has expired; call it now and then. Returns how many.
  Result<size_t> expire_reservations();

  // Flushes, packs the rollups and ends the threads. Call it before the end of the process;
  // without it nothing is lost, but the next start folds more.
  Result<void> close();

  // False while the disk has less room than the options ask for: whoever feeds the ledger pauses
  // then, long before a write fails. Looks at the disk at most twice a second.
  bool has_room();

  // Where to read on. None where the ledger has read nothing of it.
  std::optional<Position> position(std::string_view source, int32_t partition) const;
  // All partitions of a source that the ledger has read.
  std::vector<Position> positions(std::string_view source) const;

  const LedgerConfig& config() const;
  const Clock& clock() const;
  LedgerStatus status() const;
  // Of the last durable block.
  Head durable_head() const;
  Result<UsageTable> usage(const UsageQuery& query) const;
  // Of the last durable block.
  Documents documents() const;
  // Everything that is durable by now, once it is visible. The ledger outlives it.
  Result<std::unique_ptr<Reader>> reader() const;
  const Store& store() const;

 private:
  struct Impl;
  explicit Ledger(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace gauger::ledger
