#include "tools/load/company/faults.h"

namespace gauger::load::company {
namespace {

// Of all requests, per million.
constexpr uint32_t late_per_million = 5'000;
constexpr uint32_t duplicates_per_million = 8'000;
constexpr uint32_t restamped_per_million = 2'000;
constexpr uint32_t conflicts_per_million = 100;
constexpr uint32_t retractions_per_million = 150;
constexpr uint32_t replacements_per_million = 40;
// Of a programme's roots.
constexpr uint32_t told_later_per_million = 200'000;
constexpr uint32_t told_early_per_million = 20'000;  // of those

constexpr int64_t second_us = 1'000'000;
constexpr int64_t hour_us = 3'600 * second_us;

class Faults {
 public:
  Faults(const MonthOptions& options, Serials& serials, std::vector<PlannedEvent>& events)
      : serials_(serials),
        events_(events),
        requests_(events.size()),
        taken_(events.size()),
        random_(mix(options.seed)) {}

  void run() {
    delay();
    tell_outcomes_later();
    for (uint64_t n = times(duplicates_per_million); n > 0; --n) copy(Fate::duplicate);
    for (uint64_t n = times(restamped_per_million); n > 0; --n) copy(Fate::restamped);
    for (uint64_t n = times(conflicts_per_million); n > 0; --n) contradict();
    for (uint64_t n = times(retractions_per_million); n > 0; --n) retract(n);
    for (uint64_t n = times(replacements_per_million); n > 0; --n) replace();
    retract_what_never_comes();
  }

 private:
  // At least three of each kind, however small the month.
  uint64_t times(uint32_t per_million) const { return requests_ * per_million / 1'000'000 + 3; }

  Duration pause(int64_t low_us, int64_t high_us) {
    return Duration{random_.between(low_us, high_us)};
  }

  void delay() {
    for (size_t i = 0; i < requests_; ++i)
      if (random_.chance(late_per_million))
        events_[i].arrives_at += pause(60 * second_us, 72 * hour_us);
  }

  void tell_outcomes_later() {
    for (size_t i = 0; i < requests_; ++i) {
      if (events_[i].outcome == Outcome::absent || !random_.chance(told_later_per_million))
        continue;
      events_[i].outcome = Outcome::absent;
      auto told = amendment(events_[i], Kind::outcome);
      told.outcome = events_[i].final_outcome;
      told.arrives_at = random_.chance(told_early_per_million)
                            ? events_[i].arrives_at - pause(1, 5 * second_us)
                            : events_[i].arrives_at + pause(60 * second_us, 48 * hour_us);
      events_.push_back(told);
    }
  }

  PlannedEvent amendment(const PlannedEvent& about, Kind kind) {
    PlannedEvent event;
    event.kind = kind;
    event.serial = serials_.next();
    event.target = about.serial;
    event.workload = about.workload;
    event.by_teacher = about.by_teacher;
    return event;
  }

  // A request that no other fault has chosen.
  PlannedEvent& pick() {
    for (;;) {
      const auto i = static_cast<size_t>(random_.below(requests_));
      if (taken_[i] != 0) continue;
      taken_[i] = 1;
      return events_[i];
    }
  }

  // One whose counts can be changed and taken back without changing a programme's story.
  PlannedEvent& pick_plain() {
    for (;;) {
      auto& event = pick();
      if (event.plan().program.empty() && event.count(Meter::output_text) > 1) return event;
    }
  }

  void copy(Fate fate) {
    auto again = pick();
    again.fate = fate;
    again.arrives_at += pause(second_us, 6 * hour_us);
    if (fate == Fate::restamped) {
      const auto shift = pause(1, 120 * second_us);
      again.started_at += shift;
      again.completed_at += shift;
    }
    events_.push_back(again);
  }

  PlannedEvent pick_disputable() {
    for (;;) {
      const auto& event = pick_plain();
      if (event.plan().team != undisputed_team) return event;
    }
  }

  void contradict() {
    auto other = pick_disputable();
    other.fate = Fate::conflict;
    other.arrives_at += pause(second_us, 6 * hour_us);
    other.set(Meter::output_text, other.count(Meter::output_text) + random_.between(1, 50));
    events_.push_back(other);
  }

  // Some come before what they take back, some come twice.
  void retract(uint64_t n) {
    auto& target = pick_plain();
    target.taken_back = true;
    auto event = amendment(target, Kind::retraction);
    const bool early = n % 6 == 0;
    event.arrives_at = early ? target.arrives_at - pause(1, 60 * second_us)
                             : target.arrives_at + pause(second_us, 24 * hour_us);
    events_.push_back(event);
    if (early || n % 20 != 1) return;
    event.serial = serials_.next();
    event.fate = Fate::duplicate;
    event.arrives_at += pause(second_us, hour_us);
    events_.push_back(event);
  }

  // The request did happen, but was counted wrongly: another event takes its place.
  void replace() {
    auto& target = pick_plain();
    target.taken_back = true;
    auto event = target;
    event.taken_back = false;
    event.serial = serials_.next();
    event.target = target.serial;
    event.arrives_at += pause(second_us, 24 * hour_us);
    event.set(Meter::output_text, event.count(Meter::output_text) / 2);
    events_.push_back(event);
  }

  void retract_what_never_comes() {
    auto event = amendment(events_.front(), Kind::retraction);
    event.target = serials_.next();
    event.arrives_at = events_.front().arrives_at;
    events_.push_back(event);
  }

  Serials& serials_;
  std::vector<PlannedEvent>& events_;
  const size_t requests_;
  std::vector<uint8_t> taken_;
  Random random_;
};

}  // namespace

void add_faults(const MonthOptions& options, Serials& serials, std::vector<PlannedEvent>& events) {
  events.reserve(events.size() + events.size() / 8 + 64);
  Faults(options, serials, events).run();
}

}  // namespace gauger::load::company
