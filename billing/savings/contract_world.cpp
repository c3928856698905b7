#include "billing/savings/contract_world.h"

#include <algorithm>

namespace gauger::billing {
namespace {

bool scheduled(const std::vector<PriceEntry>& entries, std::string_view provider) {
  const auto has_schedule = [](const Prices& prices) {
    return std::any_of(prices.begin(), prices.end(), [](const ItemPrice& item) {
      return item.price && item.price->schedule != Schedule::flat;
    });
  };
  return std::any_of(entries.begin(), entries.end(), [&](const PriceEntry& entry) {
    return entry.provider == provider &&
           (has_schedule(entry.prices) ||
            std::any_of(entry.context_above.begin(), entry.context_above.end(),
                        [&](const ContextPrices& above) { return has_schedule(above.prices); }));
  });
}

bool depends_on_volume(const TokenTerms& terms, const Contract& contract, const PriceBooks& books) {
  if (terms.commitment || !terms.prepaid.empty()) return true;
  if (std::any_of(terms.discounts.begin(), terms.discounts.end(),
                  [](const Discount& discount) { return !discount.above.is_zero(); }))
    return true;
  const auto book = books.find(terms.price_book);
  return book != books.end() && scheduled(book->second.entries, contract.provider);
}

// The commitment whose term reaches into the interval.
const Commitment* commitment_in(const Contract& contract, Interval interval) {
  for (const auto& regime : contract.regimes) {
    const auto* tokens = std::get_if<TokenTerms>(&regime.terms);
    if (tokens == nullptr || !tokens->commitment) continue;
    const auto& term = tokens->commitment->term;
    if (term.from < interval.until && interval.from < term.until) return &*tokens->commitment;
  }
  return nullptr;
}

// What the commitment asks for until then, less what was spent; not below zero.
Rational missing_at(const Commitment& commitment, Instant at, const Rational& spent) {
  const auto& term = commitment.term;
  const auto elapsed = std::clamp(at, term.from, term.until) - term.from;
  const auto asked = Rational(commitment.amount) *
                     Rational::ratio(elapsed.count(), (term.until - term.from).count());
  return std::max(Rational(), asked - spent);
}

Rational true_up_of(const Rated& rated) {
  Rational sum;
  for (const auto& charge : rated.charges)
    if (charge.kind == ChargeKind::true_up) sum += charge.amount;
  return sum;
}

}  // namespace

bool depends_on_volume(const Contract& contract, const PriceBooks& books) {
  return std::any_of(contract.regimes.begin(), contract.regimes.end(), [&](const Regime& regime) {
    if (const auto* hours = std::get_if<ComputeHours>(&regime.terms))
      return hours->basis == ComputeBasis::capacity || scheduled(hours->prices, contract.provider);
    return depends_on_volume(std::get<TokenTerms>(regime.terms), contract, books);
  });
}

int32_t first_month_of(const Contract& contract, int32_t month) {
  const Interval interval{contract.zone.month_begin(month), contract.zone.month_begin(month + 1)};
  auto first = month;
  const auto reach = [&](Interval term) {
    if (term.from >= interval.until || term.until <= interval.from) return;
    const auto begin = std::max(term.from, contract.term.from);
    if (begin != begin_of_time) first = std::min(first, contract.zone.local_month(begin));
  };
  if (const auto* commitment = commitment_in(contract, interval)) reach(commitment->term);
  for (const auto& regime : contract.regimes)
    if (const auto* tokens = std::get_if<TokenTerms>(&regime.terms))
      for (const auto& credit : tokens->prepaid) reach(credit.valid);
  return first;
}

Result<std::map<int32_t, WorldMonth>> rate_world(const UsageTable& usage, ContractTerms terms,
                                                 int32_t first, int32_t last) {
  std::map<int32_t, WorldMonth> world;
  terms.history = {};
  for (auto month = first; month <= last; ++month) {
    const auto& zone = terms.contract.zone;
    const Interval interval{zone.month_begin(month), zone.month_begin(month + 1)};
    const auto* commitment = commitment_in(terms.contract, interval);
    TRY(auto rated, rate_contract(usage, terms, month));
    WorldMonth made;
    made.total = rated.total - true_up_of(rated.rated);
    if (commitment != nullptr) {
      const auto begin = commitment->term.from;
      const auto spent = terms.history.committed_spend[begin];
      const auto now = spent + rated.committed_spend[begin];
      made.total += missing_at(*commitment, interval.until, now) -
                    missing_at(*commitment, interval.from, spent);
    }
    add(terms.history, rated);
    made.rated = std::move(rated);
    world.emplace(month, std::move(made));
  }
  return world;
}

}  // namespace gauger::billing
