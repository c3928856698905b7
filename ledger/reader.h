// Reading a data directory beside its writer, or without one, or the ledger that this process
// writes: what was durable when the reader was opened. Writes nothing. Usage may be of later blocks
// than the head where the ledger is this process' own; its table says up to which.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "ledger/config.h"
#include "ledger/disk.h"
#include "ledger/documents.h"
#include "ledger/event_walk.h"
#include "ledger/head.h"
#include "ledger/position.h"
#include "ledger/quarantine.h"
#include "ledger/quota_book.h"
#include "ledger/usage_query.h"
#include "schemas/usage_table.h"

namespace gauger::ledger {

class Projections;

class Reader {
 public:
  // not_found when the directory holds no ledger.
  static Result<std::unique_ptr<Reader>> open(const std::filesystem::path& directory,
                                              Disk& disk = Disk::machine());
  // Of a ledger that is open in this process and outlives the reader: shares what it has in memory.
  // Everything up to `head` is visible in the projections.
  static std::unique_ptr<Reader> within(const Store& store, const LedgerConfig& config,
                                        const Dictionary& dictionary,
                                        const Projections& projections, const Head& head,
                                        std::vector<Position> positions);
  ~Reader();

  const LedgerConfig& config() const;
  const Head& head() const;  // what is read: the last durable block
  Result<UsageTable> usage(const UsageQuery& query) const;
  // Usage of before is answered by whole days and months only; the epoch where all is.
  Instant fine_from() const;
  // Single events, in journal order, until `visit` returns false.
  Result<void> events(const EventQuery& query,
                      const std::function<Result<bool>(const EventRow&)>& visit) const;
  // A name in the ledger's words.
  std::string_view text(StringId id) const;

  // Oldest first, until `visit` returns false.
  Result<void> quarantined(const std::function<bool(const QuarantinedRecord&)>& visit) const;
  Result<std::optional<QuarantinedRecord>> quarantined(uint64_t sequence, uint32_t record) const;

  Documents documents() const;

  // The balances of quotas as of the last durable block. The reader outlives the book.
  Result<std::unique_ptr<QuotaBook>> quotas(std::vector<Quota> quotas, QuotaTerms terms,
                                            Instant now) const;

  // How far each partition of each log has been read.
  std::vector<Position> positions() const;

  const Store& store() const;

 private:
  struct Impl;
  explicit Reader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace gauger::ledger
