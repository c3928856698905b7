// Anthropic Messages. Its three input counts are disjoint already; output includes thinking.
// Streams: message_start carries the input, message_delta the cumulative rest. Iterations of
// compaction are charged but not contained in the top-level counts, so they are added; an
// iteration of another kind (another model's) becomes extras of its own name.
#include <fmt/format.h>

#include "ingest/formats/response.h"

namespace gauger::ingest {
namespace {

constexpr std::array<std::string_view, 1> not_numbers = {"iterations"};

void take_message(dom::object message, ResponseReading& reading) {
  take_text(message, "id", reading.id);
  take_text(message, "model", reading.model);
  const auto usage = object_at(message, "usage");
  if (!usage) return;
  reading.take_usage(*usage, not_numbers);
  take_text(*usage, "service_tier", reading.service_tier);
  take_text(*usage, "inference_geo", reading.region);
  take_text(*usage, "speed", reading.speed);
}

void take(dom::object object, ResponseReading& reading) {
  const auto type = text_at(object, "type");
  if (const auto message = object_at(object, "message"); message && type == "message_start") {
    take_message(*message, reading);
    reading.is_partial = true;
    return;
  }
  // One line of a message batch's results.
  if (const auto result = object_at(object, "result")) {
    reading.is_batch = true;
    if (const auto message = object_at(*result, "message")) take_message(*message, reading);
    return;
  }
  if (type == "message_delta" && object_at(object, "usage")) reading.is_partial = false;
  take_message(object, reading);
}

// What one usage object counts, in our meters.
struct AnthropicCounts {
  std::optional<int64_t> input, cache_read, cache_write_5m, cache_write_1h, output, thinking;
};

RejectReason take_counts(UsageObject& usage, const CountTarget& target, AnthropicCounts& counts) {
  counts.input = usage.take({"input_tokens"});
  counts.cache_read = usage.take({"cache_read_input_tokens"});
  counts.output = usage.take({"output_tokens"});
  counts.thinking = usage.take({"output_tokens_details.thinking_tokens"});
  const auto written = usage.take({"cache_creation_input_tokens"});
  counts.cache_write_5m = usage.take({"cache_creation.ephemeral_5m_input_tokens"});
  counts.cache_write_1h = usage.take({"cache_creation.ephemeral_1h_input_tokens"});
  if (!counts.cache_write_5m && !counts.cache_write_1h) {
    // Without the split by lifetime it is the default one, five minutes.
    counts.cache_write_5m = written;
    return RejectReason::none;
  }
  return expect_total("cache_creation_input_tokens", written,
                      counts.cache_write_5m.value_or(0) + counts.cache_write_1h.value_or(0),
                      target);
}

RejectReason add(const AnthropicCounts& counts, const CountTarget& target) {
  const auto add_to = [&](Meter meter, const std::optional<int64_t>& count) {
    if (count) target.event.set(meter, target.event.counts[static_cast<size_t>(meter)] + *count);
  };
  add_to(Meter::input_uncached, counts.input);
  add_to(Meter::cache_read, counts.cache_read);
  add_to(Meter::cache_write_5m, counts.cache_write_5m);
  add_to(Meter::cache_write_1h, counts.cache_write_1h);
  if (!counts.output) return RejectReason::none;
  int64_t text = 0;
  const auto reason =
      subtract({"output_tokens", *counts.output}, {counts.thinking.value_or(0)}, target, text);
  add_to(Meter::output_text, text);
  add_to(Meter::output_reasoning, counts.thinking);
  return reason;
}

RejectReason count_iteration(dom::object iteration, const CountTarget& target) {
  const auto type = text_at(iteration, "type");
  if (type == "message") return RejectReason::none;  // contained in the top-level counts
  UsageObject usage;
  usage.merge(iteration);
  if (type == "compaction") {
    AnthropicCounts counts;
    auto reason = take_counts(usage, target, counts);
    if (reason == RejectReason::none) reason = add(counts, target);
    if (reason != RejectReason::none) return reason;
  }
  usage.leave_extras(target.event, target.memory,
                     fmt::format("iterations.{}.", type.empty() ? "unnamed" : shown(type)));
  if (usage.reason() == RejectReason::none) return RejectReason::none;
  return target.refuse(usage.reason(), "iterations: " + usage.detail());
}

RejectReason count_iterations(const ResponseReading& reading, const CountTarget& target) {
  if (!reading.usage_json) return RejectReason::none;
  const auto iterations = array_at(*reading.usage_json, "iterations");
  if (!iterations) return RejectReason::none;
  for (const auto element : *iterations) {
    dom::object iteration;
    if (element.get_object().get(iteration) != simdjson::SUCCESS) continue;
    if (const auto reason = count_iteration(iteration, target); reason != RejectReason::none)
      return reason;
  }
  return RejectReason::none;
}

RejectReason count(ResponseReading& reading, const CountTarget& target) {
  constexpr std::array<TierWord, 6> tiers = {{{"standard", ServiceTier::standard},
                                              {"batch", ServiceTier::batch},
                                              {"priority", ServiceTier::priority},
                                              {"priority_on_demand", ServiceTier::priority},
                                              {"flex", ServiceTier::flex},
                                              {"flex_discount", ServiceTier::flex}}};
  auto reason = set_tier(reading.service_tier, tiers, target);
  if (reason != RejectReason::none) return reason;
  // Fast mode has a price of its own and no tier of its own.
  if (reading.speed == "fast" && target.event.service_tier == ServiceTier::standard)
    target.event.service_tier = ServiceTier::priority;
  if (reading.region == "not_available") reading.region = {};

  AnthropicCounts counts;
  reason = take_counts(reading.usage, target, counts);
  if (reason == RejectReason::none) reason = add(counts, target);
  if (reason == RejectReason::none) reason = count_iterations(reading, target);
  if (reason != RejectReason::none) return reason;
  target.set_if(Meter::web_searches, reading.usage.take({"server_tool_use.web_search_requests"}));
  if (counts.input || counts.output) return RejectReason::none;
  return target.refuse(RejectReason::missing_field,
                       "usage has neither input_tokens nor output_tokens");
}

}  // namespace

const ResponseFormat anthropic_format = {"anthropic", take, count};

}  // namespace gauger::ingest
