// Google Gemini, AI Studio and Vertex AI. The prompt includes cached content, the candidates do
// not include thoughts; total = prompt + candidates + tool use + thoughts. Streams are arrays or
// server-sent events whose usageMetadata is cumulative.
#include <fmt/format.h>

#include "ingest/formats/response.h"
#include "ingest/numbers.h"

namespace gauger::ingest {
namespace {

// Numbers by modality are lists, which are read beside the others.
constexpr std::array<std::string_view, 4> modalities = {"promptTokensDetails", "cacheTokensDetails",
                                                        "candidatesTokensDetails",
                                                        "toolUsePromptTokensDetails"};

// The last piece of a stream says why it ended; before it, usage is still growing.
bool is_still_growing(dom::object object) {
  const auto candidates = array_at(object, "candidates");
  if (!candidates || dom::array(*candidates).size() == 0) return false;
  for (const auto element : *candidates) {
    dom::object candidate;
    if (element.get_object().get(candidate) == simdjson::SUCCESS &&
        find_member(candidate, "finishReason"))
      return false;
  }
  return true;
}

void take(dom::object object, ResponseReading& reading) {
  take_text(object, "responseId", reading.id);
  take_text(object, "modelVersion", reading.model);
  if (const auto created = text_at(object, "createTime"); !created.empty())
    if (const auto instant = parse_timestamp(created); instant != no_instant)
      reading.completed_at = std::max(reading.completed_at, instant);
  const auto usage = object_at(object, "usageMetadata");
  if (!usage) return;
  reading.take_usage(*usage, modalities);
  reading.is_partial = is_still_growing(object);
  take_text(*usage, "trafficType", reading.service_tier);
}

// The tokens of one modality in one of the lists.
int64_t modality(const ResponseReading& reading, std::string_view list, std::string_view name) {
  const auto details = array_at(*reading.usage_json, list);
  if (!details) return 0;
  int64_t tokens = 0;
  for (const auto element : *details) {
    dom::object detail;
    if (element.get_object().get(detail) != simdjson::SUCCESS) continue;
    if (text_at(detail, "modality") != name) continue;
    const auto count = integer_at(detail, "tokenCount").value_or(0);
    // What is impossible stays so, and is refused by what it is subtracted from.
    if (count < 0 || count > limits::count_max) return limits::count_max + 1;
    tokens = std::min(tokens + count, limits::count_max + 1);
  }
  return tokens;
}

// Tokens of a modality that were not read from the cache.
RejectReason uncached(const ResponseReading& reading, std::string_view name,
                      const CountTarget& target, int64_t& tokens) {
  const auto prompt = modality(reading, "promptTokensDetails", name);
  const auto tool_use = modality(reading, "toolUsePromptTokensDetails", name);
  const auto cached = modality(reading, "cacheTokensDetails", name);
  return subtract({fmt::format("{} tokens of the prompt", name), prompt + tool_use}, {cached},
                  target, tokens);
}

RejectReason count_input(const ResponseReading& reading, int64_t input,
                         const std::optional<int64_t>& cached, const CountTarget& target) {
  int64_t audio = 0;
  int64_t image = 0;
  int64_t rest = 0;
  auto reason = uncached(reading, "AUDIO", target, audio);
  if (reason == RejectReason::none) reason = uncached(reading, "IMAGE", target, image);
  if (reason == RejectReason::none)
    reason = subtract({"promptTokenCount with tool use", input}, {cached.value_or(0), audio, image},
                      target, rest);
  if (reason != RejectReason::none) return reason;
  target.event.set(Meter::input_uncached, rest);
  target.set_if(Meter::cache_read, cached);
  if (audio > 0) target.event.set(Meter::input_audio, audio);
  if (image > 0) target.event.set(Meter::input_image, image);
  target.event.input_total = input;
  return RejectReason::none;
}

RejectReason count_output(const ResponseReading& reading, const std::optional<int64_t>& candidates,
                          const std::optional<int64_t>& thoughts, const CountTarget& target) {
  const auto audio = modality(reading, "candidatesTokensDetails", "AUDIO");
  const auto image = modality(reading, "candidatesTokensDetails", "IMAGE");
  int64_t text = 0;
  const auto reason =
      subtract({"candidatesTokenCount", candidates.value_or(0)}, {audio, image}, target, text);
  if (reason != RejectReason::none) return reason;
  if (candidates) target.event.set(Meter::output_text, text);
  target.set_if(Meter::output_reasoning, thoughts);
  if (audio > 0) target.event.set(Meter::output_audio, audio);
  // Tokens of images have a price of their own, and no meter of their own.
  if (image > 0) target.memory.add_extra(target.event, "output_image", image);
  target.event.output_total = candidates.value_or(0) - image + thoughts.value_or(0);
  return RejectReason::none;
}

RejectReason count(ResponseReading& reading, const CountTarget& target) {
  constexpr std::array<TierWord, 6> tiers = {
      {{"ON_DEMAND", ServiceTier::standard},
       {"TRAFFIC_TYPE_UNSPECIFIED", ServiceTier::standard},
       {"ON_DEMAND_PRIORITY", ServiceTier::priority},
       {"ON_DEMAND_FLEX", ServiceTier::flex},
       {"BATCH", ServiceTier::batch},
       {"PROVISIONED_THROUGHPUT", ServiceTier::provisioned}}};
  auto& usage = reading.usage;
  const auto prompt = usage.take({"promptTokenCount"});
  const auto tool_use = usage.take({"toolUsePromptTokenCount"});
  const auto cached = usage.take({"cachedContentTokenCount"});
  const auto candidates = usage.take({"candidatesTokenCount", "responseTokenCount"});
  const auto thoughts = usage.take({"thoughtsTokenCount"});
  if (!prompt)
    return target.refuse(RejectReason::missing_field, "usageMetadata has no promptTokenCount");
  const auto input = *prompt + tool_use.value_or(0);
  auto reason = set_tier(reading.service_tier, tiers, target);
  if (reason == RejectReason::none)
    reason = expect_total("totalTokenCount", usage.take({"totalTokenCount"}),
                          input + candidates.value_or(0) + thoughts.value_or(0), target);
  if (reason == RejectReason::none) reason = count_input(reading, input, cached, target);
  if (reason == RejectReason::none && (candidates || thoughts))
    reason = count_output(reading, candidates, thoughts, target);
  return reason;
}

}  // namespace

const ResponseFormat gemini_format = {"gemini", take, count};

}  // namespace gauger::ingest
