// What commands about savings and comparisons read: terms and programmes from files and from the
// ledger's documents, usage from its rollups, and single events where a sum cannot answer.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "billing/savings/statement.h"
#include "ledger/reader.h"

namespace gauger::tools {

// --data, --terms FILE..., of these commands.
struct SavingsOptions {
  std::string data;
  std::vector<std::string> terms;
  void add_to(CLI::App& command);
};

// Months first..last, both included: "2027-01", "2027-01..2027-03", "2027-Q1" or "2027".
struct MonthRange {
  int32_t first = 0;
  int32_t last = 0;
};
Result<MonthRange> parse_month_range(const std::string& text);

// Price books, contracts, capacity records, model catalogue and programmes. A file goes before
// the document of the ledger with the same kind and id. `documents` may be null.
struct SavingsDocuments {
  billing::SavingsTerms terms;
};
Result<SavingsDocuments> read_savings_documents(const std::vector<std::string>& files,
                                                const ledger::Documents* documents);

class SavingsSource {
 public:
  static Result<SavingsSource> open(const SavingsOptions& options);

  const billing::SavingsTerms& terms() const { return documents_.terms; }
  const ledger::Reader& reader() const { return *reader_; }
  // One calendar: that of the contracts which serve the programmes, or of all of them.
  Result<TimeZone> zone() const;

  // Rows of the fine grain, told apart by all but the namespace.
  Result<UsageTable> usage(const TimeZone& zone, MonthRange months) const;
  Result<UsageTable> usage(Interval interval) const;

  // With the problem `incomplete` where the ledger's clock has not passed the period.
  Result<billing::SavingsStatement> statement(const billing::SavingsRequest& request) const;

 private:
  Result<int32_t> first_month(const TimeZone& zone, int32_t month) const;
  Result<UsageTable> judged_usage(const UsageTable& usage, Interval interval) const;

  std::unique_ptr<ledger::Reader> reader_;
  SavingsDocuments documents_;
};

}  // namespace gauger::tools
