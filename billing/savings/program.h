// A programme: one distillation as a dated document (billing/README.md shows the YAML).
//
// A student model answers requests that a teacher answered before. The document says how the
// student's tokens convert to the teacher's, what the teacher's cache and compute time would have
// been, what the licence allows and what was spent once. Ratios and shares are exact rationals,
// dated: the latest that has begun is in force. Usage belongs to a programme by the event's field
// `program`. Spelt `program` in code, as that field. Values; what cannot be meant is refused with
// file, line and sentence.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "billing/currency.h"
#include "billing/document.h"
#include "billing/precedence.h"
#include "billing/rational.h"
#include "schemas/meter.h"
#include "schemas/usage_key.h"

namespace gauger::billing {

// Whose terms price the counterfactual, and as what.
struct TeacherModel {
  std::string provider;
  std::string account;
  std::string model;
  std::string region;
  std::string accelerator;
  ServiceTier service_tier = ServiceTier::standard;
};

struct StudentModel {
  std::string provider;
  std::string model;
};

// Teacher's units per unit of the student, with the range that the sample leaves.
struct Ratio {
  Rational ratio;
  Rational low;
  Rational high;
};

// By meter of the student; what has none cannot be converted.
struct ConversionRatios {
  int line = 0;
  Instant from = begin_of_time;
  int64_t sample = 0;  // pairs; 0: not said
  std::array<std::optional<Ratio>, meter_count> of;
};

inline constexpr std::array<Meter, 4> text_input_meters = {
    Meter::input_uncached, Meter::cache_read, Meter::cache_write_5m, Meter::cache_write_1h};

// The parts of the teacher's text input that it would have read from or written to its cache; the
// rest is uncached. In the order of text_input_meters. Without a profile each class of the student
// stays what it is.
struct CacheProfile {
  int line = 0;
  Instant from = begin_of_time;
  std::array<Rational, 4> shares;  // add up to one
};

// Accelerator-microseconds per token of the teacher.
struct ComputeProfile {
  int line = 0;
  Instant from = begin_of_time;
  int64_t sample = 0;
  std::array<std::optional<Rational>, token_meter_count> us;
};

// Spent once, in one month: a vintage, written off in equal parts. Re-estimates say from which
// month on how many months the whole takes; what is already written off stays.
struct OneOff {
  struct Reestimate {
    int32_t month;
    int32_t months;
  };
  int line = 0;
  std::string label;
  int32_t month = 0;  // as TimeZone counts them
  int32_t months = 1;
  Rational amount;  // pico-units
  std::vector<Reestimate> reestimates;
};

struct LicenceScope {
  bool external = true;  // whether external use is allowed
  Instant ends = end_of_time;
};

struct Program {
  std::string file;
  std::string id;
  std::string version;
  Currency currency;  // of the one-offs, and of every contract it touches
  TeacherModel teacher;
  StudentModel student;
  std::vector<std::string> workloads;  // empty: every workload
  std::vector<ConversionRatios> ratios;
  std::vector<std::string> ignored_extras;  // counted extras that the teacher has no use for
  std::vector<CacheProfile> cache_profiles;
  std::vector<ComputeProfile> compute_profiles;
  LicenceScope licence;
  std::vector<OneOff> one_offs;
  // Over how many months a month's metered distillation traffic is written off.
  std::optional<int32_t> distillation_months;
  int32_t go_live = 0;             // month
  std::optional<int32_t> retired;  // month
  Rational acceptance_floor;       // 0.95
  Rational alert_share;            // of the gross saving that drift may eat
};

Result<Program> parse_program(std::string_view text, std::string_view file);
Result<Program> read_program(const Node& root, std::string_view file);

// Another provider's model in place of one of ours: the same usage under that provider's price
// book, with the tokens that its tokenizer would count.
struct Alternative {
  std::string file;
  std::string id;
  std::string version;
  std::string price_book;  // its id
  // `student` is the model that is used now, `teacher` the other one; only ratios and the cache
  // profile mean something.
  Program conversion;
};

Result<Alternative> parse_alternative(std::string_view text, std::string_view file);
Result<Alternative> read_alternative(const Node& root, std::string_view file);

// conflict where two documents describe one programme.
Result<void> check_programs(const std::vector<Program>& programs);

// The one in force throughout the period, or null. invalid_argument where it changes inside.
Result<const ConversionRatios*> ratios_at(const Program& program, Interval period);
Result<const CacheProfile*> cache_profile_at(const Program& program, Interval period);
Result<const ComputeProfile*> compute_profile_at(const Program& program, Interval period);

}  // namespace gauger::billing
