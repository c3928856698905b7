// From the files of a provider to a Statement: pages of one report are joined, a page that comes
// twice counts once, two pages that disagree are refused. What a file does not say (days, currency,
// provider) must be said in the options, or the refusal names what is missing. Numbers never pass
// through floating point. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "billing/pattern.h"
#include "billing/reconciliation/statement.h"
#include "billing/reconciliation/statement_mapping.h"

namespace gauger::billing {

// A file as it lies on disk, decompressed. The views outlive the call.
struct ReportFile {
  std::string_view name;
  std::string_view bytes;
};

// Only rows whose column matches, of the CSV formats.
struct ColumnFilter {
  std::string column;
  Pattern value;
};

// Which of FOCUS's four costs is what is owed.
enum class FocusCost : uint8_t { billed, effective, contracted, list };
inline constexpr std::array<std::string_view, 4> focus_cost_names = {"billed", "effective",
                                                                     "contracted", "list"};

struct ReadOptions {
  std::string provider;                     // in the ledger's words; empty: the format's usual one
  TimeZone zone = TimeZone::utc();          // of the statement's days
  std::string currency;                     // of amounts that name none
  std::optional<DayRange> days;             // what the statement covers, where its file is silent
  std::vector<std::string> accounts;        // it covers only these
  std::vector<std::string> excluded_tiers;  // it leaves these out
  std::vector<ColumnFilter> where;
  FocusCost cost = FocusCost::billed;
  const StatementMapping* mapping = nullptr;  // for mapped_csv
};

Result<Statement> read_statement(StatementFormat format, std::span<const ReportFile> files,
                                 const ReadOptions& options);

// By what stands in the file; invalid_argument says what it looks like instead.
Result<StatementFormat> guess_format(const ReportFile& file);

}  // namespace gauger::billing
