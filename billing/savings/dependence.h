// Dependence on providers: each one's share of tokens and of spend, and the share of the requests
// that students answer in place of teachers, per team and over time. Pure.
#pragma once

#include "billing/savings/company_cost.h"
#include "billing/savings/program.h"

namespace gauger::billing {

struct ProviderShare {
  int32_t month = 0;
  std::string team;      // empty: all, or what nobody's usage caused
  std::string provider;  // of the usage; of the contract where nobody's usage caused it
  int64_t requests = 0;
  Int128 tokens = 0;
  Rational spend;  // pico-units
  Rational token_share;
  Rational spend_share;
};

// Of a team's production requests that a programme could have answered.
struct Absorption {
  int32_t month = 0;
  std::string team;
  int64_t absorbed = 0;  // accepted requests of students
  int64_t requests = 0;  // root requests of students, teachers and everything else
  Int128 absorbed_tokens = 0;
  Int128 tokens = 0;
};

struct Dependence {
  Currency currency;
  std::vector<ProviderShare> providers;  // by month, team, provider
  std::vector<Absorption> absorption;    // by month, team
  uint64_t as_of_sequence = 0;
};

// One line per month of all teams, or per month and team.
Result<Dependence> dependence_of(const UsageTable& usage, const CompanyTerms& terms,
                                 const std::vector<Program>& programs, MonthRange months,
                                 bool by_team);

}  // namespace gauger::billing
