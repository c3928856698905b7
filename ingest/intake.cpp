#include "ingest/intake.h"

#include <algorithm>
#include <thread>

#include "ingest/attribution.h"
#include "ingest/completeness.h"
#include "ingest/framing.h"
#include "ingest/wire_decoder.h"
#include "ledger/hash.h"
#include "schemas/limits.h"

namespace gauger::ingest {
namespace {

using std::chrono::steady_clock;

// What somebody should know of, in numbers of the progress.
void note(const UsageEvent& event, IntakeProgress& progress) {
  const auto amends = !event.retracts.id.empty() || !event.outcome_of.id.empty();
  if (!amends && event.team == unattributed_team) ++progress.unattributed;
  auto& seen = progress.extras;
  for (const auto& extra : event.extras) {
    const auto same = std::ranges::find(seen, extra.name, &ExtraSeen::name);
    if (same != seen.end())
      ++same->events;
    else if (seen.size() < limits::extras_reported_max)
      seen.push_back({std::string(extra.name), 1});
  }
}

// Events of formats that go through a Decoder.
class BatchSink final : public EventSink {
 public:
  explicit BatchSink(IntakeProgress& progress) : progress_(progress) {}
  void aim(ledger::Batch& batch, const Record& record) {
    batch_ = &batch;
    record_ = &record;
  }
  void accept(const UsageEvent& event) override {
    note(event, progress_);
    batch_->add(event, record_->offset, record_->bytes);
  }
  void reject(RejectReason reason, std::string_view detail, std::string_view) override {
    batch_->reject(reason, detail, record_->offset, record_->bytes);
  }

 private:
  IntakeProgress& progress_;
  ledger::Batch* batch_ = nullptr;
  const Record* record_ = nullptr;
};

class Intake {
 public:
  Intake(ledger::Ledger& ledger, Source& source, IntakeOptions options)
      : ledger_(ledger), source_(source), options_(std::move(options)), completeness_(source) {
    for (const auto& partition : source.partitions()) {
      const auto position = ledger.position(partition.source, partition.partition);
      next_offsets_.push_back(position ? position->next_offset : 0);
      started_.push_back(position.has_value());
    }
  }

  Result<IntakeProgress> run(const KeepGoing& keep_going) {
    for (;;) {
      if (!wait_for_room(keep_going)) break;
      completeness_.ask(ledger_.clock().now());
      const auto filled = fill();
      if (!filled) {
        // What was read before stays read: nothing half-filled is left in the ledger's batch.
        TRY(commit());
        return filled.error();
      }
      const bool at_end = filled.value();
      mark_complete();
      const bool due = at_end || batch_records_ >= limits::batch_events_max ||
                       batch_bytes_ >= limits::batch_bytes_max ||
                       steady_clock::now() >= commit_due_;
      if (due && (!held_.empty() || marked_)) {
        TRY(commit());
      }
      if (at_end || !keep_going(progress_)) break;
    }
    TRY(commit());
    return progress_;
  }

 private:
  // False when the intake was ended while it waited.
  bool wait_for_room(const KeepGoing& keep_going) {
    while (!ledger_.has_room()) {
      progress_.paused = true;
      if (!keep_going(progress_)) return false;
      std::this_thread::sleep_for(limits::free_space_look_interval);
    }
    progress_.paused = false;
    return true;
  }

  // One poll, decoded into the ledger's open batch. True at the end of the source.
  Result<bool> fill() {
    if (held_.empty()) {
      batch_records_ = batch_bytes_ = 0;
      commit_due_ = steady_clock::now() + limits::commit_interval_max;
    }
    RecordBatch records;
    if (!spare_.empty()) {
      records = std::move(spare_.back());
      spare_.pop_back();
    }
    records.clear();
    const auto wait =
        std::clamp(std::chrono::ceil<std::chrono::milliseconds>(commit_due_ - steady_clock::now()),
                   std::chrono::milliseconds{0}, limits::commit_interval_max);
    TRY(source_.poll(
        records, limits::batch_events_max - std::min(batch_records_, limits::batch_events_max - 1),
        limits::batch_bytes_max, wait));
    const bool at_end = records.at_end;
    decode(records);
    if (records.records.empty() && records.positions.empty()) {
      spare_.push_back(std::move(records));
    } else {
      held_.push_back(std::move(records));  // quarantine reads its bytes at the commit
    }
    return at_end;
  }

  void decode(const RecordBatch& records) {
    const auto& all = records.records;
    for (size_t begin = 0; begin < all.size();) {
      auto end = begin + 1;
      while (end < all.size() && all[end].partition == all[begin].partition) ++end;
      decode_segment(records, begin, end);
      begin = end;
    }
    for (const auto& position : records.positions) move_on(position);
    batch_records_ += all.size();
    batch_bytes_ += records.bytes;
    progress_.records += all.size();
    progress_.bytes += records.bytes;
    scratch_.clear();
  }

  // Records first..last-1 are consecutive ones of one partition.
  void decode_segment(const RecordBatch& records, size_t first, size_t last) {
    const auto& all = records.records;
    const auto partition = all[first].partition;
    auto& batch = ledger_.batch();
    batch.begin_segment(origin(partition), begin_offset(partition, all[first].offset));
    auto expected = next_offsets_[partition];
    uint64_t gaps = 0;
    for (auto i = first; i < last; ++i) {
      const auto& record = all[i];
      gaps += static_cast<uint64_t>(std::max<int64_t>(0, record.offset - expected));
      expected = record.offset + 1;
      if (record.defect != RejectReason::none)
        batch.reject(record.defect, defect_sentence(record.defect), record.offset, record.bytes);
      else if (options_.decoder == nullptr)
        decode_wire_record(batch, record);
      else
        decode_record(batch, records, record);
    }
    next_offsets_[partition] = expected;
    batch.end_segment(expected, gaps, ledger::hash64(all[last - 1].bytes));
  }

  void decode_wire_record(ledger::Batch& batch, const Record& record) {
    const auto reason = decode_wire(record.bytes, event_, scratch_);
    if (reason != RejectReason::none)
      return batch.reject(reason, scratch_.detail, record.offset, record.bytes);
    // Marked as by every other decoder, so that a redelivery under a mapping document that
    // claims the event is no conflict.
    if (event_.team.empty()) {
      memory_.clear();
      attribute_canonical(event_, {}, Attribution(), memory_);
    }
    note(event_, progress_);
    batch.add(event_, record.offset, record.bytes);
  }

  void decode_record(ledger::Batch& batch, const RecordBatch& records, const Record& record) {
    sink_.aim(batch, record);
    const std::span headers(records.headers);
    options_.decoder->decode(record.bytes,
                             headers.subspan(record.headers_begin, record.headers_count), sink_);
  }

  // Offsets that held no record, behind the last one.
  void move_on(const RecordBatch::Position& position) {
    auto& next = next_offsets_[position.partition];
    if (position.next_offset <= next && started_[position.partition]) return;
    auto& batch = ledger_.batch();
    const auto begin = begin_offset(position.partition, position.next_offset);
    batch.begin_segment(origin(position.partition), begin);
    batch.end_segment(position.next_offset, static_cast<uint64_t>(position.next_offset - begin), 0);
    next = position.next_offset;
  }

  void mark_complete() {
    completeness_.reached(next_offsets_, [&](uint32_t partition, Instant at) {
      if (!started_[partition]) return;
      ledger_.batch().mark_complete(origin(partition), next_offsets_[partition], at);
      marked_ = true;
    });
  }

  // Where a segment begins: where the one before ended, so that the journal has no hole. A
  // partition that is read for the first time begins where its log does.
  int64_t begin_offset(uint32_t partition, int64_t first_offset) {
    if (!started_[partition]) next_offsets_[partition] = first_offset;
    started_[partition] = true;
    return next_offsets_[partition];
  }

  ledger::Origin origin(uint32_t partition) const {
    const auto& name = source_.partitions()[partition];
    return {options_.name_space, name.source, name.partition, options_.backfill};
  }

  Result<void> commit() {
    TRY(ledger_.commit());
    ++progress_.commits;
    for (auto& records : held_) {
      records.clear();
      if (spare_.size() < 4) spare_.push_back(std::move(records));
    }
    held_.clear();
    marked_ = false;
    return success();
  }

  ledger::Ledger& ledger_;
  Source& source_;
  IntakeOptions options_;
  std::vector<int64_t> next_offsets_;  // per partition
  std::vector<bool> started_;
  CompletenessWatch completeness_;
  bool marked_ = false;             // the open batch says of a partition that it is complete
  std::vector<RecordBatch> held_;   // decoded, not yet committed
  std::vector<RecordBatch> spare_;  // their memory, for the next ones
  size_t batch_records_ = 0;
  size_t batch_bytes_ = 0;
  steady_clock::time_point commit_due_{};
  IntakeProgress progress_;
  UsageEvent event_;
  EventMemory memory_;  // of `event_`
  WireScratch scratch_;
  BatchSink sink_{progress_};
};

}  // namespace

Result<IntakeProgress> run_intake(ledger::Ledger& ledger, Source& source, IntakeOptions options,
                                  const KeepGoing& keep_going) {
  return Intake(ledger, source, std::move(options)).run(keep_going);
}

}  // namespace gauger::ingest
