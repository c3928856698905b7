// Conversion ratios from shadow pairs: the same request answered by student and teacher, one of
// them as shadow traffic that names the other as its parent.
//
// A ratio is that of sums, teacher's tokens over student's. Its range is twice the standard error
// of a ratio of sums, some 95 of 100 samples; no floating point, the root is rounded up. A value
// type; pure.
#pragma once

#include <optional>
#include <string>

#include "billing/savings/program.h"

namespace gauger::billing {

// Text input of all cache classes, and output text with reasoning: caches and reasoning differ
// between the two models, what was asked and answered does not.
enum class RatioClass : uint8_t { input, output };
inline constexpr std::array<std::string_view, 2> ratio_class_names = {"input", "output"};

class RatioSample {
 public:
  void add(const Counts& student, const Counts& teacher);

  int64_t pairs() const { return pairs_; }
  // Rounded to six digits; none without tokens of the student.
  std::optional<Ratio> ratio(RatioClass kind) const;

 private:
  struct Sums {
    Rational student;
    Rational teacher;
    Rational student_squares;
    Rational teacher_squares;
    Rational products;
  };
  std::array<Sums, 2> sums_;
  int64_t pairs_ = 0;
};

// "ratios: [{from: ..., sample: ..., input: {ratio: ...", ready for the programme's document.
std::string ratios_yaml(const RatioSample& sample, Instant from);

}  // namespace gauger::billing
