#include "billing/savings/counterfactual.h"

#include <algorithm>
#include <array>

#include "billing/savings/contract_world.h"

namespace gauger::billing {
namespace {

Ratio& operator+=(Ratio& sum, const Ratio& more) {
  sum.ratio += more.ratio;
  sum.low += more.low;
  sum.high += more.high;
  return sum;
}

Ratio operator*(const Ratio& ratio, const Rational& by) {
  return {ratio.ratio * by, ratio.low * by, ratio.high * by};
}

bool is_price(ChargeKind kind) { return kind == ChargeKind::usage || kind == ChargeKind::discount; }

// A student's production usage: what a world without students does not have.
bool is_students(const KeyPart& part) {
  return part.student && part.part >= Part::accepted && part.part <= Part::retry;
}

}  // namespace

ContractTerms contract_terms(const CompanyTerms& company, size_t contract) {
  return {.contract = company.contracts[contract],
          .books = company.books,
          .capacity = company.capacity,
          .catalog = company.catalog ? &*company.catalog : nullptr};
}

ContractRoles::ContractRoles(const ProgramUsage& usage, const std::vector<Program>& programs,
                             const std::vector<Contract>& contracts)
    : has_student_(contracts.size()) {
  for (const auto& program : programs) {
    auto& roles = teacher_only_.emplace_back();
    for (const auto& contract : contracts)
      roles.push_back(contract.covers(program.teacher.provider, program.teacher.account) ? 1 : 0);
  }
  const auto& table = usage.table;
  for (size_t key = 0; key < table.keys.size(); ++key) {
    const auto& part = usage.parts[key];
    if (!is_students(part)) continue;
    for (size_t i = 0; i < contracts.size(); ++i) {
      if (!contracts[i].covers(table.text(table.keys[key].provider),
                               table.text(table.keys[key].provider_account)))
        continue;
      teacher_only_[static_cast<size_t>(part.program)][i] = 0;
      has_student_[i] = 1;
    }
  }
}

bool ContractRoles::counts(ChargeKind kind, int32_t program, size_t contract) const {
  return is_price(kind) || (kind == ChargeKind::idle && !teacher_only(program, contract));
}

std::string unpriced_problem(const Rated& rated, const Unpriced& unpriced,
                             const std::string& program) {
  const auto& key = rated.keys[unpriced.key];
  return program + ": no price for " + std::string(rated.item_name(unpriced.item)) + " of " +
         std::string(rated.text(key.provider)) + " " + std::string(rated.text(key.model)) + " (" +
         std::string(to_string(unpriced.reason)) + ")";
}

Result<void> Counterfactual::run(const std::function<void(const CounterfactualAmount&)>& take) {
  take_ = take;
  TRY(convert_accepted());
  const MonthFinder months(input_.zone);
  for (const auto& row : converted_.table.rows)
    months_[converted_.keys[row.key].contract].insert(months.find(row.period));
  for (const auto& [contract, unused] : months_) {
    TRY(add_contract(contract));
  }
  return success();
}

Result<void> Counterfactual::convert_accepted() {
  const auto& source = input_.judged == nullptr ? input_.usage.table : *input_.judged;
  std::vector<int32_t> program_of_key;
  if (input_.judged == nullptr) {
    for (const auto& part : input_.usage.parts)
      program_of_key.push_back(part.part == Part::accepted ? part.program : -1);
  } else {
    TRY(const auto judged, find_parts(*input_.judged, input_.programs));
    for (size_t i = 0; i < source.keys.size(); ++i)
      program_of_key.push_back(judged.parts[i].part == Part::accepted ? judged.parts[i].program
                                                                      : -1);
    TRY(check_judged(program_of_key));
  }
  TRY(converted_, convert(source, program_of_key, input_.programs, input_.teacher_terms.contracts,
                          input_.zone));
  problems_.append(converted_.problems);
  return success();
}

// The same requests and counts, told apart another way.
Result<void> Counterfactual::check_judged(const std::vector<int32_t>& program_of_key) const {
  using Sums = std::array<Int128, meter_count + 1>;
  std::map<std::pair<int32_t, int32_t>, Sums> left;  // what the events have less than the rollups
  const MonthFinder months(input_.zone);
  const auto add = [&](const UsageRow& row, int32_t program, Int128 sign) {
    auto& sums = left[{months.find(row.period), program}];
    for (size_t i = 0; i < meter_count; ++i) sums[i] += sign * row.counts[i];
    sums[meter_count] += sign * row.requests;
  };
  for (const auto& row : input_.usage.table.rows)
    if (const auto& part = input_.usage.parts[row.key]; part.part == Part::accepted)
      add(row, part.program, 1);
  for (const auto& row : input_.judged->rows)
    if (program_of_key[row.key] >= 0) add(row, program_of_key[row.key], -1);
  for (const auto& [where, sums] : left)
    for (const auto sum : sums)
      if (sum != 0)
        return corruption("the accepted requests of " +
                          input_.programs[static_cast<size_t>(where.second)].id + " in " +
                          format_month(where.first) +
                          " are not the same in the journal and in the rollups");
  return success();
}

Result<void> Counterfactual::add_contract(size_t contract) {
  const auto& terms = input_.teacher_terms;
  const bool by_volume = depends_on_volume(terms.contracts[contract], terms.books);
  std::map<int32_t, ContractMonth> kept;
  for (const auto month : months_[contract]) {
    auto month_terms = contract_terms(terms, contract);
    month_terms.overage_at_average = true;
    TRY(auto priced, rate_contract(converted_.table, month_terms, month));
    find_problems(priced.rated, month);
    if (by_volume) {
      kept.emplace(month, std::move(priced));
      continue;
    }
    const auto rates = rates_by_unit(priced.rated);
    emit(month, rates, Rational(Int128{1}), Rational(Int128{1}));
  }
  if (by_volume) {
    TRY(add_by_volume(contract, kept));
  }
  return success();
}

void Counterfactual::find_problems(const Rated& priced, int32_t month) {
  for (const auto& unpriced : priced.unpriced) {
    if (unpriced.key >= converted_.keys.size()) continue;
    const auto program = static_cast<size_t>(converted_.keys[unpriced.key].program);
    problems_.add(month, SavingsProblem::unpriced,
                  unpriced_problem(priced, unpriced, input_.programs[program].id),
                  unpriced.quantity);
  }
}

Ratio Counterfactual::factor_of(uint32_t key, Item item) const {
  const auto meter = meter_of(item);
  if (!meter) return {Rational(Int128{1}), Rational(Int128{1}), Rational(Int128{1})};
  return converted_.keys[key].factors[static_cast<size_t>(*meter)];
}

Counterfactual::Rates Counterfactual::rates_by_unit(const Rated& priced) const {
  Rates rates;
  for (const auto& charge : priced.charges)
    if (charge.key < converted_.keys.size() && is_price(charge.kind))
      rates[charge.key] += factor_of(charge.key, charge.item) * charge.amount;
  return rates;
}

// The exact converted quantity, at the average price of the month that would have been.
Counterfactual::Rates Counterfactual::rates_by_volume(const Rated& priced,
                                                      const Units& units) const {
  Rates rates;
  for (const auto& charge : priced.charges) {
    if (charge.key >= converted_.keys.size() || charge.kind != ChargeKind::usage) continue;
    const auto unit = units.find({charge.key, charge.item});
    if (unit == units.end() || unit->second.quantity == 0) continue;
    rates[charge.key] += factor_of(charge.key, charge.item) *
                         (Rational(Int128{charge.quantity}) * unit->second.amount /
                          Rational(Int128{unit->second.quantity}));
  }
  return rates;
}

Result<void> Counterfactual::build_world() {
  if (std::exchange(built_, true)) return success();
  TRY(auto whole, whole_units(converted_));
  const auto& usage = input_.usage;
  const auto first = static_cast<uint32_t>(usage.table.keys.size());
  world_ = usage.table;
  world_.strings = whole.strings;
  std::erase_if(world_.rows,
                [&](const UsageRow& row) { return is_students(usage.parts[row.key]); });
  world_.keys.insert(world_.keys.end(), whole.keys.begin(), whole.keys.end());
  for (auto& row : whole.rows) {
    row.key += first;
    world_.rows.push_back(row);
  }
  return success();
}

Counterfactual::Units Counterfactual::units_of(const Rated& world, size_t contract) const {
  const auto first = static_cast<uint32_t>(input_.usage.table.keys.size());
  Units units;
  for (const auto& charge : world.charges) {
    if (charge.key < first || charge.key - first >= converted_.keys.size()) continue;
    const auto key = charge.key - first;
    if (!roles_.counts(charge.kind, converted_.keys[key].program, contract)) continue;
    auto& unit = units[{key, charge.item}];
    unit.amount += charge.amount;
    if (charge.kind == ChargeKind::usage) unit.quantity += charge.quantity;
  }
  return units;
}

// What the students cost on this contract themselves: a world without them does not have it.
Rational Counterfactual::student_charges(const Rated& actual, size_t contract) const {
  Rational sum;
  for (const auto& charge : actual.charges) {
    if (charge.key >= input_.usage.parts.size()) continue;
    const auto& part = input_.usage.parts[charge.key];
    if (is_students(part) && roles_.counts(charge.kind, part.program, contract))
      sum += charge.amount;
  }
  return sum;
}

Result<void> Counterfactual::add_by_volume(size_t contract,
                                           const std::map<int32_t, ContractMonth>& priced) {
  TRY(build_world());
  auto terms = contract_terms(input_.teacher_terms, contract);
  terms.overage_at_average = !roles_.has_student(contract);
  auto first = priced.begin()->first;
  const auto last = priced.rbegin()->first;
  for (const auto& [month, unused] : priced)
    first = std::min(first, first_month_of(terms.contract, month));
  TRY(const auto world, rate_world(world_, terms, first, last));
  TRY(const auto actual, rate_world(input_.usage.table, terms, first, last));
  for (const auto& [month, rated] : priced) {
    const auto units = units_of(world.at(month).rated.rated, contract);
    Rational in_world;
    for (const auto& [where, unit] : units) in_world += unit.amount;
    const auto more = world.at(month).total - actual.at(month).total +
                      student_charges(actual.at(month).rated.rated, contract);
    emit(month, rates_by_volume(rated.rated, units), input_.realize ? more : in_world, in_world);
  }
  return success();
}

// Realized is `realized / rate` of each amount.
void Counterfactual::emit(int32_t month, const Rates& rates, const Rational& realized,
                          const Rational& rate) {
  const auto share = rate.is_zero() ? Rational() : realized / rate;
  for (const auto& [key, amount] : rates) {
    const auto& converted = converted_.keys[key];
    take_({.month = month,
           .program = converted.program,
           .key = &converted_.table.keys[key],
           .output = converted.output,
           .rate = amount,
           .realized = amount.ratio * share});
  }
}

}  // namespace gauger::billing
