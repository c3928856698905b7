// Raw responses of providers: how one of them is described, and what is common to all.
//
// An adapter is two pure functions. `take` gathers what one JSON object says, a whole response
// or one event of a stream, in order. `count` turns the gathered usage into disjoint counts
// (schemas/meter.h) and checks that the parts add up to the provider's own totals.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ingest/decoder.h"
#include "ingest/formats.h"
#include "ingest/formats/event_memory.h"
#include "ingest/formats/json_dom.h"
#include "ingest/formats/usage_object.h"

namespace gauger::ingest {

struct ResponseReading {
  std::string_view id;
  std::string_view model;         // the one that answered
  std::string_view service_tier;  // in the provider's word
  std::string_view speed;         // Anthropic: standard or fast
  std::string_view region;
  Instant completed_at = no_instant;

  UsageObject usage;
  std::optional<dom::object> usage_json;  // the last one, for what is not a number by path
  bool has_usage = false;
  // The last word of a stream is missing: what there is counts as estimated.
  bool is_partial = false;
  // The provider is still working on it.
  bool is_unfinished = false;
  // Taken out of a batch job's results.
  bool is_batch = false;

  // Calls of tools that are charged by the call, where the response lists them.
  std::vector<std::pair<std::string_view, int64_t>> tool_calls;

  void clear();
  void take_usage(dom::object usage, std::span<const std::string_view> except = {});
};

// Where `count` puts what it finds.
struct CountTarget {
  UsageEvent& event;
  EventMemory& memory;
  std::string& detail;

  RejectReason refuse(RejectReason reason, std::string sentence) const {
    detail = std::move(sentence);
    return reason;
  }
  void set_if(Meter meter, const std::optional<int64_t>& count) const {
    if (count) event.set(meter, *count);
  }
};

struct ResponseFormat {
  std::string_view provider;
  void (*take)(dom::object object, ResponseReading& reading);
  RejectReason (*count)(ResponseReading& reading, const CountTarget& target);
};

extern const ResponseFormat anthropic_format;
extern const ResponseFormat openai_format;
extern const ResponseFormat openai_compatible_format;
extern const ResponseFormat bedrock_format;
extern const ResponseFormat gemini_format;

std::unique_ptr<Decoder> make_response_decoder(const ResponseFormat& format,
                                               const DecoderOptions& options);

// --- for `count` ----------------------------------------------------------------------------

// A total of the provider and the parts that it contains.
struct Inclusive {
  std::string_view name;
  int64_t total;
};

// What is left of the total without its parts. Less than nothing is totals_disagree.
RejectReason subtract(const Inclusive& inclusive, std::initializer_list<int64_t> parts,
                      const CountTarget& target, int64_t& rest);

// totals_disagree, with both numbers, unless the parts add up to what the provider states.
RejectReason expect_total(std::string_view name, const std::optional<int64_t>& stated,
                          int64_t parts, const CountTarget& target);

// A provider's word for a service tier, by a table; an unknown word is unknown_enum, since it may
// have another price.
struct TierWord {
  std::string_view word;
  ServiceTier tier;
};
RejectReason set_tier(std::string_view word, std::span<const TierWord> words,
                      const CountTarget& target);

}  // namespace gauger::ingest
