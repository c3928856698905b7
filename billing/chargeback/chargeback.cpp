#include "billing/chargeback/chargeback.h"

#include <algorithm>
#include <map>

#include "billing/allocation.h"
#include "billing/document.h"
#include "billing/rate.h"
#include "schemas/evidence.h"

namespace gauger::billing {
namespace {

constexpr int percent_digits = 6;

template <class Enum, size_t N>
Result<Enum> read_choice(Fields& fields, std::string_view name,
                         const std::array<std::string_view, N>& names) {
  TRY(const auto text, fields.text_or(name, names.front()));
  const auto found = find_name<Enum>(names, text);
  if (found) return *found;
  std::string known;
  for (const auto choice : names) known += (known.empty() ? "" : ", ") + std::string(choice);
  return fields.error("'" + std::string(name) + ": " + text + "' is none of " + known);
}

constexpr std::array<std::string_view, 3> basis_names = {"pass_through", "mark_up", "rate_card"};
constexpr std::array<std::string_view, 2> cache_names = {"team", "platform"};
constexpr std::array<std::string_view, 2> idle_names = {"users", "platform"};
constexpr std::array<std::string_view, 2> unattributed_names = {"platform", "teams"};

// The same usage as if nothing had been cached. The context tier does not move: it counts
// cached input too.
UsageTable without_cache_benefit(UsageTable usage) {
  for (auto& row : usage.rows) {
    auto& uncached = row.counts[static_cast<size_t>(Meter::input_uncached)];
    for (const auto meter : {Meter::cache_read, Meter::cache_write_5m, Meter::cache_write_1h})
      uncached += std::exchange(row.counts[static_cast<size_t>(meter)], 0);
  }
  return usage;
}

class Charger {
 public:
  Charger(const UsageTable& usage, const ContractTerms& terms, const ChargebackPolicy& policy)
      : usage_(usage), terms_(terms), policy_(policy) {}

  Result<ChargeView> run(int32_t month) {
    TRY(const auto cost, rate_contract(usage_, terms_, month));
    const auto allocation = allocate_month(cost, terms_.contract.zone);
    TRY(auto charged, charged_rating(cost));
    adjust(charged);
    return view_of(allocation, charged, month);
  }

 private:
  Result<Rated> charged_rating(const ContractMonth& cost) const {
    if (policy_.basis == ChargeBasis::rate_card) return rate_card(cost.period);
    if (policy_.cache_benefit == CacheBenefit::team) return cost.rated;
    TRY(auto uncached, rate_contract(without_cache_benefit(usage_), terms_, cost.month));
    return std::move(uncached.rated);
  }

  Result<Rated> rate_card(Interval month) const {
    const auto& contract = terms_.contract;
    const auto card = terms_.books.find(policy_.rate_card);
    if (card == terms_.books.end())
      return invalid_argument(policy_.file + ": the rate card '" + policy_.rate_card +
                              "' is not known");
    if (card->second.currency != contract.currency)
      return invalid_argument(policy_.file + ": the rate card " + policy_.rate_card + " is in " +
                              card->second.currency.code() + ", the contract in " +
                              contract.currency.code());
    std::vector<uint8_t> covered;
    for (const auto& key : usage_.keys)
      covered.push_back(
          contract.covers(usage_.text(key.provider), usage_.text(key.provider_account)));
    const Interval within{std::max(month.from, contract.term.from),
                          std::min(month.until, contract.term.until)};
    const RateOptions options{
        .zone = contract.zone, .catalog = terms_.catalog, .within = within, .keys = covered};
    if (policy_.cache_benefit == CacheBenefit::platform)
      return rate(without_cache_benefit(usage_), card->second, options);
    return rate(usage_, card->second, options);
  }

  // Leaves what teams are charged for, with mark-up and their share of what has no team.
  void adjust(Rated& charged) const {
    std::erase_if(charged.charges, [&](const Charge& charge) {
      return charge.kind == ChargeKind::idle && policy_.idle == IdleBearer::platform;
    });
    const auto factor = Rational(Int128{1}) + policy_.mark_up;
    Rational unattributed;
    Rational attributed;
    for (auto& charge : charged.charges) {
      if (policy_.basis == ChargeBasis::mark_up) charge.amount = charge.amount * factor;
      (has_team(charged, charge) ? attributed : unattributed) += charge.amount;
    }
    std::erase_if(charged.charges,
                  [&](const Charge& charge) { return !has_team(charged, charge); });
    if (policy_.unattributed != UnattributedBearer::teams || attributed.is_zero()) return;
    const auto share = Rational(Int128{1}) + unattributed / attributed;
    for (auto& charge : charged.charges) charge.amount = charge.amount * share;
  }

  static bool has_team(const Rated& rated, const Charge& charge) {
    const auto team = rated.text(rated.key(charge).team);
    return !team.empty() && team != unattributed_team;
  }

  ChargeView view_of(const AllocationDocument& allocation, const Rated& charged,
                     int32_t month) const {
    ChargeView view;
    view.currency = allocation.currency;
    view.cost_minor = allocation.total_minor;
    view.charge_minor = round_total(charged.total(), view.currency);
    view.margin_minor = view.charge_minor - view.cost_minor;
    std::map<std::string, Rational> exact;
    for (const auto& charge : charged.charges)
      exact[std::string(charged.text(charged.key(charge).team))] += charge.amount;
    std::vector<Rational> amounts;
    for (const auto& [team, amount] : exact) amounts.push_back(amount);
    const auto minor = apportion(amounts, view.charge_minor, view.currency);
    std::map<std::string, Int128> totals;
    std::map<std::string, TeamCharge> teams;
    for (const auto& cost : allocation.teams)
      if (!cost.bill_to.empty()) teams[cost.bill_to].cost_minor = cost.total_minor;
    size_t i = 0;
    for (const auto& [team, amount] : exact) teams[team].charge_minor = totals[team] = minor[i++];
    for (auto& [team, charge] : teams) {
      charge.team = team;
      view.teams.push_back(charge);
    }
    view.invoices = draft_invoices(charged, month, terms_.contract.zone, totals);
    std::erase_if(view.invoices, [](const auto& invoice) { return invoice.bill_to.empty(); });
    return view;
  }

  const UsageTable& usage_;
  const ContractTerms& terms_;
  const ChargebackPolicy& policy_;
};

}  // namespace

Result<ChargebackPolicy> parse_chargeback_policy(std::string_view text, std::string_view file) {
  TRY(const auto root, parse_yaml(text, file));
  return read_chargeback_policy(root, file);
}

Result<ChargebackPolicy> read_chargeback_policy(const Node& root, std::string_view file) {
  TRY(auto fields, Fields::of(file, root, "a chargeback policy"));
  ChargebackPolicy policy;
  TRY(read_heading(fields, "chargeback_policy", policy));
  TRY(fields.required("basis"));
  TRY(policy.basis, read_choice<ChargeBasis>(fields, "basis", basis_names));
  TRY(policy.cache_benefit, read_choice<CacheBenefit>(fields, "cache_benefit", cache_names));
  TRY(policy.idle, read_choice<IdleBearer>(fields, "idle", idle_names));
  TRY(policy.unattributed,
      read_choice<UnattributedBearer>(fields, "unattributed", unattributed_names));
  TRY(policy.rate_card, fields.text_or("rate_card", ""));
  const auto* percent = fields.optional("mark_up_percent");
  TRY(fields.finish());
  if ((policy.basis == ChargeBasis::rate_card) == policy.rate_card.empty())
    return fields.error(
        "'rate_card' names a price book where the basis is rate_card, and only then");
  if ((policy.basis == ChargeBasis::mark_up) != (percent != nullptr))
    return fields.error("'mark_up_percent' stands where the basis is mark_up, and only then");
  if (percent == nullptr) return policy;
  TRY(const auto value, read_decimal(file, *percent, percent_digits));
  if (value <= 0 || value > Int128{1'000'000'000})
    return document_error(file, percent->line, "a mark-up is above 0 and at most 1000 percent");
  policy.mark_up = Rational::ratio(value, Int128{100'000'000});
  return policy;
}

Result<ChargeView> charge_month(const UsageTable& usage, const ContractTerms& terms, int32_t month,
                                const ChargebackPolicy& policy) {
  return Charger(usage, terms, policy).run(month);
}

}  // namespace gauger::billing
