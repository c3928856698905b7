// What usage costs the company, charge by charge, over some months and all contracts: the basis of
// comparisons, bridges, what-if and dependence. A missed commitment counts month by month, as in
// contract_world.h. One currency. Pure.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "billing/contracts/company.h"

namespace gauger::billing {

// Months first..last, both included.
struct MonthRange {
  int32_t first = 0;
  int32_t last = 0;
  bool contains(int32_t month) const { return first <= month && month <= last; }
};

inline constexpr uint32_t no_usage_key = UINT32_MAX;

struct CostCharge {
  int32_t month = 0;
  uint32_t contract = 0;  // index
  uint32_t key = 0;       // of the usage; no_usage_key: what nobody's usage caused
  ChargeKind kind = ChargeKind::usage;
  Item item;
  int64_t quantity = 0;
  Rational amount;  // pico-units
  bool is_usage() const { return kind == ChargeKind::usage || kind == ChargeKind::discount; }
};

struct CompanyCost {
  Currency currency;
  std::vector<CostCharge> charges;
  struct Gap {
    int32_t month;
    uint32_t key;
    int64_t quantity;
    std::string sentence;  // "no price for output_text of ..."
  };
  std::vector<Gap> gaps;  // what has no price or no contract
  Rational total() const;
};

// `overage_at_average` as in contract_rating.h. invalid_argument where contracts differ in currency
// or calendar.
Result<CompanyCost> company_cost(const UsageTable& usage, const CompanyTerms& terms,
                                 MonthRange months, bool overage_at_average = false);

// The one calendar of these contracts.
Result<TimeZone> common_zone(std::span<const Contract> contracts);

// By what usage and its cost may be told apart.
enum class CostDimension : uint8_t { team, project, workload, program, provider, model };
inline constexpr std::array<std::string_view, 6> cost_dimension_names = {
    "team", "project", "workload", "program", "provider", "model"};
// "team,model"; invalid_argument names what it does not know.
Result<std::vector<CostDimension>> parse_cost_dimensions(std::string_view text);
// Empty texts for what nobody's usage caused.
std::vector<std::string> texts_of(const UsageTable& usage, uint32_t key,
                                  std::span<const CostDimension> by);

// All tokens of a row, of every class.
Int128 tokens_of(const Counts& counts);

}  // namespace gauger::billing
