#include "billing/savings/context_judge.h"

#include <algorithm>

namespace gauger::billing {

ContextJudge::ContextJudge(const Program& program, std::span<const int64_t> boundaries)
    : program_(program), boundaries_(boundaries.begin(), boundaries.end()) {
  for (const auto& ratios : program.ratios)
    for (size_t i = 0; i < input_meter_count; ++i)
      if (const auto& ratio = ratios.of[i])
        ratio_max_ =
            std::max(ratio_max_, static_cast<int64_t>(-(-ratio->ratio).rounded(Rounding::floor)));
}

Result<ContextTier> ContextJudge::tier_of(const Counts& counts, Interval period) const {
  if (boundaries_.empty()) return ContextTier{0};
  Int128 input = 0;
  for (size_t i = 0; i < input_meter_count; ++i) input += counts[i];
  if (input * ratio_max_ <= boundaries_.front()) return ContextTier{0};
  TRY(const auto* ratios, ratios_at(program_, period));
  Rational converted;
  for (size_t i = 0; i < input_meter_count; ++i) {
    const Rational count(Int128{counts[i]});
    converted += ratios != nullptr && ratios->of[i] ? count * ratios->of[i]->ratio : count;
  }
  ContextTier tier = 0;
  for (const auto boundary : boundaries_)
    if (converted > Rational(Int128{boundary})) ++tier;
  return tier;
}

}  // namespace gauger::billing
