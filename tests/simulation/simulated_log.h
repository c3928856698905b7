// A log of partitions as a broker keeps it: offsets with holes, a beginning that moves, deliveries
// in any order of partitions, errors. It outlives the ledger.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "ingest/source.h"
#include "ledger/ledger.h"
#include "tests/simulation/operation.h"
#include "tests/usage_model.h"

namespace gauger::simulation {

// One record, and what it means.
struct LogRecord {
  std::shared_ptr<const std::string> bytes;
  testing::ModelEvent event;
  bool poison = false;
};

class SimulatedLog {
 public:
  static constexpr uint32_t partitions = 3;
  static constexpr std::string_view name = "kafka:simulated/usage";

  void append(uint32_t partition, LogRecord record) {
    auto& log = logs_[partition];
    log.records.emplace(log.next_offset++, std::move(record));
  }
  // An offset without a record.
  void skip(uint32_t partition) { ++logs_[partition].next_offset; }
  void truncate(uint32_t partition, int64_t before) {
    auto& records = logs_[partition].records;
    records.erase(records.begin(), records.lower_bound(before));
    logs_[partition].first_offset = std::max(logs_[partition].first_offset, before);
  }

  struct Partition {
    std::map<int64_t, LogRecord> records;
    int64_t first_offset = 0;
    int64_t next_offset = 0;
  };
  const Partition& partition(uint32_t number) const { return logs_[number]; }

 private:
  std::array<Partition, partitions> logs_;
};

// A consumer's life between two rebalances: some of the partitions, in some order.
class SimulatedSource final : public ingest::Source {
 public:
  struct Delivered {
    int32_t partition;
    int64_t offset;
    const LogRecord* record;
  };
  struct Plan {
    uint64_t polls = 1;
    uint64_t records_per_poll = 1;
    std::optional<uint64_t> fails_at;  // the poll that ends with an error
  };

  SimulatedSource(const SimulatedLog& log, const ledger::Ledger& ledger, Plan plan,
                  Choices& choices)
      : log_(log), plan_(plan) {
    const auto first = static_cast<uint32_t>(choices.below(SimulatedLog::partitions));
    const auto count = 1 + choices.below(SimulatedLog::partitions);
    for (uint32_t i = 0; i < count; ++i) {
      const auto partition = static_cast<int32_t>((first + i) % SimulatedLog::partitions);
      names_.push_back({std::string(SimulatedLog::name), partition});
      const auto position = ledger.position(SimulatedLog::name, partition);
      next_.push_back(position ? position->next_offset : 0);
    }
  }

  const std::vector<ingest::PartitionName>& partitions() const override { return names_; }

  Result<void> poll(ingest::RecordBatch& batch, size_t, size_t,
                    std::chrono::milliseconds) override {
    const auto poll = polls_++;
    if (plan_.fails_at == poll) return Error{ErrorCode::unavailable, "the broker went away"};
    for (uint32_t slot = 0; slot < names_.size(); ++slot) {
      const auto& log = log_.partition(static_cast<uint32_t>(names_[slot].partition));
      if (next_[slot] != 0 && next_[slot] < log.first_offset)
        return Error{ErrorCode::refused, "the log begins behind what the ledger has read"};
      uint64_t taken = 0;
      for (auto at = log.records.lower_bound(next_[slot]);
           at != log.records.end() && taken < plan_.records_per_poll; ++at, ++taken) {
        batch.records.push_back({*at->second.bytes, at->first, slot});
        batch.owners.push_back(at->second.bytes);
        delivered_.push_back({names_[slot].partition, at->first, &at->second});
        next_[slot] = at->first + 1;
      }
    }
    batch.at_end = polls_ >= plan_.polls;
    return success();
  }

  // Since it was last asked.
  std::vector<Delivered> delivered() { return std::exchange(delivered_, {}); }

 private:
  const SimulatedLog& log_;
  const Plan plan_;
  std::vector<ingest::PartitionName> names_;
  std::vector<int64_t> next_;
  std::vector<Delivered> delivered_;
  uint64_t polls_ = 0;
};

}  // namespace gauger::simulation
