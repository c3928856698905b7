// Substitution: the student's usage as the teacher would have used it.
//
// Converted quantities are fractions, and prices are looked up by whole counts. So a converted
// table holds the student's own counts under the teacher's names, a key per class of the student,
// and each key says by which factors its charges are to be multiplied: exact where the price is
// the same for every unit. `whole_units` is the same table in whole units (each row rounded up),
// for what depends on how much it is: schedules, thresholds, minimums, capacity.
//
// Under compute hours the tokens become compute time by the programme's compute profile. Pure.
#pragma once

#include <span>

#include "billing/contracts/contract.h"
#include "billing/savings/program_usage.h"

namespace gauger::billing {

struct ConvertedKey {
  uint32_t source = 0;  // key of the usage it was made from
  int32_t program = -1;
  size_t contract = 0;  // whose terms apply: index
  bool output = false;  // made from output of the student
  // By meter of the teacher; of requests: `requests`.
  std::array<Ratio, meter_count> factors;
  int64_t requests = 0;  // 1 on the key that counts the requests, else 0
};

struct Converted {
  UsageTable table;  // the student's counts; its strings begin with those of the usage
  std::vector<ConvertedKey> keys;
  SavingsProblems problems;
};

// Converts the rows whose key has a programme (-1: none). Teachers are priced by `contracts`;
// `zone` gives the months of the problems. invalid_argument where terms or programmes change
// inside a row's period.
Result<Converted> convert(const UsageTable& usage, std::span<const int32_t> program_of_key,
                          std::span<const Program> programs, std::span<const Contract> contracts,
                          const TimeZone& zone);

// overflow where a count leaves 64 bits.
Result<UsageTable> whole_units(const Converted& converted);

// The contract and its regime that cover the account at that time; nothing where none does.
struct RegimeInForce {
  size_t contract;
  size_t regime;
};
std::optional<RegimeInForce> regime_at(std::span<const Contract> contracts,
                                       std::string_view provider, std::string_view account,
                                       Instant at);

}  // namespace gauger::billing
