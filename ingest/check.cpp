#include "ingest/check.h"

#include <fmt/format.h>

#include <algorithm>

#include "ingest/event_fields.h"
#include "schemas/limits.h"

namespace gauger::ingest {
namespace {

using limits::count_max;
using limits::extras_max;
using limits::identity_bytes_max;
using limits::text_bytes_max;

int64_t sum(const Counts& counts, size_t begin, size_t end) {
  int64_t total = 0;
  for (size_t i = begin; i < end; ++i) total += counts[i];
  return total;
}

// Below a power of two, so is the union of all bits: one comparison for many values. A value
// in the gap between the power and the limit is looked at rule by rule.
bool texts_are_short(const UsageEvent& e) {
  constexpr size_t power = 256;
  static_assert(power <= text_bytes_max && power <= identity_bytes_max);
  return (e.source.size() | e.id.size() | e.team.size() | e.project.size() | e.workload.size() |
          e.agent_session.size() | e.provider.size() | e.provider_account.size() | e.model.size() |
          e.region.size() | e.accelerator.size() | e.provider_request_id.size() | e.program.size() |
          e.parent_id.size() | e.reservation_id.size()) < power;
}

bool counts_are_small(const UsageEvent& event) {
  constexpr uint64_t power = uint64_t{1} << 49U;
  static_assert(power <= static_cast<uint64_t>(count_max));
  uint64_t bits = 0;
  for (const auto count : event.counts) bits |= static_cast<uint64_t>(count);
  return bits < power;
}

bool adds_up(int64_t stated, const Counts& counts, size_t begin, size_t end) {
  return stated == no_total || stated == sum(counts, begin, end);
}

// The ordinary event, told apart in a few nanoseconds: usage without target and extras.
// Whatever is not ordinary is looked at rule by rule, and may still be fine.
bool is_ordinary(const UsageEvent& event) {
  return !event.source.empty() && !event.id.empty() && !event.provider.empty() &&
         !event.model.empty() && event.completed_at != no_instant &&
         event.started_at <= event.completed_at && event.present != 0 &&
         event.usage_source != UsageSource::missing && event.extras.empty() &&
         event.retracts.id.empty() && event.retracts.source.empty() &&
         event.retracts.reason.empty() && event.outcome_of.id.empty() &&
         event.outcome_of.source.empty() && event.outcome_of.reason.empty() &&
         counts_are_small(event) && texts_are_short(event) &&
         adds_up(event.input_total, event.counts, 0, input_meter_count) &&
         adds_up(event.output_total, event.counts, input_meter_count, token_meter_count);
}

class Explanation {
 public:
  Explanation(const UsageEvent& event, std::string& detail) : event_(event), detail_(detail) {}

  RejectReason find() {
    for (const auto rule :
         {&Explanation::identity, &Explanation::texts, &Explanation::counts, &Explanation::extras,
          &Explanation::totals, &Explanation::targets, &Explanation::times, &Explanation::usage})
      if (const auto reason = (this->*rule)(); reason != RejectReason::none) return reason;
    return RejectReason::none;
  }

 private:
  template <class... Args>
  RejectReason refuse(RejectReason reason, fmt::format_string<Args...> format, Args&&... args) {
    detail_ = fmt::format(format, std::forward<Args>(args)...);
    return reason;
  }

  RejectReason identity() {
    if (event_.source.empty()) return refuse(RejectReason::missing_identity, "source is absent");
    if (event_.id.empty()) return refuse(RejectReason::missing_identity, "id is absent");
    for (const auto& [name, text] : {std::pair{"source", event_.source},
                                     {"id", event_.id},
                                     {"retracts.source", event_.retracts.source},
                                     {"retracts.id", event_.retracts.id},
                                     {"outcome_of.source", event_.outcome_of.source},
                                     {"outcome_of.id", event_.outcome_of.id}})
      if (text.size() > identity_bytes_max)
        return refuse(RejectReason::identity_too_long, "{} has {} bytes, at most {} are kept", name,
                      text.size(), identity_bytes_max);
    return RejectReason::none;
  }

  RejectReason text(std::string_view name, std::string_view value) {
    if (value.size() <= text_bytes_max) return RejectReason::none;
    return refuse(RejectReason::text_too_long, "{} has {} bytes, at most {} are kept", name,
                  value.size(), text_bytes_max);
  }

  RejectReason texts() {
    for (const auto& field : event_fields) {
      if (field.text == nullptr) continue;
      const auto reason = text(field.name, event_.*field.text);
      if (reason != RejectReason::none) return reason;
    }
    const auto reason = text("retracts.reason", event_.retracts.reason);
    return reason != RejectReason::none ? reason
                                        : text("outcome_of.reason", event_.outcome_of.reason);
  }

  RejectReason count(std::string_view name, int64_t value) {
    if (value < 0) return refuse(RejectReason::negative_count, "{} is {}", name, value);
    if (value > count_max)
      return refuse(RejectReason::count_too_large, "{} is {}, more than {} in one request", name,
                    value, count_max);
    return RejectReason::none;
  }

  RejectReason counts() {
    for (size_t i = 0; i < meter_count; ++i)
      if (const auto reason = count(meter_names[i], event_.counts[i]); reason != RejectReason::none)
        return reason;
    return RejectReason::none;
  }

  RejectReason extras() {
    if (event_.extras.size() > extras_max)
      return refuse(RejectReason::too_many_extras, "{} extras, at most {} are kept",
                    event_.extras.size(), extras_max);
    for (const auto& extra : event_.extras) {
      if (extra.name.empty())
        return refuse(RejectReason::missing_field, "an extra of {} has no name", extra.count);
      if (extra.name.size() > text_bytes_max)
        return refuse(RejectReason::text_too_long,
                      "the name of an extra has {} bytes, at most {} are kept", extra.name.size(),
                      text_bytes_max);
      // Under one name there must be one count, or a sum by name would hold it twice.
      if (find_meter(extra.name))
        return refuse(RejectReason::unknown_field, "the extra {} has a field of its own",
                      extra.name);
      if (const auto reason = count(extra.name, extra.count); reason != RejectReason::none)
        return reason;
    }
    return RejectReason::none;
  }

  RejectReason total(std::string_view name, int64_t stated, int64_t parts) {
    if (stated == no_total) return RejectReason::none;
    if (const auto reason = count(name, stated); reason != RejectReason::none) return reason;
    if (stated == parts) return RejectReason::none;
    return refuse(RejectReason::totals_disagree, "{} is {} but the parts add up to {}", name,
                  stated, parts);
  }

  RejectReason totals() {
    const auto reason =
        total("input_total", event_.input_total, sum(event_.counts, 0, input_meter_count));
    if (reason != RejectReason::none) return reason;
    return total("output_total", event_.output_total,
                 sum(event_.counts, input_meter_count, token_meter_count));
  }

  bool has_counts() const {
    return event_.present != 0 || !event_.extras.empty() || event_.input_total != no_total ||
           event_.output_total != no_total;
  }

  RejectReason target(std::string_view name, const EventTarget& target) {
    if (target.id.empty()) {
      if (target.source.empty() && target.reason.empty()) return RejectReason::none;
      return refuse(RejectReason::missing_identity, "{} names no id", name);
    }
    const auto source = target.source.empty() ? event_.source : target.source;
    if (source == event_.source && target.id == event_.id)
      return refuse(RejectReason::target_not_usage, "{} names the event itself", name);
    return RejectReason::none;
  }

  RejectReason targets() {
    auto reason = target("retracts", event_.retracts);
    if (reason == RejectReason::none) reason = target("outcome_of", event_.outcome_of);
    if (reason != RejectReason::none || event_.outcome_of.id.empty()) return reason;
    if (!event_.retracts.id.empty())
      return refuse(RejectReason::undecodable,
                    "the event both retracts {} and tells the outcome of {}",
                    shown(event_.retracts.id), shown(event_.outcome_of.id));
    if (event_.outcome == Outcome::absent)
      return refuse(RejectReason::missing_field, "outcome_of without an outcome");
    if (has_counts())
      return refuse(RejectReason::undecodable, "an outcome_of event carries counts");
    return RejectReason::none;
  }

  RejectReason times() {
    if (event_.started_at == no_instant || event_.completed_at == no_instant ||
        event_.started_at <= event_.completed_at)
      return RejectReason::none;
    return refuse(RejectReason::invalid_time, "started_at {} is after completed_at {}",
                  format_instant(event_.started_at), format_instant(event_.completed_at));
  }

  bool is_usage() const {
    if (!event_.outcome_of.id.empty()) return false;
    return event_.retracts.id.empty() || !event_.provider.empty() || !event_.model.empty() ||
           has_counts();
  }

  RejectReason usage() {
    if (!is_usage()) return RejectReason::none;
    if (event_.provider.empty()) return refuse(RejectReason::missing_field, "provider is absent");
    if (event_.model.empty()) return refuse(RejectReason::missing_field, "model is absent");
    if (event_.completed_at == no_instant)
      return refuse(RejectReason::missing_field, "completed_at is absent");
    if (event_.usage_source == UsageSource::missing) {
      if (!has_counts()) return RejectReason::none;
      return refuse(RejectReason::undecodable, "usage_source is missing, yet counts are stated");
    }
    if (event_.present != 0 || !event_.extras.empty()) return RejectReason::none;
    return refuse(RejectReason::missing_field, "usage_source is {}, yet no count is stated",
                  to_string(event_.usage_source));
  }

  const UsageEvent& event_;
  std::string& detail_;
};

}  // namespace

RejectReason check(const UsageEvent& event, std::string& detail) {
  if (is_ordinary(event)) [[likely]]
    return RejectReason::none;
  return Explanation(event, detail).find();
}

std::string_view shown(std::string_view text) {
  constexpr size_t shown_bytes_max = 80;
  if (text.size() <= shown_bytes_max) return text;
  size_t size = shown_bytes_max;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U) --size;
  return text.substr(0, size);
}

void sort_extras(std::span<ExtraCount> extras) {
  std::sort(extras.begin(), extras.end(),
            [](const ExtraCount& a, const ExtraCount& b) { return a.name < b.name; });
}

}  // namespace gauger::ingest
