#include "billing/savings/statement.h"

#include <algorithm>
#include <set>

#include "billing/savings/amortization.h"
#include "billing/savings/contract_world.h"
#include "billing/savings/conversion.h"
#include "billing/savings/counterfactual.h"

namespace gauger::billing {
namespace {

// The terms with which the teacher's side is priced.
Result<CompanyTerms> teacher_terms(const SavingsTerms& terms, const SavingsRequest& request) {
  auto company = terms.company;
  if (request.basis == PriceBasis::contract) return company;
  for (auto& contract : company.contracts) {
    auto list = request.list_book;
    for (const auto& regime : contract.regimes)
      if (const auto* tokens = std::get_if<TokenTerms>(&regime.terms); tokens && list.empty())
        list = tokens->price_book;
    const bool is_teacher =
        std::any_of(terms.programs.begin(), terms.programs.end(), [&](const Program& program) {
          return contract.covers(program.teacher.provider, program.teacher.account);
        });
    if (!is_teacher) continue;
    if (list.empty())
      return invalid_argument(contract.file + ": the contract " + contract.id +
                              " names no price book; say which is its list");
    TokenTerms tokens;
    tokens.price_book = list;
    contract.regimes = {Regime{contract.regimes.front().line, contract.term, tokens}};
  }
  return company;
}

class StatementMaker {
 public:
  StatementMaker(ProgramUsage usage, const JudgedUsage* judged, const SavingsTerms& terms,
                 const SavingsRequest& request, TimeZone zone)
      : usage_(std::move(usage)),
        judged_(judged),
        terms_(terms),
        request_(request),
        zone_(std::move(zone)),
        roles_(usage_, terms.programs, terms.company.contracts) {}

  Result<SavingsStatement> run() {
    TRY(teacher_terms_, teacher_terms(terms_, request_));
    statement_.request = request_;
    statement_.zone = zone_.name();
    statement_.programs = terms_.programs;
    statement_.as_of_sequence = usage_.table.as_of_sequence;
    statement_.one_offs.resize(terms_.programs.size());
    TRY(find_currency());
    count_rows();
    TRY(add_actual());
    TRY(add_counterfactual());
    add_amortization();
    for (auto& [where, figures] : cells_) {
      const auto& [month, program, team, project, workload] = where;
      statement_.cells.push_back({month, program, team, project, workload, std::move(figures)});
    }
    return std::move(statement_);
  }

 private:
  using Where = std::tuple<int32_t, int32_t, StringId, StringId, StringId>;

  SavingsFigures& cell(int32_t month, int32_t program, const UsageKey& key) {
    return cells_[{month, program, key.team, key.project, key.workload}];
  }

  const Program& program_of(const KeyPart& part) const {
    return terms_.programs[static_cast<size_t>(part.program)];
  }

  Result<void> find_currency() {
    if (terms_.programs.empty()) return invalid_argument("there is no programme");
    statement_.currency = terms_.programs.front().currency;
    for (const auto& program : terms_.programs)
      if (program.currency != statement_.currency)
        return invalid_argument(program.file + ": the programme is in " + program.currency.code() +
                                ", another one in " + statement_.currency.code() +
                                "; one statement has one currency");
    return success();
  }

  // Of contracts that the programmes' usage touches, and of those of their teachers.
  Result<void> check_currency(const Contract& contract) const {
    if (contract.currency == statement_.currency) return success();
    return invalid_argument(contract.file + ": the contract " + contract.id + " is in " +
                            contract.currency.code() + ", the programmes in " +
                            statement_.currency.code() + "; one statement has one currency");
  }

  // --- requests ------------------------------------------------------------------------------
  void count_rows() {
    const auto& table = usage_.table;
    const MonthFinder months(zone_);
    for (const auto& row : table.rows) {
      const auto& part = usage_.parts[row.key];
      const auto& key = table.key(row);
      if (part.program < 0) {
        if (key.program.value != 0)
          statement_.problems.add(
              months.find(row.period), SavingsProblem::unknown_program,
              "no document describes the programme " + std::string(table.text(key.program)),
              row.requests);
        continue;
      }
      const auto month = months.find(row.period);
      months_.insert(month);
      count(row, part, month);
      check_row(row, part, month);
    }
  }

  void count(const UsageRow& row, const KeyPart& part, int32_t month) {
    auto& figures = cell(month, part.program, usage_.table.key(row));
    switch (part.part) {
      case Part::accepted: figures.accepted += row.requests; break;
      case Part::escalated: figures.escalated += row.requests; break;
      case Part::failed: figures.failed += row.requests; break;
      case Part::open: figures.open += row.requests; break;
      case Part::retry: figures.retries += row.requests; break;
      case Part::fallback: figures.fallbacks += row.requests; break;
      default: break;
    }
    if (part.breach) figures.breaches += row.requests;
    if (part.part >= Part::accepted && part.part <= Part::open)
      figures.output_tokens += row.counts[static_cast<size_t>(Meter::output_text)] +
                               row.counts[static_cast<size_t>(Meter::output_reasoning)];
  }

  void check_row(const UsageRow& row, const KeyPart& part, int32_t month) {
    const auto& table = usage_.table;
    const auto& key = table.key(row);
    const auto& program = program_of(part);
    auto& problems = statement_.problems;
    const auto model =
        std::string(table.text(key.provider)) + " " + std::string(table.text(key.model));
    if (part.part == Part::open)
      problems.add(month, SavingsProblem::outcome_absent,
                   "requests of " + program.id + " whose outcome nobody reported", row.requests);
    if (part.part == Part::stray)
      problems.add(month, SavingsProblem::stray_model,
                   "usage of " + program.id + " by " + model +
                       ", which is neither its student nor its teacher",
                   row.requests);
    if (key.usage_source != UsageSource::reported)
      problems.add(month, SavingsProblem::uncertain,
                   "usage of " + program.id + " whose counts are " +
                       std::string(to_string(key.usage_source)),
                   row.requests);
    if (!regime_at(terms_.company.contracts, table.text(key.provider),
                   table.text(key.provider_account), row.period))
      problems.add(month, SavingsProblem::no_contract,
                   "no contract covers " + model + " of account '" +
                       std::string(table.text(key.provider_account)) + "', used by " + program.id,
                   row.requests);
  }

  // --- what was charged ----------------------------------------------------------------------
  bool touches(const Contract& contract) const {
    const auto& table = usage_.table;
    for (const auto& program : terms_.programs)
      if (contract.covers(program.teacher.provider, program.teacher.account)) return true;
    for (size_t i = 0; i < table.keys.size(); ++i)
      if (usage_.parts[i].program >= 0 &&
          contract.covers(table.text(table.keys[i].provider),
                          table.text(table.keys[i].provider_account)))
        return true;
    return false;
  }

  static bool on_teacher_side(Part part) {
    return part == Part::fallback || part == Part::teacher_retry;
  }

  Result<void> add_actual() {
    const auto& own = terms_.company.contracts;
    for (size_t i = 0; i < own.size(); ++i) {
      if (!touches(own[i])) continue;
      TRY(check_currency(own[i]));
      for (const auto month : months_) {
        TRY(const auto rated,
            rate_contract(usage_.table, contract_terms(terms_.company, i), month));
        take_charges(rated, i, month, [&](Part part) {
          return request_.basis == PriceBasis::contract || !on_teacher_side(part);
        });
      }
      if (request_.basis == PriceBasis::contract) continue;
      for (const auto month : months_) {
        TRY(const auto rated,
            rate_contract(usage_.table, contract_terms(teacher_terms_, i), month));
        take_charges(rated, i, month, on_teacher_side);
      }
    }
    return success();
  }

  void take_charges(const ContractMonth& month, size_t contract, int32_t when,
                    const std::function<bool(Part)>& takes) {
    const auto& rated = month.rated;
    for (const auto& unpriced : rated.unpriced) {
      if (unpriced.key >= usage_.parts.size()) continue;
      const auto& part = usage_.parts[unpriced.key];
      if (part.program >= 0 && takes(part.part))
        statement_.problems.add(when, SavingsProblem::unpriced,
                                unpriced_problem(rated, unpriced, program_of(part).id),
                                unpriced.quantity);
    }
    for (const auto& charge : rated.charges) {
      if (charge.key >= usage_.parts.size()) continue;
      const auto& part = usage_.parts[charge.key];
      if (part.program < 0 || !takes(part.part)) continue;
      if (roles_.counts(charge.kind, part.program, contract)) take(charge, part, when);
    }
  }

  void take(const Charge& charge, const KeyPart& part, int32_t month) {
    const auto& amount = charge.amount;
    if (part.part == Part::distillation) {
      statement_.one_offs[static_cast<size_t>(part.program)][month] += amount;
      metered_[{part.program, month}] += amount;
      return;
    }
    auto& figures = cell(month, part.program, usage_.table.keys[charge.key]);
    if (part.breach) figures.breach_cost += amount;
    switch (part.part) {
      case Part::accepted:
      case Part::escalated:
      case Part::failed:
      case Part::open: figures.student += amount; break;
      case Part::retry:
        figures.student += amount;
        figures.retry_cost += amount;
        break;
      case Part::fallback:
        figures.counterfactual_escalated += amount;
        figures.escalations += amount;
        break;
      case Part::teacher_retry: figures.escalations += amount; break;
      case Part::shadow: figures.shadow += amount; break;
      default: break;
    }
  }

  // --- what would have been charged ----------------------------------------------------------
  Result<void> add_counterfactual() {
    const Counterfactual::Input input{.usage = usage_,
                                      .judged = judged_,
                                      .programs = terms_.programs,
                                      .teacher_terms = teacher_terms_,
                                      .zone = zone_,
                                      .realize = request_.basis == PriceBasis::contract};
    Counterfactual counterfactual(input);
    TRY(counterfactual.run([&](const CounterfactualAmount& amount) {
      auto& figures = cell(amount.month, amount.program, *amount.key);
      figures.counterfactual_accepted += amount.rate.ratio;
      figures.counterfactual_low += amount.rate.low;
      figures.counterfactual_high += amount.rate.high;
      if (amount.output) figures.counterfactual_output += amount.rate.ratio;
      figures.realized_accepted += amount.realized;
    }));
    statement_.problems.append(counterfactual.problems());
    statement_.strings = counterfactual.strings();
    return success();
  }

  // --- programme costs -----------------------------------------------------------------------
  void add_amortization() {
    for (size_t i = 0; i < terms_.programs.size(); ++i) {
      const auto& program = terms_.programs[i];
      auto one_offs = program.one_offs;
      for (const auto& one_off : one_offs) statement_.one_offs[i][one_off.month] += one_off.amount;
      for (const auto& [where, amount] : metered_) {
        if (where.first != static_cast<int32_t>(i)) continue;
        if (!program.distillation_months)
          statement_.problems.add(where.second, SavingsProblem::no_months,
                                  program.id +
                                      " has metered distillation traffic, and no "
                                      "'distillation_months' to write it off",
                                  1);
        OneOff metered;
        metered.label = "metered distillation";
        metered.month = where.second;
        metered.months = program.distillation_months.value_or(1);
        metered.amount = amount;
        one_offs.push_back(std::move(metered));
      }
      // Months without usage have their part, too.
      const auto first = std::min(program.go_live, request_.first_month);
      for (auto month = first; month <= request_.last_month; ++month) {
        Rational sum;
        for (const auto& one_off : one_offs) sum += amortization_of(one_off, program, month);
        if (!sum.is_zero()) share(sum, month, static_cast<int32_t>(i));
      }
    }
  }

  // By what each cell would have cost; else by requests; else to nobody's cell of the programme.
  void share(const Rational& amount, int32_t month, int32_t program) {
    const auto weigh = [&](const auto& weight) {
      Rational sum;
      std::vector<std::pair<SavingsFigures*, Rational>> weights;
      for (auto at = cells_.lower_bound({month, program, {}, {}, {}}); at != cells_.end(); ++at) {
        if (std::get<0>(at->first) != month || std::get<1>(at->first) != program) break;
        auto value = weight(at->second);
        if (value.is_negative() || value.is_zero()) continue;
        sum += value;
        weights.emplace_back(&at->second, std::move(value));
      }
      for (auto& [figures, value] : weights) figures->amortization += amount * value / sum;
      return !weights.empty();
    };
    if (weigh([](const auto& figures) { return figures.counterfactual_accepted; })) return;
    if (weigh([](const auto& figures) { return Rational(Int128{figures.ended()}); })) return;
    cell(month, program, UsageKey()).amortization += amount;
  }

  ProgramUsage usage_;
  const JudgedUsage* judged_;
  const SavingsTerms& terms_;
  const SavingsRequest& request_;
  TimeZone zone_;
  ContractRoles roles_;
  CompanyTerms teacher_terms_;
  SavingsStatement statement_;
  std::set<int32_t> months_;  // with usage of a programme
  std::map<Where, SavingsFigures> cells_;
  std::map<std::pair<int32_t, int32_t>, Rational> metered_;  // distillation: programme, month
};

bool has_boundary(const std::vector<PriceEntry>& entries, const TeacherModel& teacher) {
  return std::any_of(entries.begin(), entries.end(), [&](const PriceEntry& entry) {
    return entry.provider == teacher.provider && !entry.context_above.empty() &&
           std::any_of(entry.models.begin(), entry.models.end(),
                       [&](const Pattern& model) { return model.matches(teacher.model); });
  });
}

// Requests that convert to themselves keep their context tier.
bool keeps_input(const Program& program) {
  const Rational one(Int128{1});
  return std::all_of(program.ratios.begin(), program.ratios.end(), [&](const auto& ratios) {
    return std::all_of(ratios.of.begin(), ratios.of.begin() + input_meter_count,
                       [&](const auto& ratio) { return !ratio || ratio->ratio == one; });
  });
}

}  // namespace

SavingsFigures& SavingsFigures::operator+=(const SavingsFigures& other) {
  accepted += other.accepted;
  escalated += other.escalated;
  failed += other.failed;
  open += other.open;
  retries += other.retries;
  fallbacks += other.fallbacks;
  breaches += other.breaches;
  output_tokens += other.output_tokens;
  counterfactual_accepted += other.counterfactual_accepted;
  counterfactual_low += other.counterfactual_low;
  counterfactual_high += other.counterfactual_high;
  counterfactual_output += other.counterfactual_output;
  counterfactual_escalated += other.counterfactual_escalated;
  student += other.student;
  retry_cost += other.retry_cost;
  escalations += other.escalations;
  amortization += other.amortization;
  shadow += other.shadow;
  breach_cost += other.breach_cost;
  realized_accepted += other.realized_accepted;
  return *this;
}

Result<TimeZone> savings_zone(const SavingsTerms& terms) {
  const Contract* first = nullptr;
  for (const auto& contract : terms.company.contracts) {
    const bool touched =
        std::any_of(terms.programs.begin(), terms.programs.end(), [&](const Program& program) {
          return contract.provider == program.teacher.provider ||
                 contract.provider == program.student.provider;
        });
    if (!touched) continue;
    if (first == nullptr) first = &contract;
    if (contract.zone.name() != first->zone.name())
      return Error{ErrorCode::conflict,
                   "the months of the contract " + contract.id + " are those of " +
                       contract.zone.name() + ", the months of " + first->id + " those of " +
                       first->zone.name() + "; a statement needs one calendar"};
  }
  if (first == nullptr)
    return invalid_argument("no contract covers a teacher or a student of the programmes");
  return first->zone;
}

int32_t first_usage_month(const SavingsTerms& terms, int32_t month) {
  auto first = month;
  for (const auto& program : terms.programs) {
    const auto begin = std::min(program.go_live, month);
    first = std::min(first, begin);
    for (const auto& contract : terms.company.contracts)
      if (contract.covers(program.teacher.provider, program.teacher.account))
        for (auto at = begin; at <= month; ++at)
          first = std::min(first, first_month_of(contract, at));
  }
  return first;
}

bool needs_judged_usage(const SavingsTerms& terms) {
  return std::any_of(terms.programs.begin(), terms.programs.end(), [&](const Program& program) {
    if (keeps_input(program)) return false;
    const auto in_books = std::any_of(
        terms.company.books.begin(), terms.company.books.end(),
        [&](const auto& book) { return has_boundary(book.second.entries, program.teacher); });
    const auto in_hours = std::any_of(
        terms.company.contracts.begin(), terms.company.contracts.end(),
        [&](const Contract& contract) {
          return std::any_of(
              contract.regimes.begin(), contract.regimes.end(), [&](const Regime& regime) {
                const auto* hours = std::get_if<ComputeHours>(&regime.terms);
                return hours != nullptr && has_boundary(hours->prices, program.teacher);
              });
        });
    return in_books || in_hours;
  });
}

Result<SavingsStatement> make_statement(UsageTable usage, const JudgedUsage* judged,
                                        const SavingsTerms& terms, const SavingsRequest& request) {
  TRY(check_contracts(terms.company.contracts));
  TRY(check_programs(terms.programs));
  TRY(auto zone, savings_zone(terms));
  TRY(auto parts, find_parts(std::move(usage), terms.programs));
  return StatementMaker(std::move(parts), judged, terms, request, std::move(zone)).run();
}

}  // namespace gauger::billing
