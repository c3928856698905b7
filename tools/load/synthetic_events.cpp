#include "tools/load/synthetic_events.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace gauger::load {
namespace {

struct Provider {
  std::string_view name;
  std::string_view model_prefix;
  std::string_view accelerator;
  IdStyle id_style;
  bool caches;        // states cache reads and writes
  bool compute_time;  // states compute time
};
constexpr std::array<Provider, 5> providers = {{
    {"anthropic", "claude", "", IdStyle::anthropic, true, true},
    {"openai", "gpt", "", IdStyle::openai, false, false},
    {"google", "gemini", "", IdStyle::uuid, false, false},
    {"bedrock", "nova", "", IdStyle::amazon, true, false},
    {"in_house", "student", "h100", IdStyle::uuid, false, true},
}};
constexpr uint32_t project_count = 4;
constexpr uint32_t source_count = 8;
constexpr uint32_t program_count = 8;

// Records arrive about in the order of completion; this much is normal disorder.
constexpr uint64_t jitter_us = 2'000'000;
constexpr uint64_t late_min_us = 60'000'000;

// Microseconds between two distinct events, with 32 bits of fraction.
Uint128 step_of(const SyntheticConfig& config) {
  const auto events = Uint128{config.records} * (1'000'000 - config.duplicates_per_million);
  return (Uint128{static_cast<uint64_t>(config.span.count())} << 32) * 1'000'000 / events;
}

std::vector<std::string> numbered(std::string_view format, uint32_t count) {
  std::vector<std::string> names;
  for (uint32_t i = 0; i < count; ++i) names.push_back(fmt::format(fmt::runtime(format), i + 1));
  return names;
}

}  // namespace

SyntheticEvents::SyntheticEvents(const SyntheticConfig& config)
    : config_(config),
      step_(step_of(config)),
      team_table_(zipf_weights(config.teams, config.zipf_milli)),
      model_table_(zipf_weights(config.models, config.zipf_milli)),
      workload_table_(zipf_weights(config.workloads, config.zipf_milli)),
      teams_(numbered("team-{:04}", config.teams)),
      projects_(numbered("project-{}", project_count)),
      sources_(numbered("gateway-{}", source_count)) {
  for (uint32_t i = 0; i < config.models; ++i) {
    const auto provider = static_cast<uint8_t>(i % providers.size());
    models_.push_back({fmt::format("{}-model-{:02}", providers[provider].model_prefix, i + 1),
                       provider, i % 4 == 1});
  }
  constexpr std::array<Shape, 10> shapes_of_workloads = {
      Shape::conversation, Shape::agent, Shape::document, Shape::code,         Shape::chat,
      Shape::conversation, Shape::agent, Shape::document, Shape::conversation, Shape::code};
  for (uint32_t i = 0; i < config.workloads; ++i)
    workloads_.push_back({fmt::format("workload-{:03}", i + 1),
                          fmt::format("distill-{}", i % program_count + 1),
                          shapes_of_workloads[i % shapes_of_workloads.size()],
                          i % 16 == 7 ? ServiceTier::batch : ServiceTier::standard});
}

void SyntheticEvents::make(uint64_t index, SyntheticEvent& made) const {
  Random random(config_.seed, index);
  made.team = team_table_.at(random.next());
  made.model = model_table_.at(random.next());
  const auto workload_index = workload_table_.at(random.next());
  const auto& workload = workloads_[workload_index];
  const auto& model = models_[made.model];
  const auto& provider = providers[model.provider];

  auto& event = made.event;
  event = UsageEvent{};
  event.source = sources_[random.below(source_count)];
  const auto style = random.chance(500'000) ? IdStyle::uuid : provider.id_style;
  event.id = make_request_id(style, config_.seed, index, made.id);
  event.team = teams_[made.team];
  event.project = projects_[(made.team + workload_index) % project_count];
  event.workload = workload.name;
  event.provider = provider.name;
  event.model = model.name;
  event.accelerator = provider.accelerator;
  event.service_tier = workload.tier;
  set_input(workload.shape, provider.caches, random, event);
  set_output(workload.shape, model.reasons, random, event);
  set_times(index, random, event);
  if (provider.compute_time)
    event.set(Meter::compute_us, (event.completed_at - event.started_at).count());
  if (!provider.accelerator.empty()) set_program(workload, random, event);
}

void SyntheticEvents::set_input(Shape shape, bool caches, Random& random, UsageEvent& event) const {
  const auto input = draw_input(shape, random);
  event.set(Meter::input_uncached, input.tokens - input.cached);
  if (input.cached > 0) event.set(Meter::cache_read, input.cached);
  if (caches && shape == Shape::agent) {
    // What is new in a session is written to the cache for its next request.
    event.set(Meter::cache_write_5m, input.tokens - input.cached);
    event.set(Meter::input_uncached, random.between(1, 20));
  }
}

void SyntheticEvents::set_output(Shape shape, bool reasons, Random& random,
                                 UsageEvent& event) const {
  const auto output = draw_output(shape, random);
  if (reasons) event.set(Meter::output_reasoning, output * random.between(0, 3));
  event.set(Meter::output_text, output);
}

void SyntheticEvents::set_times(uint64_t index, Random& random, UsageEvent& event) const {
  const auto span_us = static_cast<uint64_t>(config_.span.count());
  auto since_from = std::min(static_cast<uint64_t>((step_ * index) >> 32), span_us - 1);
  auto back = random.below(jitter_us);
  if (random.chance(config_.late_per_million))
    back += late_min_us + random.below(static_cast<uint64_t>(config_.late_max.count()));
  since_from -= std::min(since_from, back);
  event.completed_at = config_.from + Duration{static_cast<int64_t>(since_from)};
  const auto output = event.counts[static_cast<size_t>(Meter::output_text)] +
                      event.counts[static_cast<size_t>(Meter::output_reasoning)];
  event.started_at = event.completed_at - Duration{draw_latency_us(output, random)};
}

void SyntheticEvents::set_program(const Workload& workload, Random& random,
                                  UsageEvent& event) const {
  event.program = workload.program;
  const auto ending = random.below(100);
  event.outcome = ending < 95   ? Outcome::accepted
                  : ending < 99 ? Outcome::escalated
                                : Outcome::failed;
}

}  // namespace gauger::load
