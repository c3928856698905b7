#include "exporters/accounting/company_month.h"

#include <algorithm>

#include "exporters/accounting/usage_reading.h"

namespace gauger::exporters {
namespace {

using ledger::Dimension;

// What prices, shares and blockers are told apart by.
constexpr ledger::DimensionMask rated_dimensions =
    mask_of(Dimension::team) | mask_of(Dimension::project) | mask_of(Dimension::provider) |
    mask_of(Dimension::provider_account) | mask_of(Dimension::model) | mask_of(Dimension::region) |
    mask_of(Dimension::accelerator) | mask_of(Dimension::service_tier) |
    mask_of(Dimension::context_tier) | mask_of(Dimension::usage_source);

const billing::Contract* find_contract(const std::vector<billing::Contract>& contracts,
                                       const std::string& id) {
  for (const auto& contract : contracts)
    if (contract.id == id) return &contract;
  return nullptr;
}

}  // namespace

Result<RatingSource> RatingSource::open(LedgerView view, const std::vector<NamedText>& texts,
                                        std::optional<uint64_t> known_at) {
  RatingSource source;
  const auto head = view.reader->head().sequence;
  if (known_at && *known_at > head)
    return invalid_argument("block " + std::to_string(*known_at) +
                            " lies beyond the ledger's last block, " + std::to_string(head));
  source.documents_ =
      std::make_shared<ledger::Documents>(view.reader->store(), known_at.value_or(head));
  TRY(auto terms, TermsSource::open(texts, source.documents_.get(), view.name_space));
  source.terms_ = std::make_unique<TermsSource>(std::move(terms));
  source.view_ = std::move(view);
  return source;
}

Result<RatingSource> RatingSource::as_known_at(const RatingSource& other, uint64_t sequence) {
  return open(other.view_, {}, sequence);
}

Result<UsageTable> RatingSource::usage_of(const std::vector<billing::Contract>& contracts,
                                          int32_t month) const {
  ledger::UsageQuery query;
  const auto& first = contracts.front().zone;
  query.interval = {first.month_begin(month), first.month_begin(month + 1)};
  for (const auto& contract : contracts) {
    query.interval.from = std::min(query.interval.from, contract.zone.month_begin(month));
    query.interval.until = std::max(query.interval.until, contract.zone.month_begin(month + 1));
  }
  query.group = rated_dimensions;
  query.bucket = ledger::Bucket::grain;
  TRY(auto table, read_usage(view_, query));
  billing::leave_unattributed(table);
  return table;
}

// Month by month from where its commitment or credit began, each under the terms of its time.
Result<billing::ContractHistory> RatingSource::history(const billing::Contract& contract,
                                                       int32_t month, bool proposals) {
  billing::ContractHistory history;
  const auto first = billing::history_begins(contract, month);
  for (auto before = first; before < month; ++before) {
    if (note_)
      note_(contract.id, static_cast<uint64_t>(before - first),
            static_cast<uint64_t>(month - first));
    TRY(auto terms, terms_->month(before));
    const auto* then = find_contract(terms.company.contracts, contract.id);
    if (then == nullptr) continue;
    terms.company.history[contract.id] = history;
    terms.company.proposals = proposals;
    TRY(const auto table, usage_of({*then}, before));
    TRY(const auto rated, billing::rate_contract(table, terms.company.of(*then), before));
    add(history, rated);
  }
  return history;
}

Result<RatedMonth> RatingSource::rate(int32_t month, const std::string& contract, bool proposals,
                                      const UsageTable* usage) {
  RatedMonth rated;
  TRY(rated.terms, terms_->month(month));
  auto& contracts = rated.terms.company.contracts;
  if (contracts.empty())
    return invalid_argument("there is no contract for " + format_month(month) +
                            "; post terms with `gauger terms post`, or name files with --terms");
  if (!contract.empty() && find_contract(contracts, contract) == nullptr)
    return invalid_argument("there is no contract '" + contract + "' for " + format_month(month));
  if (usage != nullptr) {
    rated.usage = *usage;
  } else {
    TRY(rated.usage, usage_of(contracts, month));
  }
  rated.terms.company.proposals = proposals;
  auto terms = rated.terms.company;
  if (!contract.empty())
    std::erase_if(terms.contracts, [&](const auto& one) { return one.id != contract; });
  for (const auto& one : terms.contracts) {
    TRY(terms.history[one.id], history(one, month, proposals));
  }
  rated.terms.company.history = terms.history;
  TRY(rated.company, billing::rate_company(rated.usage, terms, month));
  if (!contract.empty()) rated.company.uncontracted.clear();
  for (size_t i = 0; i < terms.contracts.size(); ++i)
    rated.company.allocations[i].terms = billing::references_of(rated.terms, terms.contracts[i]);
  return rated;
}

}  // namespace gauger::exporters
