#include "billing/contracts/contract_rating.h"

#include <algorithm>

#include "billing/allocation.h"
#include "billing/contracts/capacity.h"
#include "billing/contracts/contract_days.h"
#include "billing/rate.h"

namespace gauger::billing {
namespace {

Interval intersect(Interval a, Interval b) {
  return {std::max(a.from, b.from), std::min(a.until, b.until)};
}

class ContractRater {
 public:
  ContractRater(const UsageTable& usage, const ContractTerms& terms, int32_t month,
                Grouping grouping)
      : usage_(usage), terms_(terms), contract_(terms.contract), grouping_(grouping) {
    result_.contract = contract_.id;
    result_.version = contract_.version;
    result_.month = month;
    result_.period = {contract_.zone.month_begin(month), contract_.zone.month_begin(month + 1)};
  }

  Result<ContractMonth> run() {
    prepare();
    for (const auto& regime : contract_.regimes) {
      const auto part = intersect(regime.interval, result_.period);
      if (part.from >= part.until) continue;
      if (const auto* hours = std::get_if<ComputeHours>(&regime.terms)) {
        TRY(rate_hours(*hours, part));
      } else {
        TRY(rate_tokens(std::get<TokenTerms>(regime.terms), part));
      }
    }
    settle();
    return std::move(result_);
  }

 private:
  // Keys of the contract, and one more for what nobody used.
  void prepare() {
    auto& rated = result_.rated;
    rated.currency = contract_.currency;
    rated.strings = usage_.strings;
    rated.keys = usage_.keys;
    rated.as_of_sequence = usage_.as_of_sequence;
    rated.model_tiers.emplace_back(unclassified);
    for (const auto& key : usage_.keys)
      covered_.push_back(
          contract_.covers(usage_.text(key.provider), usage_.text(key.provider_account)));
    const auto intern = [&](const std::string& text) {
      const auto found = std::find(rated.strings.begin(), rated.strings.end(), text);
      const auto id = static_cast<uint32_t>(found - rated.strings.begin());
      if (found == rated.strings.end()) rated.strings.push_back(text);
      return StringId{id};
    };
    UsageKey owner;
    owner.provider = intern(contract_.provider);
    owner.team = intern(contract_.idle_owner);
    owner_key_ = static_cast<uint32_t>(rated.keys.size());
    rated.keys.push_back(owner);
  }

  Result<void> rate_with(const PriceBook& book, Interval part) {
    if (book.currency != contract_.currency)
      return invalid_argument(contract_.file + ": the contract is in " + contract_.currency.code() +
                              ", the price book " + book.id + " in " + book.currency.code());
    TRY(auto rated, rate(usage_, book,
                         {.zone = contract_.zone,
                          .grouping = grouping_,
                          .catalog = terms_.catalog,
                          .within = part,
                          .keys = covered_,
                          .proposals = terms_.proposals}));
    append(result_.rated, std::move(rated));
    return success();
  }

  Result<void> rate_hours(const ComputeHours& hours, Interval part) {
    if (hours.basis == ComputeBasis::capacity)
      return rate_capacity(usage_, terms_, part, covered_, owner_key_, result_.rated);
    PriceBook book;
    book.file = contract_.file;
    book.id = contract_.id;
    book.version = contract_.version;
    book.currency = contract_.currency;
    book.entries = hours.prices;
    book.context_boundaries = boundaries_of(book.entries);
    return rate_with(book, part);
  }

  Result<void> rate_tokens(const TokenTerms& terms, Interval part) {
    const auto book = terms_.books.find(terms.price_book);
    if (book == terms_.books.end())
      return invalid_argument(contract_.file + ": the price book '" + terms.price_book +
                              "' of the contract " + contract_.id + " is not known");
    const auto first = result_.rated.charges.size();
    TRY(rate_with(book->second, part));
    const auto last = result_.rated.charges.size();
    for (const auto& discount : terms.discounts) add_discount(discount, first, last);
    if (terms.commitment) true_up(*terms.commitment, first, part);
    for (const auto& credit : terms.prepaid) draws_.push_back(&credit);
    by_tokens_ += sum_from(first);
    return success();
  }

  Rational sum_from(size_t first) const {
    Rational sum;
    for (size_t i = first; i < result_.rated.charges.size(); ++i)
      sum += result_.rated.charges[i].amount;
    return sum;
  }

  uint32_t add_rule(int line, std::string label) {
    Rule rule;
    rule.document = contract_.id;
    rule.version = contract_.version;
    rule.line = line;
    rule.label = std::move(label);
    result_.rated.rules.push_back(std::move(rule));
    return static_cast<uint32_t>(result_.rated.rules.size() - 1);
  }

  bool discounted(const Discount& discount, const Charge& charge) const {
    const auto& rated = result_.rated;
    if (!discount.model.matches(rated.text(rated.key(charge).model))) return false;
    const auto item = rated.item_name(charge.item);
    return discount.items.empty() ||
           std::find(discount.items.begin(), discount.items.end(), item) != discount.items.end();
  }

  // A share of the list amount of every charge it covers; above a threshold, of the part of the
  // sum that lies above it, which everybody shares alike.
  void add_discount(const Discount& discount, size_t first, size_t last) {
    auto& charges = result_.rated.charges;
    std::vector<size_t> covered;
    Rational sum;
    for (size_t i = first; i < last; ++i) {
      if (!discounted(discount, charges[i])) continue;
      covered.push_back(i);
      sum += charges[i].amount;
    }
    if (sum <= discount.above) return;
    const auto share = discount.share * (sum - discount.above) / sum;
    const auto percent = discount.share * Rational(Int128{100} * pico_per_unit);
    const auto rule = add_rule(discount.line, "discount " + format_amount(percent) + " %");
    for (const auto index : covered) {
      auto charge = charges[index];
      charge.rule = rule;
      charge.kind = ChargeKind::discount;
      charge.quantity = 0;
      charge.amount = -(charge.amount * share);
      charges.push_back(std::move(charge));
    }
  }

  // At the end of the term the missing spend is shared as the month's spend is.
  void true_up(const Commitment& commitment, size_t first, Interval part) {
    const auto term = intersect(commitment.term, part);
    if (term.from >= term.until) return;
    const auto spend = sum_from(first);
    result_.committed_spend[commitment.term.from] = spend;
    if (commitment.term.until > part.until) return;
    auto missing = Rational(commitment.amount) - spend;
    const auto& before = terms_.history.committed_spend;
    if (const auto known = before.find(commitment.term.from); known != before.end())
      missing -= known->second;
    if (missing.is_negative() || missing.is_zero()) return;
    const auto rule = add_rule(commitment.line, "true-up of the commitment of " +
                                                    format_amount(Rational(commitment.amount)));
    share(missing, rule, ChargeKind::true_up, spend, first);
  }

  void share(const Rational& amount, uint32_t rule, ChargeKind kind, const Rational& sum,
             size_t first) {
    auto& charges = result_.rated.charges;
    const auto last = charges.size();
    if (sum.is_zero() || sum.is_negative()) {
      add_to_owner(amount, rule, kind);
      return;
    }
    for (size_t i = first; i < last; ++i) {
      if (charges[i].amount.is_zero()) continue;
      auto charge = charges[i];
      charge.rule = rule;
      charge.kind = kind;
      charge.quantity = 0;
      charge.amount = amount * charge.amount / sum;
      charges.push_back(std::move(charge));
    }
  }

  void add_to_owner(const Rational& amount, uint32_t rule, ChargeKind kind) {
    result_.rated.charges.push_back({.from = result_.period.from,
                                     .key = owner_key_,
                                     .rule = rule,
                                     .item = item_requests,
                                     .kind = kind,
                                     .amount = amount});
  }

  // Draws prepaid credit for what the tokens cost, expires what is over, and rounds once.
  void settle() {
    const auto& currency = contract_.currency;
    auto to_draw = std::max(Int128{0}, round_total(by_tokens_, currency));
    for (const auto* credit : draws_) {
      if (std::any_of(result_.prepaid.begin(), result_.prepaid.end(),
                      [&](const auto& draw) { return draw.credit == credit->id; }))
        continue;
      const auto valid = intersect(credit->valid, result_.period);
      if (valid.from >= valid.until) continue;
      const auto known = terms_.history.drawn_minor.find(credit->id);
      const auto before = known == terms_.history.drawn_minor.end() ? Int128{0} : known->second;
      const auto amount = currency.to_minor(Rational(credit->amount), Rounding::floor);
      PrepaidDraw draw{.credit = credit->id};
      draw.drawn_minor = std::min(to_draw, std::max(Int128{0}, amount - before));
      draw.left_minor = std::max(Int128{0}, amount - before - draw.drawn_minor);
      to_draw -= draw.drawn_minor;
      if (credit->valid.until <= result_.period.until && draw.left_minor > 0) {
        draw.expired_minor = std::exchange(draw.left_minor, 0);
        add_to_owner(Rational(currency.from_minor(draw.expired_minor)),
                     add_rule(credit->line, "prepaid credit " + credit->id + " expired"),
                     ChargeKind::expired_credit);
      }
      result_.prepaid.push_back(draw);
    }
    result_.total = result_.rated.total();
    result_.total_minor = round_total(result_.total, currency);
    result_.payable_minor = result_.total_minor;
    for (const auto& draw : result_.prepaid)
      result_.payable_minor -= draw.drawn_minor + draw.expired_minor;
  }

  const UsageTable& usage_;
  const ContractTerms& terms_;
  const Contract& contract_;
  const Grouping grouping_;
  ContractMonth result_;
  std::vector<uint8_t> covered_;
  uint32_t owner_key_ = 0;
  std::vector<const PrepaidCredit*> draws_;
  Rational by_tokens_;
};

}  // namespace

Result<ContractMonth> rate_contract(const UsageTable& usage, const ContractTerms& terms,
                                    int32_t month) {
  return ContractRater(usage, terms, month, Grouping::month).run();
}

Result<ContractMonth> rate_contract_by_day(const UsageTable& usage, const ContractTerms& terms,
                                           int32_t month) {
  return ContractRater(usage, terms, month, Grouping::day).run();
}

void add(ContractHistory& history, const ContractMonth& month) {
  for (const auto& [begin, spend] : month.committed_spend) history.committed_spend[begin] += spend;
  for (const auto& draw : month.prepaid) {
    auto& drawn = history.drawn_minor[draw.credit];
    drawn = checked_add(drawn, draw.drawn_minor);
  }
}

int32_t history_begins(const Contract& contract, int32_t month) {
  const Interval period{contract.zone.month_begin(month), contract.zone.month_begin(month + 1)};
  auto first = period.from;
  for (const auto& regime : contract.regimes) {
    const auto* tokens = std::get_if<TokenTerms>(&regime.terms);
    const auto part = intersect(regime.interval, period);
    if (tokens == nullptr || part.from >= part.until) continue;
    const auto look_back = [&](Interval term) {
      const auto both = intersect(term, period);
      if (both.from < both.until) first = std::min(first, std::max(term.from, contract.term.from));
    };
    if (tokens->commitment) look_back(tokens->commitment->term);
    for (const auto& credit : tokens->prepaid) look_back(credit.valid);
  }
  return contract.zone.local_month(first);
}

std::vector<Unpriced> uncontracted(const UsageTable& usage, std::span<const Contract> contracts,
                                   Interval interval) {
  std::map<std::pair<uint32_t, size_t>, Unpriced> found;
  for (const auto& row : usage.rows) {
    if (!interval.contains(row.period)) continue;
    const auto& key = usage.key(row);
    const bool covered = std::any_of(contracts.begin(), contracts.end(), [&](const auto& contract) {
      return contract.term.contains(row.period) &&
             contract.covers(usage.text(key.provider), usage.text(key.provider_account));
    });
    if (covered) continue;
    for (size_t i = 0; i < meter_count; ++i) {
      if (row.counts[i] == 0) continue;
      const auto item = item_of(static_cast<Meter>(i));
      auto& unpriced = found
                           .try_emplace({row.key, i}, Unpriced{row.period, row.key, item,
                                                               UnpricedReason::no_contract, 0})
                           .first->second;
      unpriced.from = std::min(unpriced.from, row.period);
      unpriced.quantity += row.counts[i];
    }
  }
  std::vector<Unpriced> result;
  for (auto& [where, unpriced] : found) result.push_back(unpriced);
  return result;
}

}  // namespace gauger::billing
