// What the accepted requests of the students would have cost at their teachers: at unit prices
// (the rate), and by what the whole contract would have charged more (realized). Private to
// billing/savings; statement.h explains both.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "billing/contracts/company.h"
#include "billing/savings/conversion.h"
#include "billing/savings/program_usage.h"

namespace gauger::billing {

// Calendar months of ascending rows, without asking the zone for each.
class MonthFinder {
 public:
  explicit MonthFinder(const TimeZone& zone) : zone_(zone) {}
  int32_t find(Instant at) const {
    if (!latest_.contains(at)) {
      month_ = zone_.local_month(at);
      latest_ = {zone_.month_begin(month_), zone_.month_begin(month_ + 1)};
    }
    return month_;
  }

 private:
  const TimeZone& zone_;
  mutable Interval latest_{};
  mutable int32_t month_ = 0;
};

ContractTerms contract_terms(const CompanyTerms& company, size_t contract);

// Whether a contract serves a programme's teacher alone. What it charges for idle capacity is then
// no part of the programme, and used hours have their unit price.
class ContractRoles {
 public:
  ContractRoles(const ProgramUsage& usage, const std::vector<Program>& programs,
                const std::vector<Contract>& contracts);
  bool teacher_only(int32_t program, size_t contract) const {
    return teacher_only_[static_cast<size_t>(program)][contract] != 0;
  }
  bool has_student(size_t contract) const { return has_student_[contract] != 0; }
  // Usage and discounts always; idle where a student may have caused it.
  bool counts(ChargeKind kind, int32_t program, size_t contract) const;

 private:
  std::vector<std::vector<uint8_t>> teacher_only_;
  std::vector<uint8_t> has_student_;  // of any programme
};

std::string unpriced_problem(const Rated& rated, const Unpriced& unpriced,
                             const std::string& program);

struct CounterfactualAmount {
  int32_t month;
  int32_t program;
  const UsageKey* key;  // team, project and workload, in the words of strings()
  bool output;
  Ratio rate;  // amounts in pico-units
  Rational realized;
};

class Counterfactual {
 public:
  struct Input {
    const ProgramUsage& usage;
    const UsageTable* judged;
    const std::vector<Program>& programs;
    const CompanyTerms& teacher_terms;
    const TimeZone& zone;
    bool realize;
  };
  explicit Counterfactual(const Input& input)
      : input_(input), roles_(input.usage, input.programs, input.teacher_terms.contracts) {}

  Result<void> run(const std::function<void(const CounterfactualAmount&)>& take);

  const SavingsProblems& problems() const { return problems_; }
  // The words of the usage, and then others.
  const std::vector<std::string>& strings() const { return converted_.table.strings; }

 private:
  struct UnitAmount {
    int64_t quantity = 0;
    Rational amount;
  };
  using Units = std::map<std::pair<uint32_t, Item>, UnitAmount>;  // by converted key
  using Rates = std::map<uint32_t, Ratio>;                        // by converted key

  Result<void> convert_accepted();
  Result<void> check_judged(const std::vector<int32_t>& program_of_key) const;
  Result<void> add_contract(size_t contract);
  void find_problems(const Rated& priced, int32_t month);
  Rates rates_by_unit(const Rated& priced) const;
  Rates rates_by_volume(const Rated& priced, const Units& units) const;
  Result<void> add_by_volume(size_t contract, const std::map<int32_t, ContractMonth>& priced);
  Result<void> build_world();
  Units units_of(const Rated& world, size_t contract) const;
  Rational student_charges(const Rated& actual, size_t contract) const;
  void emit(int32_t month, const Rates& rates, const Rational& realized, const Rational& rate);
  Ratio factor_of(uint32_t key, Item item) const;

  const Input input_;
  ContractRoles roles_;
  std::function<void(const CounterfactualAmount&)> take_;
  Converted converted_;
  SavingsProblems problems_;
  std::map<size_t, std::set<int32_t>> months_;  // of converted rows, by contract
  bool built_ = false;
  UsageTable world_;  // all usage, with the teachers' in place of the students'
};

}  // namespace gauger::billing
