#include "billing/contracts/company.h"

#include <algorithm>

#include "schemas/evidence.h"

namespace gauger::billing {
namespace {

bool pays(const InvoiceRequest& request, std::string_view team) {
  if (request.teams.empty()) return team == request.bill_to;
  return std::find(request.teams.begin(), request.teams.end(), team) != request.teams.end();
}

void add(InvoiceDraft& draft, const InvoiceDraft& part) {
  draft.lines.insert(draft.lines.end(), part.lines.begin(), part.lines.end());
  draft.blockers.insert(draft.blockers.end(), part.blockers.begin(), part.blockers.end());
  draft.total += part.total;
  draft.total_minor = checked_add(draft.total_minor, part.total_minor);
  draft.as_of_sequence = std::max(draft.as_of_sequence, part.as_of_sequence);
}

// Names what no contract covers in the words of unpriced_sentence().
std::vector<Blocker> open_blockers(const CompanyMonth& company, const UsageTable& usage,
                                   const InvoiceRequest& request) {
  std::vector<Blocker> blockers;
  if (company.uncontracted.empty()) return blockers;
  Rated names;
  names.strings = usage.strings;
  names.keys = usage.keys;
  for (const auto& open : company.uncontracted)
    if (pays(request, usage.text(usage.keys[open.key].team)))
      blockers.push_back(blocker_of(names, open));
  return blockers;
}

}  // namespace

void leave_unattributed(UsageTable& usage) {
  for (auto& key : usage.keys)
    if (usage.text(key.team) == unattributed_team) key.team = {};
}

ContractTerms CompanyTerms::of(const Contract& contract) const {
  const auto known = history.find(contract.id);
  return {.contract = contract,
          .books = books,
          .capacity = capacity,
          .catalog = catalog ? &*catalog : nullptr,
          .history = known == history.end() ? ContractHistory() : known->second,
          .proposals = proposals};
}

Result<CompanyMonth> rate_company(const UsageTable& usage, const CompanyTerms& terms,
                                  int32_t month) {
  TRY(check_contracts(terms.contracts));
  CompanyMonth company;
  company.month = month;
  for (const auto& contract : terms.contracts) {
    TRY(auto rated, rate_contract(usage, terms.of(contract), month));
    company.allocations.push_back(allocate_month(rated, contract.zone));
    company.contracts.push_back(std::move(rated));
  }
  const auto utc = TimeZone::utc();
  const auto zone = terms.contracts.empty() ? utc : terms.contracts.front().zone;
  company.uncontracted =
      uncontracted(usage, terms.contracts, {zone.month_begin(month), zone.month_begin(month + 1)});
  return company;
}

std::vector<InvoiceDraft> company_invoices(const CompanyMonth& company, const UsageTable& usage,
                                           const InvoiceRequest& request) {
  std::map<std::string, InvoiceDraft> by_currency;
  for (const auto& allocation : company.allocations) {
    for (const auto& team : allocation.teams) {
      if (!pays(request, team.bill_to)) continue;
      auto& draft = by_currency[allocation.currency.code()];
      draft.currency = allocation.currency;
      draft.bill_to = request.bill_to;
      draft.month = request.month;
      draft.zone = request.zone.name();
      draft.period = month_of(request);
      add(draft, team);
    }
  }
  const auto open = open_blockers(company, usage, request);
  std::vector<InvoiceDraft> drafts;
  for (auto& [code, draft] : by_currency) {
    draft.blockers.insert(draft.blockers.end(), open.begin(), open.end());
    drafts.push_back(std::move(draft));
  }
  return drafts;
}

}  // namespace gauger::billing
