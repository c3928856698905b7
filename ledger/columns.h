// The columns of events, in memory: one flat array per field, one entry per event, in journal
// order. Batches fill them, blocks store them, lookups read them. Row types of the event path.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/identity_index.h"
#include "schemas/instant.h"
#include "schemas/meter.h"
#include "schemas/usage_event.h"
#include "schemas/usage_key.h"
#include "schemas/usage_table.h"

namespace gauger::ledger {

// What became of a record. Stored by number.
enum class Disposition : uint8_t {
  accepted = 0,
  duplicate = 1,    // a known identity with the same content and times
  restamped = 2,    // a known identity with the same content at another time
  conflict = 3,     // a known identity with other content; the first one stands
  quarantined = 4,  // not an event that may be counted
};
inline constexpr size_t disposition_count = 5;
inline constexpr std::array<std::string_view, disposition_count> disposition_names = {
    "accepted", "duplicate", "restamped", "conflict", "quarantined"};

enum class EventKind : uint8_t { usage = 0, retraction = 1, outcome = 2 };

// A stretch of events.
struct EventRun {
  uint32_t begin;
  uint32_t end;
};

// Texts one behind the other, with the end of each.
class TextColumn {
 public:
  void add(std::string_view text) {
    bytes_.append(text);
    ends_.push_back(static_cast<uint32_t>(bytes_.size()));
  }
  std::string_view operator[](size_t at) const {
    const auto begin = at == 0 ? 0 : ends_[at - 1];
    return std::string_view(bytes_).substr(begin, ends_[at] - begin);
  }
  size_t size() const { return ends_.size(); }
  void reserve_like(const TextColumn& other) {
    bytes_.reserve(other.bytes_.size());
    ends_.reserve(other.ends_.size());
  }
  const std::string& bytes() const { return bytes_; }
  size_t memory_bytes() const { return bytes_.capacity() + ends_.capacity() * sizeof(ends_[0]); }
  void clear() {
    bytes_.clear();
    ends_.clear();
  }
  void keep(std::span<const EventRun> runs);

 private:
  std::string bytes_;
  std::vector<uint32_t> ends_;
};

// The same for numbers: a varying count of values per event.
class NumbersColumn {
 public:
  void push(int64_t value) { values_.push_back(value); }
  void end_event() { ends_.push_back(static_cast<uint32_t>(values_.size())); }
  std::span<const int64_t> operator[](size_t at) const {
    const auto begin = at == 0 ? 0 : ends_[at - 1];
    return std::span(values_).subspan(begin, ends_[at] - begin);
  }
  const std::vector<int64_t>& values() const { return values_; }
  size_t memory_bytes() const {
    return values_.capacity() * sizeof(values_[0]) + ends_.capacity() * sizeof(ends_[0]);
  }
  void reserve_like(const NumbersColumn& other) {
    values_.reserve(other.values_.size());
    ends_.reserve(other.ends_.size());
  }
  void clear() {
    values_.clear();
    ends_.clear();
  }
  void keep(std::span<const EventRun> runs);

 private:
  std::vector<int64_t> values_;
  std::vector<uint32_t> ends_;
};

// What an event says about another one. `event` is an index into the columns.
struct TargetRow {
  uint32_t event;
  StringId source;
  std::string id;
  std::string reason;
};

struct ExtraRow {
  uint32_t event;
  StringId name;
  int64_t count;
};

struct EventColumns {
  std::vector<uint32_t> row;             // ordinal of the record within its block
  std::vector<Fingerprint> fingerprint;  // not stored: made from namespace, source and id
  std::vector<uint64_t> content_hash;
  std::vector<EventKind> kind;
  std::vector<StringId> source;
  TextColumn id;
  std::vector<uint32_t> key;          // of a retraction or outcome: its namespace and outcome only
  std::vector<int64_t> completed_us;  // of usage; what a retraction says, else 0
  std::vector<int64_t> duration_us;   // completed - started; -1 where no start is known
  std::vector<MeterMask> present;
  NumbersColumn counts;  // of the present meters, in their order
  TextColumn agent_session;
  TextColumn provider_request_id;
  TextColumn parent_id;
  TextColumn reservation_id;
  std::vector<TargetRow> targets;  // by event, at most one each
  std::vector<ExtraRow> extras;    // by event

  size_t size() const { return kind.size(); }
  size_t memory_bytes() const;
  void clear();
  // Room for as much as another one holds.
  void reserve_like(const EventColumns& other);
  // Drops every event i with kept[i] == 0.
  void keep(const std::vector<uint8_t>& kept);
  Counts counts_of(size_t event) const;
  std::span<const ExtraRow> extras_of(size_t event) const;
  const TargetRow* target_of(size_t event) const;
};

// Counts that later events took back or moved: part of the fold, so it is in the journal.
struct Adjustment {
  static constexpr uint32_t no_key = UINT32_MAX;
  uint64_t target_row;   // the usage row it is about
  int64_t completed_us;  // of that row: decides the period
  uint32_t key_from;     // subtract here
  uint32_t key_to;       // add here; no_key for a retraction
  MeterMask present;
  Counts counts;
  std::vector<ExtraSum> extras;
};

}  // namespace gauger::ledger
