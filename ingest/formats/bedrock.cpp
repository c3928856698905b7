// Amazon Bedrock, Converse and ConverseStream. Input, cache read and cache write are disjoint;
// cacheDetails splits the writes by lifetime; totalTokens is the sum of all. The model stands in
// the request, unless a prompt router chose it.
#include <fmt/format.h>

#include "ingest/formats/response.h"

namespace gauger::ingest {
namespace {

constexpr std::array<std::string_view, 1> lifetimes = {"cacheDetails"};

void take_metadata(dom::object metadata, ResponseReading& reading) {
  if (const auto tier = object_at(metadata, "serviceTier"))
    take_text(*tier, "type", reading.service_tier);
  else
    take_text(metadata, "serviceTier", reading.service_tier);
  if (const auto trace = object_at(metadata, "trace"))
    if (const auto router = object_at(*trace, "promptRouter"))
      take_text(*router, "invokedModelId", reading.model);
  if (const auto usage = object_at(metadata, "usage")) reading.take_usage(*usage, lifetimes);
}

void take(dom::object object, ResponseReading& reading) {
  // The SDKs add what travelled in headers.
  for (const auto& [key, id] :
       {std::pair{"ResponseMetadata", "RequestId"}, {"$metadata", "requestId"}})
    if (const auto sdk = object_at(object, key)) take_text(*sdk, id, reading.id);
  take_text(object, "modelId", reading.model);
  take_text(object, "model", reading.model);
  take_metadata(object, reading);
  if (const auto metadata = object_at(object, "metadata")) take_metadata(*metadata, reading);
}

// Splits the cache writes by lifetime; without details they live five minutes.
RejectReason count_cache_writes(const ResponseReading& reading,
                                const std::optional<int64_t>& written, const CountTarget& target) {
  const auto details = array_at(*reading.usage_json, "cacheDetails");
  if (!details || dom::array(*details).size() == 0) {
    target.set_if(Meter::cache_write_5m, written);
    return RejectReason::none;
  }
  int64_t minutes = 0;
  int64_t hour = 0;
  for (const auto element : *details) {
    dom::object detail;
    if (element.get_object().get(detail) != simdjson::SUCCESS) continue;
    const auto tokens = integer_at(detail, "inputTokens").value_or(0);
    const auto ttl = text_at(detail, "ttl");
    if (tokens < 0 || tokens > limits::count_max)
      return target.refuse(
          tokens < 0 ? RejectReason::negative_count : RejectReason::count_too_large,
          fmt::format("cacheDetails.inputTokens is {}", tokens));
    if (ttl != "5m" && ttl != "1h")
      return target.refuse(RejectReason::unknown_enum,
                           fmt::format("the cache lifetime '{}' is unknown", shown(ttl)));
    auto& sum = ttl == "5m" ? minutes : hour;
    sum = std::min(sum + tokens, limits::count_max);
  }
  target.event.set(Meter::cache_write_5m, minutes);
  target.event.set(Meter::cache_write_1h, hour);
  return expect_total("cacheWriteInputTokens", written, minutes + hour, target);
}

RejectReason count(ResponseReading& reading, const CountTarget& target) {
  constexpr std::array<TierWord, 6> tiers = {{{"default", ServiceTier::standard},
                                              {"standard", ServiceTier::standard},
                                              {"flex", ServiceTier::flex},
                                              {"priority", ServiceTier::priority},
                                              {"batch", ServiceTier::batch},
                                              {"reserved", ServiceTier::provisioned}}};
  auto& usage = reading.usage;
  const auto input = usage.take({"inputTokens"});
  const auto output = usage.take({"outputTokens"});
  const auto read = usage.take({"cacheReadInputTokens", "cacheReadInputTokenCount"});
  const auto written = usage.take({"cacheWriteInputTokens", "cacheWriteInputTokenCount"});
  if (!input && !output)
    return target.refuse(RejectReason::missing_field,
                         "usage has neither inputTokens nor outputTokens");
  auto reason = set_tier(reading.service_tier, tiers, target);
  if (reason != RejectReason::none) return reason;
  target.set_if(Meter::input_uncached, input);
  target.set_if(Meter::cache_read, read);
  target.set_if(Meter::output_text, output);
  reason = count_cache_writes(reading, written, target);
  if (reason != RejectReason::none) return reason;
  return expect_total(
      "totalTokens", usage.take({"totalTokens"}),
      input.value_or(0) + read.value_or(0) + written.value_or(0) + output.value_or(0), target);
}

}  // namespace

const ResponseFormat bedrock_format = {"bedrock", take, count};

}  // namespace gauger::ingest
