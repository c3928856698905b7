#include "tests/unit/load/company/mini_ledger.h"

#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/message_differencer.h>

#include "schemas/limits.h"

namespace gauger::tests {
namespace {

bool is_usage(const v1::UsageEvent& event) {
  return !event.model().empty() || !event.provider().empty();
}

int64_t sum(const v1::UsageEvent& event, size_t begin, size_t end) {
  int64_t total = 0;
  for (auto i = begin; i < end; ++i) total += count_of(event, meter_names[i]);
  return total;
}

bool is_too_long(const std::string& text) { return text.size() > limits::text_bytes_max; }

// Whether a well-formed message may be counted.
bool is_good(const v1::UsageEvent& event) {
  if (event.source().empty() || event.id().empty()) return false;
  for (const auto* text : {&event.source(), &event.id(), &event.team(), &event.project(),
                           &event.workload(), &event.model()})
    if (is_too_long(*text)) return false;
  if (event.must_understand_size() > 0) return false;
  if (event.extras_size() > static_cast<int>(limits::extras_max)) return false;
  for (size_t i = 0; i < meter_count; ++i) {
    const auto count = count_of(event, meter_names[i]);
    if (count < 0 || count > limits::count_max) return false;
  }
  if (event.has_input_total() && event.input_total() != sum(event, 0, input_meter_count))
    return false;
  if (event.has_output_total() &&
      event.output_total() != sum(event, input_meter_count, token_meter_count))
    return false;
  if (event.retracts().id() == event.id()) return false;
  if (!v1::UsageEvent::ServiceTier_IsValid(event.service_tier())) return false;
  const bool amends = event.has_outcome_of() || event.has_retracts();
  if (!is_usage(event)) return amends;
  if (event.provider().empty() || event.model().empty() || !event.has_completed_at()) return false;
  if (event.has_started_at() && event.started_at().seconds() > event.completed_at().seconds())
    return false;
  return event.completed_at().seconds() < 4'000'000'000;  // the clock says some earlier year
}

int64_t boundary_below(int64_t input) {
  int64_t below = 0;
  for (const int64_t boundary : {128'000, 200'000, 256'000, 272'000})
    if (input > boundary) below = boundary;
  return below;
}

}  // namespace

void MiniLedger::take_json(const std::string& line) {
  v1::UsageEvent event;
  ++result_.records;
  const bool valid_text = line.find('\xC3') == std::string::npos;
  if (line.size() > limits::record_bytes_max || !valid_text ||
      !google::protobuf::util::JsonStringToMessage(line, &event).ok()) {
    ++result_.quarantined;
    return;
  }
  take(event);
}

void MiniLedger::take_protobuf(const std::string& message) {
  v1::UsageEvent event;
  ++result_.records;
  if (!event.ParseFromString(message)) {
    ++result_.quarantined;
    return;
  }
  take(event);
}

void MiniLedger::take(const v1::UsageEvent& event) {
  if (!is_good(event)) {
    ++result_.quarantined;
    return;
  }
  auto& counted = result_.counted;
  const auto [known, fresh] = known_.try_emplace(event.source() + '\n' + event.id());
  if (fresh) {
    known->second.event = event;
    return;
  }
  auto content = event;
  auto first = known->second.event;
  const bool same_time = content.completed_at().seconds() == first.completed_at().seconds() &&
                         content.completed_at().nanos() == first.completed_at().nanos();
  for (auto* one : {&content, &first}) {
    one->clear_started_at();
    one->clear_completed_at();
  }
  if (!google::protobuf::util::MessageDifferencer::Equals(content, first))
    ++counted.conflicts;
  else
    ++(same_time ? counted.duplicates : counted.restamped);
}

MiniLedger::Result MiniLedger::finish() {
  auto& counted = result_.counted;
  for (auto& [identity, amendment] : known_) {
    const auto& event = amendment.event;
    const bool tells = event.has_outcome_of();
    if (!tells && !event.has_retracts()) continue;
    const bool pure = !tells && !is_usage(event);
    const auto target = known_.find(event.source() + '\n' +
                                    (tells ? event.outcome_of().id() : event.retracts().id()));
    if (tells) {
      ++counted.outcomes;
      REQUIRE(target != known_.end());
      target->second.outcome = event.outcome();
    } else if (target == known_.end()) {
      ++counted.retractions;
      ++counted.retractions_waiting;
    } else if (pure && target->second.taken_back) {
      ++counted.duplicates;
    } else {
      ++(pure ? counted.retractions : counted.replacements);
      target->second.taken_back = true;
    }
  }
  for (const auto& [identity, usage] : known_) {
    const auto& event = usage.event;
    if (event.model().empty()) continue;
    ++counted.usage_events;
    if (usage.taken_back) {
      ++counted.taken_back;
      continue;
    }
    Counts counts{};
    for (size_t i = 0; i < meter_count; ++i) counts[i] = count_of(event, meter_names[i]);
    const auto team = event.team().empty() ? "unattributed" : event.team();
    const auto at = instant_from_us(event.completed_at().seconds() * 1'000'000);
    counted.usage.total.add(counts);
    counted.usage.by_team_model[{team, event.model()}].add(counts);
    counted.usage.by_day[load::utc_day(at)].add(counts);
    counted.by_team[team].add(counts);
    counted.by_context_above[boundary_below(sum(event, 0, input_meter_count))].add(counts);
    counted.by_usage_source[v1::UsageEvent::UsageSource_Name(event.usage_source())].add(counts);
    const bool root =
        event.role() == v1::UsageEvent::root && event.purpose() == v1::UsageEvent::production;
    if (event.program().empty() || !root) continue;
    const auto outcome =
        event.outcome() != v1::UsageEvent::outcome_absent ? event.outcome() : usage.outcome;
    ++result_.outcomes[event.program()][v1::UsageEvent::Outcome_Name(outcome)];
  }
  return std::move(result_);
}

}  // namespace gauger::tests
