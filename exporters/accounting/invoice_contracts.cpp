// Invoices of contracts: what the allocation of each closed month, with its corrections, hands down
// to the teams of a bill-to. Nothing is rated here; a month that is not closed blocks.
#include <algorithm>
#include <iterator>
#include <map>

#include "billing/contracts/closed_month.h"
#include "billing/contracts/contract_rating.h"
#include "exporters/accounting/invoice_rating.h"
#include "exporters/accounting/terms_source.h"

namespace gauger::exporters {
namespace {

using billing::BillToMonth;
using billing::BillToMonths;
using billing::BlockerKind;

struct Closed {
  billing::ClosedMonth month;
  billing::TermsReference reference;  // the last version
};

// The closed months of all contracts, by contract.
Result<std::map<std::string, Closed>> closed_months(const ledger::Documents& documents,
                                                    std::string_view name_space, int32_t month) {
  std::map<std::string, std::vector<std::string>> contents;
  std::map<std::string, ledger::DocumentVersion> last;
  const auto suffix = billing::allocation_id("", month);
  TRY(documents.each(name_space, billing::allocation_kind,
                     [&](const ledger::DocumentVersion& version) -> Result<bool> {
                       if (!version.key.id.ends_with(suffix)) return true;
                       TRY(auto document, documents.read(version));
                       contents[version.key.id].push_back(std::move(document.content));
                       last[version.key.id] = version;
                       return true;
                     }));
  std::map<std::string, Closed> closed;
  for (const auto& [id, texts] : contents) {
    TRY(auto read, billing::read_closed_month(texts, id));
    const auto& version = last.at(id);
    const auto contract = read.allocation.contract;
    closed.emplace(contract,
                   Closed{std::move(read),
                          {std::string(billing::allocation_kind), id,
                           std::to_string(version.version), ledger::to_hex(version.content_hash)}});
  }
  return closed;
}

// A team pays whole months of contracts.
Result<void> check_no_move(const billing::Organisation* organisation, Interval period) {
  if (organisation == nullptr) return success();
  for (const auto& [team, memberships] : organisation->teams)
    for (const auto& one : memberships)
      if (one.from > period.from && one.from < period.until)
        return invalid_argument("team " + team + " moves at " + format_instant(one.from) +
                                ", and contracts are allocated by whole months; let it move at " +
                                format_instant(period.until));
  return success();
}

Result<BillToMonth*> open_month(BillToMonths& months, const std::string& bill_to, int32_t month,
                                const billing::Currency& currency) {
  auto [found, fresh] = months.try_emplace(bill_to);
  auto& one = found->second;
  if (fresh) {
    one.month.month = month;
    one.currency = currency;
  }
  if (one.currency != currency)
    return invalid_argument(bill_to + " has contracts in " + one.currency.code() + " and " +
                            currency.code() + "; one invoice has one currency");
  return &one;
}

void add_line(BillToMonth& month, const billing::InvoiceLine& line, const std::string& source,
              billing::PartBasis basis) {
  auto& parts = month.month.parts;
  auto part = std::find_if(parts.begin(), parts.end(), [&](const auto& one) {
    return one.source == source && one.basis == basis;
  });
  if (part == parts.end()) part = parts.insert(parts.end(), {basis, source, true, 0, {}});
  part->total_minor += line.amount_minor;
  part->lines.push_back(line);
}

Result<void> add_closed(const Closed& closed, const billing::Organisation* organisation,
                        Interval period, BillToMonths& months) {
  const auto& allocation = closed.month.allocation;
  if (allocation.period != period)
    return invalid_argument("contract " + allocation.contract + " has months from " +
                            format_instant(allocation.period.from) + ", the issuer's begin at " +
                            format_instant(period.from));
  const auto source = allocation.contract + " " + allocation.version;
  const auto put = [&](const std::vector<billing::InvoiceLine>& lines,
                       billing::PartBasis basis) -> Result<void> {
    for (const auto& line : lines) {
      TRY(auto* month, open_month(months, billing::bill_to_at(organisation, line.team, period.from),
                                  allocation.month, allocation.currency));
      add_line(*month, line, source, basis);
    }
    return success();
  };
  TRY(put(lines_of(allocation), billing::PartBasis::contract));
  // What came late pays the closing average, which is no price of a book.
  TRY(put(lines_of(allocation, closed.month.posted), billing::PartBasis::chargeback));
  for (const auto& team : allocation.teams) {
    TRY(auto* month,
        open_month(months, billing::bill_to_at(organisation, team.bill_to, period.from),
                   allocation.month, allocation.currency));
    month->blockers.insert(month->blockers.end(), team.blockers.begin(), team.blockers.end());
  }
  return success();
}

// Usage of accounts that no contract covers has no price.
void add_uncontracted(const UsageTable& usage, std::span<const billing::Contract> contracts,
                      const billing::Organisation* organisation, Interval period,
                      BillToMonths& months) {
  billing::Rated names;
  names.strings = usage.strings;
  names.keys = usage.keys;
  for (const auto& open : billing::uncontracted(usage, contracts, period)) {
    const auto team = usage.text(usage.keys[open.key].team);
    months[billing::bill_to_at(organisation, team, open.from)].blockers.push_back(
        blocker_of(names, open));
  }
}

void add_unclosed(const std::string& contract, int32_t month, BillToMonths& months) {
  for (auto& [bill_to, one] : months) {
    billing::Blocker blocker{BlockerKind::unallocated,
                             "contract " + contract + " is not closed for " + format_month(month),
                             1};
    blocker.subject.item = contract;
    one.blockers.push_back(std::move(blocker));
  }
}

}  // namespace

Result<RatedBillTos> InvoiceRating::month_of_contracts(const UsageTable& usage,
                                                       const InvoiceTerms& terms, Interval period,
                                                       int32_t month) const {
  const auto documents = view_->documents();
  TRY(auto source, TermsSource::open({}, &documents, view_->name_space));
  TRY(const auto known, source.month(month));
  const auto* organisation = terms.organisation   ? &*terms.organisation
                             : known.organisation ? &*known.organisation
                                                  : nullptr;
  TRY(check_no_move(organisation, period));
  TRY(const auto closed, closed_months(documents, view_->name_space, month));
  if (known.company.contracts.empty() && closed.empty())
    return invalid_argument("there is neither --book nor a contract for " + format_month(month));
  BillToMonths months;
  for (const auto& [contract, one] : closed) {
    TRY(add_closed(one, organisation, period, months));
  }
  std::vector<billing::TermsReference> references;
  if (!terms.organisation)
    std::copy_if(known.references.begin(), known.references.end(), std::back_inserter(references),
                 [](const auto& reference) { return reference.kind == "organisation"; });
  for (const auto& [contract, one] : closed) {
    references.push_back(one.reference);
    const auto& own = one.month.allocation.terms;
    references.insert(references.end(), own.begin(), own.end());
  }
  // Who has usage and no line yet is there too, or nobody would see what blocks.
  for (const auto& row : usage.rows) {
    const auto team = usage.text(usage.key(row).team);
    auto [found, fresh] = months.try_emplace(billing::bill_to_at(organisation, team, row.period));
    if (!fresh) continue;
    found->second.month.month = month;
    if (!known.company.contracts.empty())
      found->second.currency = known.company.contracts.front().currency;
  }
  for (const auto& contract : known.company.contracts)
    if (!closed.contains(contract.id)) add_unclosed(contract.id, month, months);
  add_uncontracted(usage, known.company.contracts, organisation, period, months);
  for (auto& [bill_to, one] : months)
    one.usage =
        billing::seal_usage(usage, period, [&, &payer = bill_to](const UsageKey& key, Instant at) {
          return billing::bill_to_at(organisation, usage.text(key.team), at) == payer;
        });
  add_ledger_blockers(organisation, period, months);
  TRY(auto rated, settled(std::move(months), month));
  for (auto& [bill_to, one] : rated) one.references = references;
  return rated;
}

}  // namespace gauger::exporters
