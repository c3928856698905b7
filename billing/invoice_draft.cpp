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

InvoiceLine line_of(const Rated& rated, const Charge& charge) {
  const auto& key = rated.key(charge);
  InvoiceLine line;
  line.team = rated.text(key.team);
  line.project = rated.text(key.project);
  line.provider = rated.text(key.provider);
  line.model = rated.text(key.model);
  line.model_tier = rated.model_tiers[charge.model_tier];
  line.region = rated.text(key.region);
  line.service_tier = key.service_tier;
  line.context_tier = key.context_tier;
  line.kind = charge.kind;
  line.item = rated.item_name(charge.item);
  line.rule = rated.rules[charge.rule];
  return line;
}

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

void add_blockers(const Rated& rated, const std::vector<uint8_t>& paid, InvoiceDraft& draft) {
  for (const auto& unpriced : rated.unpriced)
    if (paid[unpriced.key] != 0 && draft.period.contains(unpriced.from))
      draft.blockers.push_back(
          {BlockerKind::unpriced, unpriced_sentence(rated, unpriced), unpriced.quantity});
  for (const auto& uncertain : rated.uncertain) {
    if (paid[uncertain.key] == 0 || !draft.period.contains(uncertain.from)) continue;
    const auto& key = rated.keys[uncertain.key];
    const bool estimated = key.usage_source == UsageSource::estimated;
    draft.blockers.push_back({estimated ? BlockerKind::estimated : BlockerKind::missing,
                              std::to_string(uncertain.requests) + " requests of " +
                                  std::string(rated.text(key.provider)) + " " +
                                  std::string(rated.text(key.model)) +
                                  (estimated ? " have estimated counts" : " came without counts"),
                              uncertain.requests});
  }
}

}  // namespace

Interval month_of(const InvoiceRequest& request) {
  return {request.zone.month_begin(request.month), request.zone.month_begin(request.month + 1)};
}

InvoiceDraft draft_invoice(const Rated& rated, const InvoiceRequest& request) {
  InvoiceDraft draft;
  draft.bill_to = request.bill_to;
  draft.month = request.month;
  draft.zone = request.zone.name();
  draft.period = month_of(request);
  draft.currency = rated.currency;
  draft.as_of_sequence = rated.as_of_sequence;
  const auto paid = paid_keys(rated, request);
  std::map<InvoiceLine, std::pair<Int128, Rational>, LineOrder> sums;
  for (const auto& charge : rated.charges) {
    if (paid[charge.key] == 0 || !draft.period.contains(charge.from)) continue;
    auto& [quantity, amount] = sums[line_of(rated, charge)];
    quantity += charge.quantity;
    amount += charge.amount;
  }
  std::vector<Rational> amounts;
  for (auto& [line, sum] : sums) {
    auto added = line;
    VERIFY(sum.first <= std::numeric_limits<int64_t>::max() &&
               sum.first >= std::numeric_limits<int64_t>::min(),
           "the quantity of a meter is bounded by the ledger's total");
    added.quantity = static_cast<int64_t>(sum.first);
    added.amount = sum.second;
    draft.total += sum.second;
    amounts.push_back(sum.second);
    draft.lines.push_back(std::move(added));
  }
  draft.total_minor = request.total_minor.value_or(round_total(draft.total, draft.currency));
  const auto minor = apportion(amounts, draft.total_minor, draft.currency);
  for (size_t i = 0; i < minor.size(); ++i) draft.lines[i].amount_minor = minor[i];
  add_blockers(rated, paid, draft);
  return draft;
}

}  // namespace gauger::billing
