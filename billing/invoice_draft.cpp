#include "billing/invoice_draft.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "billing/allocation.h"

namespace gauger::billing {
namespace {

// The order of lines, and what makes two charges one line.
auto order_of(const InvoiceLine& line) {
  return std::tie(line.team, line.project, line.provider, line.model, line.model_tier, line.region,
                  line.service_tier, line.context_tier, line.kind, line.item, line.rule.document,
                  line.rule.version, line.rule.line, line.rule.item, line.rule.context_above);
}

struct LineOrder {
  bool operator()(const InvoiceLine& a, const InvoiceLine& b) const {
    return order_of(a) < order_of(b);
  }
};

// Which keys the bill-to pays for.
std::vector<uint8_t> paid_keys(const Rated& rated, const InvoiceRequest& request) {
  std::vector<uint8_t> paid;
  paid.reserve(rated.keys.size());
  for (const auto& key : rated.keys) {
    const auto team = rated.text(key.team);
    const auto& teams = request.teams;
    paid.push_back(teams.empty() ? team == request.bill_to
                                 : std::find(teams.begin(), teams.end(), team) != teams.end());
  }
  return paid;
}

InvoiceLine line_of_key(const Rated& rated, uint32_t index) {
  const auto& key = rated.keys[index];
  InvoiceLine line;
  line.team = rated.text(key.team);
  line.project = rated.text(key.project);
  line.provider = rated.text(key.provider);
  line.model = rated.text(key.model);
  line.region = rated.text(key.region);
  line.service_tier = key.service_tier;
  line.context_tier = key.context_tier;
  return line;
}

void add_blockers(const Rated& rated, const std::vector<uint8_t>& paid, InvoiceDraft& draft) {
  for (const auto& unpriced : rated.unpriced)
    if (paid[unpriced.key] != 0 && draft.period.contains(unpriced.from))
      draft.blockers.push_back(blocker_of(rated, unpriced));
  for (const auto& uncertain : rated.uncertain)
    if (paid[uncertain.key] != 0 && draft.period.contains(uncertain.from))
      draft.blockers.push_back(blocker_of(rated, uncertain));
}

}  // namespace

Blocker blocker_of(const Rated& rated, const Unpriced& unpriced) {
  auto subject = line_of_key(rated, unpriced.key);
  subject.item = rated.item_name(unpriced.item);
  return {BlockerKind::unpriced, unpriced_sentence(rated, unpriced), unpriced.quantity,
          std::move(subject)};
}

Blocker blocker_of(const Rated& rated, const Uncertain& uncertain) {
  const auto& key = rated.keys[uncertain.key];
  const bool estimated = key.usage_source == UsageSource::estimated;
  return {estimated ? BlockerKind::estimated : BlockerKind::missing,
          std::to_string(uncertain.requests) + " requests of " +
              std::string(rated.text(key.provider)) + " " + std::string(rated.text(key.model)) +
              (estimated ? " have estimated counts" : " came without counts"),
          uncertain.requests, line_of_key(rated, uncertain.key)};
}

std::string blocker_id(BlockerKind kind, const InvoiceLine& subject) {
  std::string what = subject.provider;
  if (!subject.model.empty()) what += "/" + subject.model;
  if (subject.service_tier != ServiceTier::standard)
    what += "@" + std::string(gauger::to_string(subject.service_tier));
  if (subject.context_tier != 0) what += "+" + std::to_string(subject.context_tier);
  if (!subject.region.empty()) what += "@" + subject.region;
  if (!subject.item.empty()) what += (what.empty() ? "" : "/") + subject.item;
  return std::string(to_string(kind)) + (what.empty() ? "" : ":" + what);
}

InvoiceLine line_of(const Rated& rated, const Charge& charge) {
  auto line = line_of_key(rated, charge.key);
  line.model_tier = rated.model_tiers[charge.model_tier];
  line.kind = charge.kind;
  line.item = rated.item_name(charge.item);
  line.rule = rated.rules[charge.rule];
  return line;
}

Interval month_of(const InvoiceRequest& request) {
  return {request.zone.month_begin(request.month), request.zone.month_begin(request.month + 1)};
}

namespace {

using LineSums = std::map<InvoiceLine, std::pair<Int128, Rational>, LineOrder>;

void add_charge(const Rated& rated, const Charge& charge, LineSums& sums) {
  auto& [quantity, amount] = sums[line_of(rated, charge)];
  quantity += charge.quantity;
  amount += charge.amount;
}

InvoiceDraft head_of(const Rated& rated, const InvoiceRequest& request) {
  InvoiceDraft draft;
  draft.bill_to = request.bill_to;
  draft.month = request.month;
  draft.zone = request.zone.name();
  draft.period = month_of(request);
  draft.currency = rated.currency;
  draft.as_of_sequence = rated.as_of_sequence;
  return draft;
}

void put_lines(LineSums& sums, std::optional<Int128> total_minor, InvoiceDraft& draft) {
  std::vector<Rational> amounts;
  while (!sums.empty()) {
    auto node = sums.extract(sums.begin());
    auto& line = node.key();
    const auto& [quantity, amount] = node.mapped();
    VERIFY(quantity <= std::numeric_limits<int64_t>::max() &&
               quantity >= std::numeric_limits<int64_t>::min(),
           "the quantity of a meter is bounded by the ledger's total");
    line.quantity = static_cast<int64_t>(quantity);
    line.amount = amount;
    draft.total += amount;
    amounts.push_back(amount);
    draft.lines.push_back(std::move(line));
  }
  draft.total_minor = total_minor.value_or(round_total(draft.total, draft.currency));
  const auto minor = apportion(amounts, draft.total_minor, draft.currency);
  for (size_t i = 0; i < minor.size(); ++i) draft.lines[i].amount_minor = minor[i];
}

}  // namespace

InvoiceDraft draft_invoice(const Rated& rated, const InvoiceRequest& request) {
  auto draft = head_of(rated, request);
  const auto paid = paid_keys(rated, request);
  LineSums sums;
  for (const auto& charge : rated.charges)
    if (paid[charge.key] != 0 && draft.period.contains(charge.from))
      add_charge(rated, charge, sums);
  put_lines(sums, request.total_minor, draft);
  add_blockers(rated, paid, draft);
  return draft;
}

std::vector<InvoiceDraft> draft_invoices(const Rated& rated, int32_t month, const TimeZone& zone,
                                         const std::map<std::string, Int128>& totals) {
  const auto period = month_of({.bill_to = {}, .month = month, .zone = zone});
  std::map<std::string_view, std::vector<const Charge*>> by_team;
  const auto team_of = [&](uint32_t key) { return rated.text(rated.keys[key].team); };
  for (const auto& charge : rated.charges)
    if (period.contains(charge.from)) by_team[team_of(charge.key)].push_back(&charge);
  for (const auto& unpriced : rated.unpriced)
    if (period.contains(unpriced.from)) by_team[team_of(unpriced.key)];
  for (const auto& uncertain : rated.uncertain)
    if (period.contains(uncertain.from)) by_team[team_of(uncertain.key)];
  std::map<std::string_view, size_t> draft_of;
  std::vector<InvoiceDraft> drafts;
  for (const auto& [team, charges] : by_team) {
    drafts.push_back(head_of(rated, {.bill_to = std::string(team), .month = month, .zone = zone}));
    LineSums sums;
    for (const auto* charge : charges) add_charge(rated, *charge, sums);
    const auto total = totals.find(std::string(team));
    put_lines(sums, total == totals.end() ? std::nullopt : std::optional(total->second),
              drafts.back());
    draft_of.emplace(team, drafts.size() - 1);
  }
  for (const auto& unpriced : rated.unpriced)
    if (period.contains(unpriced.from))
      drafts[draft_of.at(team_of(unpriced.key))].blockers.push_back(blocker_of(rated, unpriced));
  for (const auto& uncertain : rated.uncertain)
    if (period.contains(uncertain.from))
      drafts[draft_of.at(team_of(uncertain.key))].blockers.push_back(blocker_of(rated, uncertain));
  return drafts;
}

}  // namespace gauger::billing
