#include "ingest/formats/response.h"

#include <fmt/format.h>

namespace gauger::ingest {

void ResponseReading::clear() {
  // The usage object keeps its memory.
  auto kept = std::move(usage);
  *this = ResponseReading{};
  usage = std::move(kept);
  usage.clear();
}

void ResponseReading::take_usage(dom::object object, std::span<const std::string_view> except) {
  usage.merge(object, except);
  usage_json = object;
  has_usage = true;
}

RejectReason subtract(const Inclusive& inclusive, std::initializer_list<int64_t> parts,
                      const CountTarget& target, int64_t& rest) {
  int64_t sum = 0;
  for (const auto part : parts) sum += part;
  rest = inclusive.total - sum;
  if (rest >= 0) return RejectReason::none;
  return target.refuse(
      RejectReason::totals_disagree,
      fmt::format("{} is {} but its parts add up to {}", inclusive.name, inclusive.total, sum));
}

RejectReason expect_total(std::string_view name, const std::optional<int64_t>& stated,
                          int64_t parts, const CountTarget& target) {
  if (!stated || *stated == parts) return RejectReason::none;
  return target.refuse(RejectReason::totals_disagree,
                       fmt::format("{} is {} but the parts add up to {}", name, *stated, parts));
}

RejectReason set_tier(std::string_view word, std::span<const TierWord> words,
                      const CountTarget& target) {
  if (word.empty()) return RejectReason::none;
  for (const auto& known : words) {
    if (known.word != word) continue;
    target.event.service_tier = known.tier;
    return RejectReason::none;
  }
  return target.refuse(RejectReason::unknown_enum,
                       fmt::format("the service tier '{}' is unknown", shown(word)));
}

}  // namespace gauger::ingest
