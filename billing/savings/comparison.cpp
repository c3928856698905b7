#include "billing/savings/comparison.h"

#include <algorithm>
#include <map>

#include "schemas/limits.h"

namespace gauger::billing {
namespace {

using Lines = std::map<std::vector<std::string>, ComparedLine>;

Result<Currency> add_side(const UsageTable& usage, const CompanyTerms& terms, MonthRange months,
                          std::span<const CostDimension> by, ComparedCost ComparedLine::*side,
                          Lines& lines) {
  TRY(const auto cost, company_cost(usage, terms, months, true));
  for (const auto& charge : cost.charges) {
    auto& compared = lines[texts_of(usage, charge.key, by)].*side;
    compared.amount += charge.amount;
    if (charge.item == item_of(Meter::compute_us)) compared.compute_part += charge.amount;
  }
  for (const auto& gap : cost.gaps)
    (lines[texts_of(usage, gap.key, by)].*side).unpriced += gap.quantity;
  return cost.currency;
}

void add(ComparedLine& sum, const ComparedLine& line) {
  sum.requests += line.requests;
  sum.tokens += line.tokens;
  sum.compute_us += line.compute_us;
  for (const auto side : {&ComparedLine::a, &ComparedLine::b}) {
    (sum.*side).amount += (line.*side).amount;
    (sum.*side).compute_part += (line.*side).compute_part;
    (sum.*side).unpriced += (line.*side).unpriced;
  }
}

bool by_time(const ComparedCost& cost) {
  return !cost.amount.is_zero() && cost.compute_part == cost.amount;
}
bool by_tokens(const ComparedCost& cost) {
  return !cost.amount.is_zero() && cost.compute_part.is_zero();
}

}  // namespace

std::optional<Rational> ComparedLine::tokens_per_hour() const {
  if (compute_us <= 0) return std::nullopt;
  return Rational::ratio(tokens * compute_us_per_hour, compute_us);
}

std::optional<Rational> ComparedLine::break_even() const {
  const auto reached = tokens_per_hour();
  if (!reached || a.unpriced != 0 || b.unpriced != 0) return std::nullopt;
  // At the reached throughput one hour costs `time`, and its tokens cost `by tokens`.
  if (by_time(a) && by_tokens(b)) return *reached * a.amount / b.amount;
  if (by_tokens(a) && by_time(b)) return *reached * b.amount / a.amount;
  return std::nullopt;
}

Result<Comparison> compare_terms(const UsageTable& usage, const CompanyTerms& a,
                                 const CompanyTerms& b, MonthRange months,
                                 std::span<const CostDimension> by) {
  Lines lines;
  TRY(const auto currency, add_side(usage, a, months, by, &ComparedLine::a, lines));
  TRY(const auto other, add_side(usage, b, months, by, &ComparedLine::b, lines));
  if (currency != other)
    return invalid_argument("one side of the comparison is in " + currency.code() +
                            ", the other in " + other.code());
  TRY(const auto zone, common_zone(a.contracts));
  const Interval interval{zone.month_begin(months.first), zone.month_begin(months.last + 1)};
  for (const auto& row : usage.rows) {
    if (!interval.contains(row.period)) continue;
    auto& line = lines[texts_of(usage, row.key, by)];
    line.requests += row.requests;
    line.tokens += tokens_of(row.counts);
    line.compute_us += row.counts[static_cast<size_t>(Meter::compute_us)];
  }
  Comparison comparison;
  comparison.currency = currency;
  comparison.as_of_sequence = usage.as_of_sequence;
  for (auto& [texts, line] : lines) {
    line.texts = texts;
    add(comparison.total, line);
    comparison.lines.push_back(std::move(line));
  }
  return comparison;
}

Result<UsageTable> with_compute_profiles(UsageTable usage, std::span<const Program> programs) {
  constexpr auto compute = static_cast<size_t>(Meter::compute_us);
  for (auto& row : usage.rows) {
    if (row.counts[compute] != 0) continue;
    const auto& key = usage.key(row);
    for (const auto& program : programs) {
      if (usage.text(key.provider) != program.teacher.provider ||
          usage.text(key.model) != program.teacher.model)
        continue;
      TRY(const auto* profile, compute_profile_at(program, {row.period, row.period + usage.grain}));
      if (profile == nullptr) continue;
      Rational us;
      bool whole = true;
      for (size_t i = 0; i < token_meter_count; ++i) {
        if (row.counts[i] == 0) continue;
        whole = whole && profile->us[i].has_value();
        if (whole) us += Rational(Int128{row.counts[i]}) * *profile->us[i];
      }
      if (!whole) continue;
      const auto rounded = -(-us).rounded(Rounding::floor);
      if (rounded > limits::meter_total_max)
        return Error{ErrorCode::overflow, program.file +
                                              ": the profile gives more compute time "
                                              "than can be counted"};
      row.counts[compute] = static_cast<int64_t>(rounded);
      break;
    }
  }
  return usage;
}

}  // namespace gauger::billing
