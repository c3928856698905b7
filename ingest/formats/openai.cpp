// OpenAI: chat completions, completions, embeddings, images and responses, their streams and
// batch results; and the servers that imitate them (vLLM and others), which state less and
// differ in where reasoning is counted. Input includes cached and cache-write tokens, output
// includes reasoning. A stream's usage is its last.
#include <fmt/format.h>

#include "ingest/formats/response.h"

namespace gauger::ingest {
namespace {

// --- taking ---------------------------------------------------------------------------------

struct ToolCall {
  std::string_view item_type;
  std::string_view name;
};
// Output items of the responses API that are charged by the call.
constexpr std::array<ToolCall, 4> charged_calls = {
    {{"web_search_call", "web_searches"},
     {"image_generation_call", "images"},
     {"file_search_call", "file_search_calls"},
     {"code_interpreter_call", "code_interpreter_calls"}}};

void take_tool_calls(dom::object response, ResponseReading& reading) {
  const auto output = array_at(response, "output");
  if (!output) return;
  reading.tool_calls.clear();
  for (const auto& [item_type, name] : charged_calls) {
    int64_t calls = 0;
    for (const auto element : *output) {
      dom::object item;
      if (element.get_object().get(item) == simdjson::SUCCESS)
        calls += text_at(item, "type") == item_type ? 1 : 0;
    }
    if (calls > 0) reading.tool_calls.emplace_back(name, calls);
  }
}

// A piece of a stream before the last: some servers state usage with every one.
bool is_still_growing(dom::object response) {
  const auto choices = array_at(response, "choices");
  if (text_at(response, "object") != "chat.completion.chunk" || !choices ||
      dom::array(*choices).size() == 0)
    return false;
  for (const auto element : *choices) {
    dom::object choice;
    if (element.get_object().get(choice) == simdjson::SUCCESS &&
        find_member(choice, "finish_reason"))
      return false;
  }
  return true;
}

void take_response(dom::object response, ResponseReading& reading) {
  take_text(response, "id", reading.id);
  take_text(response, "model", reading.model);
  take_text(response, "service_tier", reading.service_tier);
  for (const auto* key : {"created", "created_at", "completed_at"})
    if (const auto instant = unix_seconds_at(response, key); instant != no_instant)
      reading.completed_at = std::max(reading.completed_at, instant);
  const auto status = text_at(response, "status");
  if (!status.empty()) reading.is_unfinished = status == "in_progress" || status == "queued";
  take_tool_calls(response, reading);
  const auto usage = object_at(response, "usage");
  if (!usage) return;
  reading.take_usage(*usage);
  reading.is_partial = is_still_growing(response);
}

void take(dom::object object, ResponseReading& reading) {
  const auto response = object_at(object, "response");
  if (!response) return take_response(object, reading);
  // A line of a batch job's results, or an event of the responses API's stream.
  if (const auto body = object_at(*response, "body")) {
    reading.is_batch = true;
    return take_response(*body, reading);
  }
  take_response(*response, reading);
}

// --- counting -------------------------------------------------------------------------------

struct OpenAiCounts {
  std::optional<int64_t> input, cached, cache_write, input_audio, input_image;
  std::optional<int64_t> output, reasoning, output_audio, output_image;
  int64_t cached_audio = 0;
  int64_t cached_image = 0;
};

OpenAiCounts take_counts(UsageObject& usage) {
  OpenAiCounts counts;
  counts.input = usage.take({"prompt_tokens", "input_tokens"});
  counts.cached =
      usage.take({"prompt_tokens_details.cached_tokens", "input_tokens_details.cached_tokens",
                  "input_token_details.cached_tokens"});
  counts.cache_write = usage.take(
      {"prompt_tokens_details.cache_write_tokens", "input_tokens_details.cache_write_tokens"});
  counts.input_audio =
      usage.take({"prompt_tokens_details.audio_tokens", "input_tokens_details.audio_tokens",
                  "input_token_details.audio_tokens"});
  counts.input_image =
      usage.take({"prompt_tokens_details.image_tokens", "input_tokens_details.image_tokens",
                  "input_token_details.image_tokens"});
  // Cached tokens of a modality are cached tokens first.
  counts.cached_audio =
      usage.take({"input_token_details.cached_tokens_details.audio_tokens"}).value_or(0);
  counts.cached_image =
      usage.take({"input_token_details.cached_tokens_details.image_tokens"}).value_or(0);
  counts.output = usage.take({"completion_tokens", "output_tokens"});
  counts.reasoning = usage.take(
      {"completion_tokens_details.reasoning_tokens", "output_tokens_details.reasoning_tokens"});
  counts.output_audio =
      usage.take({"completion_tokens_details.audio_tokens", "output_token_details.audio_tokens"});
  counts.output_image =
      usage.take({"completion_tokens_details.image_tokens", "output_tokens_details.image_tokens"});
  // Contained in what was taken: text is the rest, predictions are output.
  usage.ignore(
      {"prompt_tokens_details.text_tokens", "input_tokens_details.text_tokens",
       "input_token_details.text_tokens", "input_token_details.cached_tokens_details.text_tokens",
       "completion_tokens_details.text_tokens", "output_tokens_details.text_tokens",
       "output_token_details.text_tokens", "completion_tokens_details.accepted_prediction_tokens",
       "completion_tokens_details.rejected_prediction_tokens"});
  return counts;
}

RejectReason count_input(const OpenAiCounts& counts, const CountTarget& target) {
  if (!counts.input) return RejectReason::none;
  int64_t audio = 0;
  int64_t image = 0;
  int64_t uncached = 0;
  auto reason = subtract({"audio_tokens", counts.input_audio.value_or(0)}, {counts.cached_audio},
                         target, audio);
  if (reason == RejectReason::none)
    reason = subtract({"image_tokens", counts.input_image.value_or(0)}, {counts.cached_image},
                      target, image);
  if (reason == RejectReason::none)
    reason = subtract({"input (prompt) tokens", *counts.input},
                      {counts.cached.value_or(0), counts.cache_write.value_or(0), audio, image},
                      target, uncached);
  if (reason != RejectReason::none) return reason;
  target.event.set(Meter::input_uncached, uncached);
  target.set_if(Meter::cache_read, counts.cached);
  target.set_if(Meter::cache_write_5m, counts.cache_write);
  if (counts.input_audio) target.event.set(Meter::input_audio, audio);
  if (counts.input_image) target.event.set(Meter::input_image, image);
  target.event.input_total = *counts.input;
  return RejectReason::none;
}

// `total` is all output, reasoning included.
RejectReason count_output(const OpenAiCounts& counts, int64_t total, const CountTarget& target) {
  int64_t text = 0;
  const auto image = counts.output_image.value_or(0);
  const auto reason = subtract(
      {"output (completion) tokens", total},
      {counts.reasoning.value_or(0), counts.output_audio.value_or(0), image}, target, text);
  if (reason != RejectReason::none) return reason;
  target.event.set(Meter::output_text, text);
  target.set_if(Meter::output_reasoning, counts.reasoning);
  target.set_if(Meter::output_audio, counts.output_audio);
  // Tokens of images have a price of their own, and no meter of their own.
  if (image > 0) target.memory.add_extra(target.event, "output_image", image);
  target.event.output_total = total - image;
  return RejectReason::none;
}

void count_tool_calls(const ResponseReading& reading, const CountTarget& target) {
  for (const auto& [name, calls] : reading.tool_calls) {
    if (const auto meter = find_meter(name))
      target.event.set(*meter, calls);
    else
      target.memory.add_extra(target.event, name, calls);
  }
}

RejectReason set_openai_tier(const ResponseReading& reading, const CountTarget& target) {
  constexpr std::array<TierWord, 8> tiers = {{{"default", ServiceTier::standard},
                                              {"standard", ServiceTier::standard},
                                              {"auto", ServiceTier::standard},
                                              {"batch", ServiceTier::batch},
                                              {"flex", ServiceTier::flex},
                                              {"priority", ServiceTier::priority},
                                              {"fast", ServiceTier::priority},
                                              {"scale", ServiceTier::provisioned}}};
  return set_tier(reading.service_tier, tiers, target);
}

RejectReason missing_input(const CountTarget& target) {
  return target.refuse(RejectReason::missing_field,
                       "usage has neither prompt_tokens nor input_tokens");
}

RejectReason count(ResponseReading& reading, const CountTarget& target) {
  auto& usage = reading.usage;
  const auto counts = take_counts(usage);
  if (!counts.input) return missing_input(target);
  auto reason = set_openai_tier(reading, target);
  if (reason == RejectReason::none)
    reason = expect_total("total_tokens", usage.take({"total_tokens"}),
                          *counts.input + counts.output.value_or(0), target);
  if (reason == RejectReason::none) reason = count_input(counts, target);
  if (reason == RejectReason::none && counts.output)
    reason = count_output(counts, *counts.output, target);
  count_tool_calls(reading, target);
  return reason;
}

// --- OpenAI-compatible ----------------------------------------------------------------------

// All output tokens. Some servers count reasoning beside the completion; their own total says
// which.
RejectReason find_output_total(const OpenAiCounts& counts, const std::optional<int64_t>& total,
                               const CountTarget& target, int64_t& output) {
  output = counts.output.value_or(0);
  const auto inside = *counts.input + output;
  const auto outside = inside + counts.reasoning.value_or(0);
  if (!total || *total == inside) return RejectReason::none;
  if (*total == outside) {
    output += counts.reasoning.value_or(0);
    return RejectReason::none;
  }
  return expect_total("total_tokens", total, inside, target);
}

RejectReason count_compatible(ResponseReading& reading, const CountTarget& target) {
  auto& usage = reading.usage;
  auto counts = take_counts(usage);
  if (!counts.input) return missing_input(target);
  // DeepSeek and Moonshot name the cached tokens at the top; hit and miss are the whole prompt.
  const auto hit = usage.take({"prompt_cache_hit_tokens", "cached_tokens"});
  const auto miss = usage.take({"prompt_cache_miss_tokens"});
  if (hit && counts.cached && *hit != *counts.cached)
    return expect_total("prompt_cache_hit_tokens", hit, *counts.cached, target);
  if (!counts.cached) counts.cached = hit;
  auto reason = RejectReason::none;
  if (hit && miss) reason = expect_total("prompt_tokens", counts.input, *hit + *miss, target);
  if (reason == RejectReason::none) reason = set_openai_tier(reading, target);
  int64_t output = 0;
  if (reason == RejectReason::none)
    reason = find_output_total(counts, usage.take({"total_tokens"}), target, output);
  if (reason == RejectReason::none) reason = count_input(counts, target);
  if (reason == RejectReason::none && counts.output) reason = count_output(counts, output, target);
  count_tool_calls(reading, target);
  return reason;
}

}  // namespace

const ResponseFormat openai_format = {"openai", take, count};
const ResponseFormat openai_compatible_format = {"", take, count_compatible};

}  // namespace gauger::ingest
