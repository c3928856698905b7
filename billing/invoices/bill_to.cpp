#include "billing/invoices/bill_to.h"

#include <algorithm>
#include <set>

#include "billing/rate.h"

namespace gauger::billing {
namespace {

// Whether a team changes its bill-to inside the interval; months must be split then.
bool moves_inside(const Organisation* organisation, Interval interval) {
  if (organisation == nullptr) return false;
  for (const auto& [team, memberships] : organisation->teams)
    for (const auto& membership : memberships)
      if (membership.from > interval.from && membership.from < interval.until) return true;
  return false;
}

// Names the bill-to of every key; teams that move are asked for at each time anew.
class Payers {
 public:
  explicit Payers(const Organisation* organisation) : organisation_(organisation) {}
  const std::string& of(std::string_view team, Instant at) {
    const auto found = known_.find({std::string(team), at});
    if (found != known_.end()) return found->second;
    return known_.emplace(std::pair(std::string(team), at), bill_to_at(organisation_, team, at))
        .first->second;
  }

 private:
  const Organisation* organisation_;
  std::map<std::pair<std::string, Instant>, std::string> known_;
};

struct Deferred {
  std::vector<uint8_t> keys;  // zero: left out
  std::vector<Uncertain> left_out;
};

Rated names_of(const UsageTable& usage) {
  Rated names;
  names.strings = usage.strings;
  names.keys = usage.keys;
  return names;
}

Deferred deferred_keys(const UsageTable& usage, const BookTerms& terms, Interval month,
                       std::span<const Decision> decisions) {
  Deferred deferred;
  std::set<std::pair<std::string, std::string>> wanted;
  for (const auto& decision : decisions)
    if (decision.action == DecisionAction::defer)
      wanted.emplace(decision.bill_to, decision.blocker);
  if (wanted.empty()) return deferred;
  const auto names = names_of(usage);
  deferred.keys.assign(usage.keys.size(), 1);
  for (uint32_t i = 0; i < usage.keys.size(); ++i) {
    if (usage.keys[i].usage_source != UsageSource::estimated) continue;
    const auto blocker = blocker_of(names, Uncertain{month.from, i, 0});
    const auto bill_to = bill_to_at(terms.organisation, blocker.subject.team, month.from);
    if (wanted.contains({bill_to, blocker_id(blocker.kind, blocker.subject)})) deferred.keys[i] = 0;
  }
  for (const auto& row : usage.rows)
    if (deferred.keys[row.key] == 0 && month.contains(row.period))
      deferred.left_out.push_back({row.period, row.key, row.requests});
  return deferred;
}

struct Parts {
  std::vector<Charge> charges;
  std::vector<Unpriced> unpriced;
  std::vector<Uncertain> uncertain;
  std::set<std::string> teams;
};

template <class Item>
void divide(const std::vector<Item>& items, const Rated& rated, Payers& payers,
            std::vector<Item> Parts::*member, std::map<std::string, Parts>& parts) {
  for (const auto& item : items) {
    const auto team = rated.text(rated.keys[item.key].team);
    auto& part = parts[payers.of(team, item.from)];
    (part.*member).push_back(item);
    part.teams.emplace(team);
  }
}

}  // namespace

std::string bill_to_at(const Organisation* organisation, std::string_view team, Instant at) {
  if (team.empty()) return std::string(unattributed_bill_to);
  return organisation == nullptr ? std::string(team) : bill_to_of(*organisation, team, at);
}

Result<BillToMonths> rate_bill_tos(const UsageTable& usage, const BookTerms& terms, int32_t month,
                                   std::span<const Decision> decisions) {
  const auto within = month_of({.bill_to = {}, .month = month, .zone = terms.zone});
  const auto deferred = deferred_keys(usage, terms, within, decisions);
  RateOptions options{.zone = terms.zone, .catalog = terms.catalog, .within = within};
  options.keys = deferred.keys;
  if (moves_inside(terms.organisation, within)) options.grouping = Grouping::period;
  TRY(auto rated, rate(usage, terms.book, options));
  Payers payers(terms.organisation);
  std::map<std::string, Parts> parts;
  divide(rated.charges, rated, payers, &Parts::charges, parts);
  divide(rated.unpriced, rated, payers, &Parts::unpriced, parts);
  divide(rated.uncertain, rated, payers, &Parts::uncertain, parts);
  divide(deferred.left_out, rated, payers, &Parts::uncertain, parts);
  BillToMonths months;
  for (auto& [bill_to, part] : parts) {
    rated.charges = std::move(part.charges);
    rated.unpriced = std::move(part.unpriced);
    rated.uncertain = std::move(part.uncertain);
    const InvoiceRequest request{.bill_to = bill_to,
                                 .teams = {part.teams.begin(), part.teams.end()},
                                 .month = month,
                                 .zone = terms.zone};
    auto draft = draft_invoice(rated, request);
    auto& result = months[bill_to];
    result.currency = draft.currency;
    result.blockers = std::move(draft.blockers);
    draft.blockers.clear();
    result.month = {month, {part_of(draft, PartBasis::price_book, terms.book.id, false)}};
    const auto& payer = request.bill_to;
    result.usage = seal_usage(usage, within, [&](const UsageKey& key, Instant at) {
      return payers.of(usage.text(key.team), at) == payer;
    });
  }
  return months;
}

}  // namespace gauger::billing
