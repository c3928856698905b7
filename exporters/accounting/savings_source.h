// What savings and comparisons are made of: terms and programmes from texts and from the ledger's
// documents, usage from its rollups, and single events where a sum cannot answer.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "billing/savings/company_cost.h"
#include "billing/savings/statement.h"
#include "exporters/accounting/ledger_view.h"

namespace gauger::exporters {

inline constexpr std::string_view savings_statement_kind = "savings_statement";

// Months first..last, both included: "2027-01", "2027-01..2027-03", "2027-Q1" or "2027".
Result<billing::MonthRange> parse_month_range(const std::string& text);

// What the command rested on: for a document that is sealed.
struct SourceDocument {
  std::string kind;
  std::string id;
  std::string from;  // a file, or a version in the ledger
  std::string sha256;
};

// Price books, contracts, capacity records, model catalogue, programmes and alternatives.
struct SavingsDocuments {
  billing::SavingsTerms terms;
  std::vector<billing::Alternative> alternatives;
  std::vector<SourceDocument> sources;
  std::unique_ptr<billing::ModelCatalog> catalog;  // that terms.company points to
};
// `over` goes before `texts`, and they before the documents of the ledger with the same kind and
// id; a contract also takes the place of those that cover the same accounts. `view` may be null.
Result<SavingsDocuments> read_savings_documents(const std::vector<NamedText>& over,
                                                const std::vector<NamedText>& texts,
                                                const LedgerView* view);

class SavingsSource {
 public:
  // invalid_argument where there is no contract, but one is needed.
  static Result<SavingsSource> open(LedgerView view, std::vector<NamedText> texts,
                                    bool needs_contract = true);

  const billing::SavingsTerms& terms() const { return documents_.terms; }
  const SavingsDocuments& documents() const { return documents_; }
  // These texts in front of all others.
  Result<SavingsDocuments> documents_with(const std::vector<NamedText>& over) const;
  const ledger::Reader& reader() const { return *view_.reader; }
  const LedgerView& view() const { return view_; }
  // One calendar: that of the contracts which serve the programmes, or of all of them.
  Result<TimeZone> zone() const;

  // Rows of the fine grain, told apart by all but the namespace.
  Result<UsageTable> usage(const TimeZone& zone, billing::MonthRange months) const;
  Result<UsageTable> usage(Interval interval) const;

  // First month and interval that a statement of these months needs.
  Result<Interval> statement_interval(billing::MonthRange months) const;
  // Null where no teacher's price has a context boundary.
  Result<std::optional<UsageTable>> judged_usage(const UsageTable& usage, Interval interval) const;

  // With the problem `incomplete` where the ledger's clock has not passed the period.
  Result<billing::SavingsStatement> statement(const billing::SavingsRequest& request) const;

 private:
  Result<int32_t> first_month(const TimeZone& zone, int32_t month) const;

  LedgerView view_;
  std::vector<NamedText> texts_;
  SavingsDocuments documents_;
};

}  // namespace gauger::exporters
