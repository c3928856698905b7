#include "ledger/batch.h"

#include <algorithm>
#include <cstring>

#include "schemas/limits.h"
#include "schemas/verify.h"

namespace gauger::ledger {
namespace {

static_assert(limits::admission_window == std::chrono::days{34} &&
              limits::future_tolerance == std::chrono::minutes{5});

// Chains a text into a running hash; the length keeps ("ab","c") and ("a","bc") apart.
uint64_t chain(uint64_t hash, std::string_view text) {
  return text.empty() ? hash * 31 + 1 : hash64(text, hash + text.size());
}

// Everything an event says but its identity, its times and its transport: equal for a
// redelivery, different for another fact under the same identity.
uint64_t content_hash_of(const UsageEvent& event, UsageKey key, EventKind kind) {
  struct {
    UsageKey key;
    Counts counts;
    uint64_t attribution;
    MeterMask present;
    EventKind kind;
    std::array<uint8_t, 5> zeros;
  } fixed;
  static_assert(sizeof fixed == 48 + 96 + 8 + 8);
  if (event.attribution_hash != 0) key.team = key.project = key.workload = StringId{};
  fixed.key = key;
  fixed.counts = event.counts;
  fixed.attribution = event.attribution_hash;
  fixed.present = event.present;
  fixed.kind = kind;
  fixed.zeros = {};
  auto hash = hash64({reinterpret_cast<const char*>(&fixed), sizeof fixed});
  hash = chain(hash, event.agent_session);
  hash = chain(hash, event.provider_request_id);
  hash = chain(hash, event.parent_id);
  hash = chain(hash, event.reservation_id);
  // A sum, since the order of a map's entries means nothing.
  uint64_t extras = 0;
  for (const auto& extra : event.extras)
    extras += hash64(extra.name, static_cast<uint64_t>(extra.count));
  hash += extras;
  for (const auto* target : {&event.retracts, &event.outcome_of})
    if (!target->id.empty()) hash = chain(chain(hash + 7, target->source), target->id);
  return hash;
}

EventKind kind_of(const UsageEvent& event) {
  if (!event.outcome_of.id.empty()) return EventKind::outcome;
  if (!event.retracts.id.empty() && event.provider.empty() && event.model.empty() &&
      event.present == 0 && event.extras.empty())
    return EventKind::retraction;
  return EventKind::usage;
}

std::string time_refusal(RejectReason reason, Instant completed_at, Instant block_time) {
  const auto completed = "completed_at " + format_instant(completed_at);
  const auto now = format_instant(block_time);
  if (reason == RejectReason::too_old)
    return completed + " is more than 34 days before " + now + ": use --backfill";
  if (reason == RejectReason::in_future) return completed + " is more than 5 minutes after " + now;
  return completed + " is before 1970";
}

ContextTier context_tier_of(const UsageEvent& event, const std::vector<int64_t>& boundaries) {
  int64_t input = 0;
  for (size_t i = 0; i < input_meter_count; ++i) input += event.counts[i];
  ContextTier tier = 0;
  for (const auto boundary : boundaries) tier = static_cast<ContextTier>(tier + (input > boundary));
  return tier;
}

}  // namespace

void Batch::begin(const Head& head, Instant now) {
  block_time_ = std::max(head.block_time, now);
  totals_ = head.totals;
  segments_.clear();
  dispositions_.clear();
  offsets_.clear();
  events_.clear();
  usage_keys_.clear();
  key_hashes_.clear();
  raws_.clear();
  rejected_.clear();
  documents_.clear();
  reservations_.clear();
}

void Batch::begin_segment(const Origin& origin, int64_t begin_offset) {
  Segment segment;
  const auto name_space = dictionary_.strings.intern(origin.name_space);
  VERIFY(name_space, "the dictionary has room for a namespace");
  segment.name_space = name_space_ = *name_space;
  segment.source = origin.source;
  segment.partition = origin.partition;
  segment.begin_offset = segment.end_offset = begin_offset;
  segment.first_record = static_cast<uint32_t>(dispositions_.size());
  backfill_ = origin.backfill;
  segments_.push_back(std::move(segment));
}

void Batch::end_segment(int64_t end_offset, uint64_t gaps, uint64_t last_record_hash) {
  auto& segment = segments_.back();
  VERIFY(end_offset >= segment.begin_offset, "a segment does not go backwards");
  segment.end_offset = end_offset;
  segment.records = static_cast<uint32_t>(dispositions_.size()) - segment.first_record;
  segment.gaps = gaps;
  segment.last_record_hash = last_record_hash;
}

void Batch::mark_complete(const Origin& origin, int64_t next_offset, Instant at) {
  begin_segment(origin, next_offset);
  end_segment(next_offset, 0, 0);
  segments_.back().complete_at = at;
}

void Batch::add_record(Disposition disposition, int64_t offset) {
  const auto relative = offset - segments_.back().begin_offset;
  VERIFY(relative >= 0 && relative <= UINT32_MAX, "a record lies within its segment");
  dispositions_.push_back(disposition);
  offsets_.push_back(static_cast<uint32_t>(relative));
}

void Batch::reject(RejectReason reason, std::string_view detail, int64_t offset,
                   std::string_view raw) {
  rejected_.push_back(
      {static_cast<uint32_t>(dispositions_.size()), reason, std::string(detail), raw});
  add_record(Disposition::quarantined, offset);
}

RejectReason Batch::admit(const UsageEvent& event) const {
  if (event.completed_at == no_instant) return RejectReason::none;  // not usage
  if (event.completed_at < Instant{}) return RejectReason::invalid_time;
  if (event.completed_at > block_time_ + limits::future_tolerance) return RejectReason::in_future;
  if (!backfill_ && event.completed_at < block_time_ - limits::admission_window)
    return RejectReason::too_old;
  return RejectReason::none;
}

bool Batch::add_to_totals(const UsageEvent& event) {
  // Unsigned, where no sum overflows; one that is too large leaves a difference with its sign set.
  constexpr auto most = static_cast<uint64_t>(limits::meter_total_max);
  Counts sums;
  uint64_t left = 0;
  for (size_t i = 0; i < meter_count; ++i) {
    const auto sum = static_cast<uint64_t>(totals_[i]) + static_cast<uint64_t>(event.counts[i]);
    left |= most - sum;
    sums[i] = static_cast<int64_t>(sum);
  }
  if (left >> 63U != 0) return false;
  totals_ = sums;
  return true;
}

bool Batch::intern_key(const UsageEvent& event, std::string_view raw, UsageKey& key) {
  bool full = false;
  const auto intern = [&](std::string_view text) {
    return names_.intern(text, raw, dictionary_.strings, full);
  };
  key.name_space = name_space_;
  key.team = intern(event.team.empty() ? std::string_view("unattributed") : event.team);
  key.project = intern(event.project);
  key.workload = intern(event.workload);
  key.provider = intern(event.provider);
  key.provider_account = intern(event.provider_account);
  key.model = intern(event.model);
  key.region = intern(event.region);
  key.accelerator = intern(event.accelerator);
  key.program = intern(event.program);
  key.service_tier = event.service_tier;
  key.context_tier = context_tier_of(event, config_.context_boundaries);
  key.role = event.role;
  key.outcome = event.outcome;
  key.purpose = event.purpose;
  key.exposure = event.exposure;
  key.usage_source = event.usage_source;
  return !full && dictionary_.keys.size() + usage_keys_.size() < limits::dictionary_keys_max;
}

bool Batch::add_side_columns(const UsageEvent& event, StringId source) {
  const auto at = static_cast<uint32_t>(events_.size());
  for (const auto& extra : event.extras) {
    const auto name = dictionary_.strings.intern(extra.name);
    if (!name) return false;
    events_.extras.push_back({at, *name, extra.count});
  }
  const auto& target = event.outcome_of.id.empty() ? event.retracts : event.outcome_of;
  if (target.id.empty()) return true;
  const auto target_source =
      target.source.empty() ? std::optional(source) : dictionary_.strings.intern(target.source);
  if (!target_source) return false;
  events_.targets.push_back(
      {at, *target_source, std::string(target.id), std::string(target.reason)});
  return true;
}

void Batch::add(const UsageEvent& event, int64_t offset, std::string_view raw) {
  if (const auto reason = admit(event); reason != RejectReason::none) {
    return reject(reason, time_refusal(reason, event.completed_at, block_time_), offset, raw);
  }
  const auto kind = kind_of(event);
  UsageKey key;
  bool full = false;
  const auto source = names_.intern(event.source, raw, dictionary_.strings, full);
  const auto extras_before = events_.extras.size();
  if (kind == EventKind::usage) {
    if (full || !intern_key(event, raw, key))
      return reject(RejectReason::dictionary_full, "the ledger's dictionary is full", offset, raw);
  } else {
    key.name_space = name_space_;
    key.outcome = event.outcome;
  }
  if (full || !add_side_columns(event, source)) {
    events_.extras.resize(extras_before);
    return reject(RejectReason::dictionary_full, "the ledger's dictionary is full", offset, raw);
  }
  if (!add_to_totals(event)) {
    events_.extras.resize(extras_before);
    std::erase_if(events_.targets,
                  [&](const auto& target) { return target.event == events_.size(); });
    return reject(RejectReason::count_too_large, "the ledger's total of a meter would overflow",
                  offset, raw);
  }

  events_.row.push_back(static_cast<uint32_t>(dispositions_.size()));
  events_.fingerprint.push_back(fingerprint(config_.identity_key, name_space_, source, event.id));
  events_.content_hash.push_back(content_hash_of(event, key, kind));
  events_.source.push_back(source);
  events_.id.add(event.id);
  const bool timed = event.completed_at != no_instant;
  events_.completed_us.push_back(timed ? to_us(event.completed_at) : 0);
  events_.duration_us.push_back(timed && event.started_at != no_instant
                                    ? (event.completed_at - event.started_at).count()
                                    : -1);
  events_.present.push_back(event.present);
  for (unsigned mask = event.present; mask != 0; mask &= mask - 1)
    events_.counts.push(event.counts[static_cast<size_t>(__builtin_ctz(mask))]);
  events_.counts.end_event();
  events_.agent_session.add(event.agent_session);
  events_.provider_request_id.add(event.provider_request_id);
  events_.parent_id.add(event.parent_id);
  events_.reservation_id.add(event.reservation_id);
  events_.kind.push_back(kind);
  usage_keys_.push_back(key);
  key_hashes_.push_back(KeyDictionary::hash(key));
  raws_.push_back(raw);
  add_record(Disposition::accepted, offset);
}

}  // namespace gauger::ledger
