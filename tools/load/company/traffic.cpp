#include "tools/load/company/traffic.h"

#include <algorithm>

#include "tools/load/company/calendar.h"

namespace gauger::load::company {
namespace {

constexpr int64_t long_factor = 6;
// What a teacher's tokenizer and manner make of a student's request, per hundred.
constexpr int64_t teacher_input_percent = 91;
constexpr int64_t teacher_output_percent = 105;
// Records are delivered soon after the answer.
constexpr int64_t delivery_us_max = 3'000'000;
// A session's cached context is gone after this; every fourth one pays for an hour.
constexpr int64_t cache_us = 300'000'000;
constexpr int64_t long_cache_us = 3'600'000'000;
constexpr uint64_t long_cache_every = 4;
// A coding agent compacts its context when it nears the model's limit.
constexpr int64_t context_max = 900'000;
constexpr int64_t context_compacted = 35'000;
// Students are small models on accelerators of the company's own.
constexpr int64_t student_first_token_us = 60'000;
constexpr int64_t student_input_token_us = 40;
constexpr int64_t student_output_token_us = 5'000;

bool happens(Random& random, uint32_t permille) { return random.chance(permille * 1'000U); }

int64_t student_latency_us(const PlannedEvent& event) {
  return student_first_token_us + event.count(Meter::input_uncached) * student_input_token_us +
         event.count(Meter::output_text) * student_output_token_us;
}

class WorkloadTraffic {
 public:
  WorkloadTraffic(const MonthOptions& options, uint16_t index, Serials& serials,
                  std::vector<PlannedEvent>& events)
      : options_(options),
        index_(index),
        plan_(workloads()[index]),
        serials_(serials),
        events_(events),
        random_(options.seed, index + 1U),
        calendar_(options.month, plan_.rhythm, random_) {}

  void run() {
    const auto requests = uint64_t{options_.events} * plan_.share_permille / 1000;
    const auto end = events_.size() + requests;
    while (events_.size() < end) {
      if (plan_.shape == Shape::agent)
        run_session(end);
      else
        run_request();
    }
  }

 private:
  PlannedEvent begin(Role role, uint64_t parent) {
    PlannedEvent event;
    event.workload = index_;
    event.serial = serials_.next();
    event.role = role;
    event.parent = parent;
    return event;
  }

  // Sets times from an answer's latency. False where it would end after the month.
  bool end(PlannedEvent& event, Instant started_at, int64_t latency_us) {
    event.started_at = started_at;
    event.completed_at = started_at + Duration{latency_us};
    if (event.completed_at >= options_.month.until) return false;
    event.arrives_at = event.completed_at + Duration{random_.between(1'000, delivery_us_max)};
    const auto compute = event.call().compute_time;
    if (compute != ComputeTime::none) event.set(Meter::compute_us, latency_us);
    return true;
  }

  int64_t latency_of(const PlannedEvent& event) {
    if (event.call().compute_time == ComputeTime::student) return student_latency_us(event);
    const auto output = event.count(Meter::output_text) + event.count(Meter::output_reasoning);
    return plan_.answers ? draw_latency_us(output, random_) : random_.between(20'000, 200'000);
  }

  void set_counts(PlannedEvent& event) {
    auto input = draw_input(plan_.shape, random_);
    if (happens(random_, plan_.long_permille)) input.tokens *= long_factor;
    event.set(Meter::input_uncached, input.tokens - input.cached);
    if (input.cached > 0) event.set(Meter::cache_read, input.cached);
    if (plan_.pays_cache_writes) {
      event.set(Meter::cache_write_5m, (input.tokens - input.cached) / 2);
      event.set(Meter::input_uncached,
                input.tokens - input.cached - event.count(Meter::cache_write_5m));
    }
    if (!plan_.answers) return;
    event.set(Meter::output_text, std::max<int64_t>(draw_output(plan_.shape, random_), 1));
    if (plan_.reasoning_percent > 0) {
      const auto share = random_.between(0, 2 * int64_t{plan_.reasoning_percent});
      event.set(Meter::output_reasoning, event.count(Meter::output_text) * share / 100);
    }
    if (happens(random_, plan_.searches_permille))
      event.set(Meter::web_searches, random_.between(1, 4));
  }

  void set_quality(PlannedEvent& event) {
    if (happens(random_, plan_.estimated_permille)) event.usage_source = UsageSource::estimated;
    if (!happens(random_, plan_.missing_permille)) return;
    event.usage_source = UsageSource::missing;
    event.counts = {};
    event.present = 0;
  }

  void run_request() {
    auto root = begin(Role::root, no_serial);
    set_counts(root);
    const auto latency = latency_of(root);
    if (!end(root, calendar_.draw(random_), latency)) return;
    set_quality(root);
    const bool retried = happens(random_, plan_.retried_permille);
    const bool escalated = happens(random_, plan_.escalated_permille);
    const bool failed = happens(random_, plan_.failed_permille);
    if (plan_.teacher != nullptr)
      root.outcome = escalated ? Outcome::escalated : failed ? Outcome::failed : Outcome::accepted;
    root.final_outcome = root.outcome;
    const auto at = events_.size();
    events_.push_back(root);
    auto last = root;
    if (retried) last = retry(root);
    if (escalated && !escalate(root, last.completed_at)) {
      // Nobody answered before the month was over.
      events_[at].outcome = events_[at].final_outcome = Outcome::failed;
    }
  }

  // The same question again, with another answer.
  PlannedEvent retry(const PlannedEvent& root) {
    auto event = root;
    event.serial = serials_.next();
    event.role = Role::retry;
    event.parent = root.serial;
    event.outcome = event.final_outcome = Outcome::absent;
    if (plan_.answers && event.present != 0)
      event.set(Meter::output_text, std::max<int64_t>(draw_output(plan_.shape, random_), 1));
    const auto pause = Duration{random_.between(200'000, 4'000'000)};
    const auto latency = latency_of(event);
    if (!end(event, root.completed_at + pause, latency)) return root;
    events_.push_back(event);
    return event;
  }

  // The teacher answers what the student could not. False after the end of the month.
  bool escalate(const PlannedEvent& root, Instant after) {
    auto event = begin(Role::fallback, root.serial);
    event.by_teacher = true;
    event.set(Meter::input_uncached,
              root.count(Meter::input_uncached) * teacher_input_percent / 100 + 1);
    event.set(Meter::output_text,
              root.count(Meter::output_text) * teacher_output_percent / 100 + 1);
    const auto latency = latency_of(event);
    if (!end(event, after + Duration{50'000}, latency)) return false;
    events_.push_back(event);
    return true;
  }

  // One agent at work: each request sends the whole context again.
  void run_session(size_t end_of_events) {
    const auto session = serials_.next();
    auto turns = draw(shapes::agent_turns, random_);
    auto context = draw(shapes::agent_first_input, random_);
    const bool long_cache = sessions_++ % long_cache_every == 1;
    const auto cached_us = long_cache ? long_cache_us : cache_us;
    const auto write = long_cache ? Meter::cache_write_1h : Meter::cache_write_5m;
    int64_t cached = 0;
    auto at = calendar_.draw(random_);
    for (; turns > 0 && events_.size() < end_of_events; --turns) {
      auto event = begin(Role::root, no_serial);
      event.session = session;
      event.set(Meter::input_uncached, random_.between(1, 12));
      if (cached > 0) event.set(Meter::cache_read, cached);
      if (context > cached) event.set(write, context - cached);
      event.set(Meter::output_text, std::max<int64_t>(draw_output(Shape::agent, random_), 1));
      const auto latency = latency_of(event);
      if (!end(event, at, latency)) return;
      events_.push_back(event);

      const auto think_us = draw(shapes::agent_think_us, random_);
      at = event.completed_at + Duration{think_us};
      cached = think_us < cached_us ? context : 0;
      context += draw(shapes::agent_input_growth, random_);
      if (context > context_max) {
        context = context_compacted;
        cached = 0;
      }
    }
  }

  const MonthOptions& options_;
  uint16_t index_;
  const Workload& plan_;
  Serials& serials_;
  std::vector<PlannedEvent>& events_;
  Random random_;
  Calendar calendar_;
  uint64_t sessions_ = 0;
};

}  // namespace

std::vector<PlannedEvent> plan_traffic(const MonthOptions& options, Serials& serials) {
  std::vector<PlannedEvent> events;
  events.reserve(options.events + options.events / 8);
  for (uint16_t index = 0; index < workloads().size(); ++index)
    WorkloadTraffic(options, index, serials, events).run();
  return events;
}

}  // namespace gauger::load::company
