#include "billing/savings/what_if.h"

#include <algorithm>
#include <limits>
#include <map>

#include "billing/savings/program_usage.h"

namespace gauger::billing {
namespace {

constexpr auto compute = static_cast<size_t>(Meter::compute_us);
constexpr size_t requests_at = meter_count;
using Sums = std::array<Int128, meter_count + 1>;
using Fractions = std::array<Rational, meter_count + 1>;

// Exact amounts become whole counts; what is cut off comes with the next one.
class Carrier {
 public:
  Int128 whole(size_t at, const Rational& exact) {
    rest_[at] += exact;
    const auto units = rest_[at].rounded(Rounding::floor);
    rest_[at] -= Rational(units);
    return units;
  }

 private:
  Fractions rest_;
};

class Mover {
 public:
  Mover(const UsageTable& usage, const Program& program, const MoveShare& move, Interval months)
      : usage_(usage), program_(program), move_(move), months_(months), result_(usage) {
    result_.rows.clear();
  }

  Result<UsageTable> run() {
    TRY(measure_student());
    bool any = false;
    for (const auto& row : usage_.rows) {
      if (!moves(row)) {
        result_.rows.push_back(row);
        continue;
      }
      any = true;
      TRY(add(row));
    }
    if (!any)
      return Error{ErrorCode::not_found,
                   "there are no root requests to " + program_.teacher.model + " to move" +
                       (move_.workload.empty() ? "" : " in the workload " + move_.workload)};
    return std::move(result_);
  }

 private:
  template <class Model>
  bool is(const UsageKey& key, const Model& model) const {
    return usage_.text(key.provider) == model.provider && usage_.text(key.model) == model.model;
  }

  bool moves(const UsageRow& row) const {
    const auto& key = usage_.key(row);
    return months_.contains(row.period) && is(key, program_.teacher) && key.role == Role::root &&
           key.purpose == Purpose::production &&
           (move_.workload.empty() || usage_.text(key.workload) == move_.workload) &&
           (move_.team.empty() || usage_.text(key.team) == move_.team);
  }

  // The key of its first accepted row, and its compute time per token.
  Result<void> measure_student() {
    Int128 tokens = 0;
    Int128 us = 0;
    for (const auto& row : usage_.rows) {
      const auto& key = usage_.key(row);
      if (!months_.contains(row.period) || !is(key, program_.student) ||
          usage_.text(key.program) != program_.id)
        continue;
      student_ = student_.value_or(key);
      tokens += tokens_of(row.counts);
      us += row.counts[compute];
    }
    if (!student_ || tokens <= 0)
      return Error{ErrorCode::not_found,
                   "the student of " + program_.id + " has no usage in the period to measure by"};
    us_per_token_ = Rational::ratio(us, tokens);
    return success();
  }

  Result<void> add(const UsageRow& row) {
    TRY(const auto* ratios, ratios_at(program_, {row.period, row.period + usage_.grain}));
    if (ratios == nullptr)
      return invalid_argument(program_.file + ": the programme has no ratios at " +
                              format_instant(row.period));
    Fractions stays;
    Fractions back;
    Fractions student;
    const Rational one(Int128{1});
    for (size_t i = 0; i <= meter_count; ++i) {
      const Rational count(Int128{i == requests_at ? row.requests : row.counts[i]});
      const auto moved = count * move_.share;
      stays[i] = count - moved;
      back[i] = moved * (one - move_.acceptance);
      if (i == compute || moved.is_zero()) continue;
      if (i == requests_at) {
        student[i] = moved;
        continue;
      }
      if (!ratios->of[i] || ratios->of[i]->ratio.is_zero())
        return invalid_argument(program_.file + ": the programme has no ratio for " +
                                std::string(meter_names[i]) + " of the moved requests");
      student[i] = moved / ratios->of[i]->ratio;
      if (i < token_meter_count) student[compute] += student[i] * us_per_token_;
    }
    auto key = usage_.key(row);
    TRY(put(row, key, stays));
    key.program = student_->program;
    key.role = Role::fallback;
    TRY(put(row, key, back));
    key = *student_;
    key.team = usage_.key(row).team;
    key.project = usage_.key(row).project;
    key.workload = usage_.key(row).workload;
    key.exposure = usage_.key(row).exposure;
    key.role = Role::root;
    key.purpose = Purpose::production;
    Fractions part;
    for (const auto outcome : {Outcome::accepted, Outcome::escalated}) {
      const auto share = outcome == Outcome::accepted ? move_.acceptance : one - move_.acceptance;
      for (size_t i = 0; i <= meter_count; ++i) part[i] = student[i] * share;
      key.outcome = outcome;
      TRY(put(row, key, part));
    }
    return success();
  }

  Result<void> put(const UsageRow& from, const UsageKey& key, const Fractions& exact) {
    const auto [found, added] = keys_.try_emplace(key, static_cast<uint32_t>(result_.keys.size()));
    if (added) result_.keys.push_back(key);
    auto& carrier = carriers_[found->second];
    UsageRow row;
    row.period = from.period;
    row.key = found->second;
    for (size_t i = 0; i <= meter_count; ++i) {
      const auto units = carrier.whole(i, exact[i]);
      if (units > std::numeric_limits<int64_t>::max() ||
          units < std::numeric_limits<int64_t>::min())
        return Error{ErrorCode::overflow,
                     "the moved usage of " + program_.id + " is larger than can be counted"};
      (i == requests_at ? row.requests : row.counts[i]) = static_cast<int64_t>(units);
    }
    result_.rows.push_back(row);
    return success();
  }

  const UsageTable& usage_;
  const Program& program_;
  const MoveShare& move_;
  const Interval months_;
  UsageTable result_;
  std::optional<UsageKey> student_;
  Rational us_per_token_;
  std::map<UsageKey, uint32_t> keys_;
  std::map<uint32_t, Carrier> carriers_;
};

}  // namespace

Result<UsageTable> move_to_student(const UsageTable& usage, std::span<const Program> programs,
                                   const MoveShare& move, Interval months) {
  for (const auto& program : programs)
    if (program.id == move.program) return Mover(usage, program, move, months).run();
  return Error{ErrorCode::not_found, "there is no programme '" + move.program + "'"};
}

Result<Contract> with_switch(const Contract& contract, Instant at) {
  if (contract.regimes.size() != 2)
    return invalid_argument("the contract " + contract.id + " has " +
                            std::to_string(contract.regimes.size()) +
                            " regimes; its switch can be moved where it has two");
  auto moved = contract;
  if (at < contract.term.from || at >= contract.term.until)
    return invalid_argument(format_instant(at) + " is not inside the contract " + contract.id);
  moved.regimes[0].interval.until = at;
  moved.regimes[1].interval.from = at;
  if (at == contract.term.from) moved.regimes.erase(moved.regimes.begin());
  return moved;
}

Result<PriceBook> with_price(const PriceBook& book, const PriceChange& change) {
  auto changed = book;
  bool any = false;
  const auto set = [&](Prices& prices) {
    for (auto& item : prices) {
      if (item.item != change.item) continue;
      Price price;
      price.unit.pico = static_cast<int64_t>(change.pico_per_unit_price);
      item.price = price;
      any = true;
    }
  };
  if (change.pico_per_unit_price < 0 ||
      change.pico_per_unit_price > std::numeric_limits<int64_t>::max())
    return invalid_argument("the price of " + change.item + " cannot be that");
  for (auto& entry : changed.entries) {
    if (std::none_of(entry.models.begin(), entry.models.end(),
                     [&](const Pattern& model) { return model.matches(change.model); }))
      continue;
    set(entry.prices);
    for (auto& above : entry.context_above) set(above.prices);
  }
  if (!any)
    return Error{ErrorCode::not_found, "the price book " + book.id + " has no price for " +
                                           change.item + " of " + change.model};
  return changed;
}

}  // namespace gauger::billing
