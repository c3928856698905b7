// The savings statement: what each distillation is worth, month by month.
//
//   counterfactual = accepted requests: their converted tokens at the teacher's price at that time,
//                    in the regime in force; escalated ones: the charge of their fallback
//   gross          = counterfactual - student cost - escalations
//   net            = gross - amortization - shadow traffic
//
// This is the rate saving: at unit prices, additive over any grouping. Realized is what a contract
// as a whole charges less, which differs where a commitment or reserved capacity was paid anyway;
// it is handed down by the shares of the rate saving, per contract and month. Amounts are exact, in
// pico-units of one currency; months are those of the contracts, which share a time zone.
//
// A student's cost holds its share of idle capacity. The teacher's hours are counted at their unit
// price, unless student and teacher share one contract. Everything is a value; pure.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "billing/contracts/company.h"
#include "billing/savings/program_usage.h"

namespace gauger::billing {

// Whose price the counterfactual and the escalations have: that of the contract, or the public one
// of a price book, without discounts and whatever the regime.
enum class PriceBasis : uint8_t { contract, list };

struct SavingsFigures {
  int64_t accepted = 0;  // root requests of the student, by outcome
  int64_t escalated = 0;
  int64_t failed = 0;
  int64_t open = 0;
  int64_t retries = 0;
  int64_t fallbacks = 0;
  int64_t breaches = 0;       // requests outside the licence
  int64_t output_tokens = 0;  // of the student's root requests
  Rational counterfactual_accepted;
  Rational counterfactual_low;  // of the accepted, with the ratios' range
  Rational counterfactual_high;
  Rational counterfactual_output;  // the part of it that comes from output
  Rational counterfactual_escalated;
  Rational student;
  Rational retry_cost;  // part of the student's
  Rational escalations;
  Rational amortization;
  Rational shadow;
  Rational breach_cost;
  Rational realized_accepted;  // what the contract would have charged for the accepted

  SavingsFigures& operator+=(const SavingsFigures& other);
  Rational counterfactual() const { return counterfactual_accepted + counterfactual_escalated; }
  Rational gross() const { return counterfactual() - student - escalations; }
  Rational net() const { return gross() - amortization - shadow; }
  Rational net_low() const { return net() - counterfactual_accepted + counterfactual_low; }
  Rational net_high() const { return net() - counterfactual_accepted + counterfactual_high; }
  Rational stranded() const { return counterfactual_accepted - realized_accepted; }
  Rational realized_gross() const { return gross() - stranded(); }
  Rational realized_net() const { return net() - stranded(); }
  int64_t ended() const { return accepted + escalated + failed; }
};

struct SavingsCell {
  int32_t month = 0;
  int32_t program = 0;
  StringId team;
  StringId project;
  StringId workload;
  SavingsFigures figures;
};

struct SavingsTerms {
  CompanyTerms company;
  std::vector<Program> programs;
};

struct SavingsRequest {
  int32_t first_month = 0;  // of the period
  int32_t last_month = 0;   // included
  PriceBasis basis = PriceBasis::contract;
  std::string list_book;  // its id; empty: the book of the teacher's contract
};

struct SavingsStatement {
  SavingsRequest request;
  std::string zone;
  Currency currency;
  std::vector<std::string> strings;  // of the cells
  std::vector<Program> programs;
  // Every month with usage from the first go-live to the end of the period, for payback and
  // drift; by month, programme, team, project, workload.
  std::vector<SavingsCell> cells;
  std::vector<std::map<int32_t, Rational>> one_offs;  // by programme: month -> spent
  SavingsProblems problems;                           // of all of these months
  uint64_t as_of_sequence = 0;

  bool in_period(int32_t month) const {
    return request.first_month <= month && month <= request.last_month;
  }
};

// Accepted requests with the context tier of their converted input, which no sum can tell. Strings
// begin with those of the usage.
using JudgedUsage = UsageTable;

// The months of the statement are calendar months of this zone. conflict where the contracts
// that the programmes touch disagree.
Result<TimeZone> savings_zone(const SavingsTerms& terms);
// The first month whose usage the statement needs.
int32_t first_usage_month(const SavingsTerms& terms, int32_t month);
// The ledger's context boundaries matter where a teacher's price has one, or it has none.
bool needs_judged_usage(const SavingsTerms& terms);

// `judged` may be null where needs_judged_usage() says no. invalid_argument: terms that change off
// the grain, currencies that differ, a list that is not known. corruption: judged usage that is
// not the same usage.
Result<SavingsStatement> make_statement(UsageTable usage, const JudgedUsage* judged,
                                        const SavingsTerms& terms, const SavingsRequest& request);

}  // namespace gauger::billing
