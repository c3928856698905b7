// The batch that is being filled: checked events and rejected records of one commit, in the
// order in which they came. Adding interns names, hashes identities and contents, and admits by
// time and limits; `apply` (apply.h) decides the rest. One thread.
//
// Views given to `add` and `reject` as `raw` must live until the batch has been applied.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/block.h"
#include "ledger/config.h"
#include "ledger/dictionary.h"
#include "ledger/head.h"
#include "ledger/name_memo.h"
#include "ledger/spare_memory.h"
#include "schemas/reject_reason.h"
#include "schemas/usage_event.h"

namespace gauger::ledger {

// Where records come from: a partition of a source, and what its records may do.
struct Origin {
  std::string name_space = "default";
  std::string source;  // "kafka:<cluster>/<topic>", "file:<name>"
  int32_t partition = 0;
  bool backfill = false;  // admits events older than the window
};

struct Rejected {
  uint32_t record;  // ordinal in the batch
  RejectReason reason;
  std::string detail;
  std::string_view raw;
};

class Batch {
 public:
  Batch(const LedgerConfig& config, Dictionary& dictionary)
      : config_(config), dictionary_(dictionary) {}

  // Empties the batch. `now` is the clock's time; block time never goes back behind the head.
  void begin(const Head& head, Instant now);

  void begin_segment(const Origin& origin, int64_t begin_offset);
  void add(const UsageEvent& event, int64_t offset, std::string_view raw);
  void reject(RejectReason reason, std::string_view detail, int64_t offset, std::string_view raw);
  void end_segment(int64_t end_offset, uint64_t gaps, uint64_t last_record_hash);
  // A segment without records: everything that the log held at that time has been read.
  void mark_complete(const Origin& origin, int64_t next_offset, Instant at);

  void add_document(Document document) { documents_.push_back(std::move(document)); }
  void add_reservation(ReservationRecord record) { reservations_.push_back(std::move(record)); }

  size_t records() const { return dispositions_.size(); }
  // What became of each record: final once the batch has been applied.
  const std::vector<Disposition>& dispositions() const { return dispositions_; }
  // What was refused, conflicts among it; in no order.
  const std::vector<Rejected>& rejected() const { return rejected_; }
  bool empty() const { return segments_.empty() && documents_.empty() && reservations_.empty(); }
  Instant block_time() const { return block_time_; }

 private:
  friend class Apply;

  RejectReason admit(const UsageEvent& event) const;
  bool add_to_totals(const UsageEvent& event);
  bool intern_key(const UsageEvent& event, std::string_view raw, UsageKey& key);
  bool add_side_columns(const UsageEvent& event, StringId source);
  void add_record(Disposition disposition, int64_t offset);

  const LedgerConfig& config_;
  Dictionary& dictionary_;
  NameMemo names_;

  Instant block_time_{};
  Counts totals_{};
  StringId name_space_;
  bool backfill_ = false;

  std::vector<Segment> segments_;
  std::vector<Disposition> dispositions_;
  std::vector<uint32_t> offsets_;
  EventColumns events_;
  // As many as are on their way at once.
  std::shared_ptr<SpareMemory<EventColumns>> spare_columns_ =
      std::make_shared<SpareMemory<EventColumns>>(12);
  std::vector<Document> documents_;
  std::vector<ReservationRecord> reservations_;
  // Beside the columns, per event, until the batch is applied.
  std::vector<UsageKey> usage_keys_;
  std::vector<uint64_t> key_hashes_;
  std::vector<std::string_view> raws_;
  std::vector<Rejected> rejected_;
};

}  // namespace gauger::ledger
