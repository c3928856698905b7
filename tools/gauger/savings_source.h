// What commands about savings and comparisons read: terms and programmes from files and from the
// ledger's documents, usage from its rollups, and single events where a sum cannot answer.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "billing/savings/company_cost.h"
#include "billing/savings/statement.h"
#include "ledger/reader.h"

namespace gauger::tools {

// --data, --terms FILE..., of these commands.
struct SavingsOptions {
  std::string data;
  std::vector<std::string> terms;
  // `flag` names the terms; they stand behind a command's own.
  void add_to(CLI::App& command, const std::string& flag = "--terms");
};

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
// `over` goes before `files`, and they before the documents of the ledger with the same kind and
// id; a contract also takes the place of those that cover the same accounts. `documents` may be
// null.
Result<SavingsDocuments> read_savings_documents(const std::vector<std::string>& over,
                                                const std::vector<std::string>& files,
                                                const ledger::Documents* documents);

class SavingsSource {
 public:
  // invalid_argument where there is no contract, but one is needed.
  static Result<SavingsSource> open(const SavingsOptions& options, bool needs_contract = true);

  const billing::SavingsTerms& terms() const { return documents_.terms; }
  const SavingsDocuments& documents() const { return documents_; }
  // These files in front of all others.
  Result<SavingsDocuments> documents_with(const std::vector<std::string>& over) const;
  const ledger::Reader& reader() const { return *reader_; }
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

  std::vector<std::string> files_;
  std::unique_ptr<ledger::Reader> reader_;
  SavingsDocuments documents_;
};

}  // namespace gauger::tools
