#include "billing/savings/shadow_ratios.h"

namespace gauger::billing {
namespace {

constexpr int digits = 6;
constexpr Int128 scale = 1'000'000;

// The least whole number whose square is not below.
Int128 root_up(const Rational& square) {
  Int128 low = 0;
  Int128 high = Int128{1} << 62;
  while (low < high) {
    const auto middle = low + (high - low) / 2;
    if (Rational(middle) * Rational(middle) < square)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

Int128 tokens_of(const Counts& counts, RatioClass kind) {
  Int128 sum = 0;
  if (kind == RatioClass::input)
    for (const auto meter : text_input_meters) sum += counts[static_cast<size_t>(meter)];
  else
    sum = Int128{counts[static_cast<size_t>(Meter::output_text)]} +
          counts[static_cast<size_t>(Meter::output_reasoning)];
  return sum;
}

std::string decimal(const Rational& ratio) {
  return format_decimal((ratio * Rational(scale)).rounded(Rounding::half_even), digits);
}

}  // namespace

void RatioSample::add(const Counts& student, const Counts& teacher) {
  ++pairs_;
  for (size_t i = 0; i < sums_.size(); ++i) {
    const Rational s(tokens_of(student, static_cast<RatioClass>(i)));
    const Rational t(tokens_of(teacher, static_cast<RatioClass>(i)));
    auto& sums = sums_[i];
    sums.student += s;
    sums.teacher += t;
    sums.student_squares += s * s;
    sums.teacher_squares += t * t;
    sums.products += s * t;
  }
}

std::optional<Ratio> RatioSample::ratio(RatioClass kind) const {
  const auto& sums = sums_[static_cast<size_t>(kind)];
  if (sums.student.is_zero()) return std::nullopt;
  const auto rounded = [](const Rational& value) {
    return Rational::ratio((value * Rational(scale)).rounded(Rounding::half_even), scale);
  };
  const auto ratio = sums.teacher / sums.student;
  Ratio found{rounded(ratio), rounded(ratio), rounded(ratio)};
  if (pairs_ < 2) return found;
  // Sum of (t - r s)^2 over n - 1, times n, over the square of the sum of s.
  const auto residues = sums.teacher_squares - ratio * sums.products - ratio * sums.products +
                        ratio * ratio * sums.student_squares;
  const auto variance =
      residues * Rational::ratio(pairs_, pairs_ - 1) / (sums.student * sums.student);
  const auto error = Rational::ratio(root_up(variance * Rational(scale * scale)), scale);
  found.low = std::max(Rational(), found.ratio - error - error);
  found.high = found.ratio + error + error;
  return found;
}

std::string ratios_yaml(const RatioSample& sample, Instant from) {
  std::string text = "ratios:\n  - from: " + format_instant(from) +
                     "\n    sample: " + std::to_string(sample.pairs()) + "\n";
  for (size_t i = 0; i < ratio_class_names.size(); ++i)
    if (const auto ratio = sample.ratio(static_cast<RatioClass>(i)))
      text += "    " + std::string(ratio_class_names[i]) + ": {ratio: " + decimal(ratio->ratio) +
              ", low: " + decimal(ratio->low) + ", high: " + decimal(ratio->high) + "}\n";
  return text;
}

}  // namespace gauger::billing
