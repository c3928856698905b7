// What several sub-commands take: the data directory, filters, intervals, and tables of text.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "billing/text_table.h"
#include "ledger/usage_query.h"
#include "schemas/instant.h"
#include "schemas/result.h"
#include "schemas/time_zone.h"
#include "tools/gauger/command.h"

namespace gauger::tools {

// --data DIR, required.
void add_data_option(CLI::App& command, std::string& directory);

// --from, --until and --period (2027-01 or 2027-01-16), for what a report covers.
struct PeriodOptions {
  std::string from;
  std::string until;
  std::string period;
  void add_to(CLI::App& command);
  // In the zone; everything when nothing was given.
  Result<Interval> interval(const TimeZone& zone) const;
};

// --team X, --model X, ... : one option per dimension.
struct FilterOptions {
  std::vector<std::string> values = std::vector<std::string>(ledger::dimension_names.size());
  void add_to(CLI::App& command);
  std::vector<ledger::Filter> filters() const;
};

// As text, or as CSV where that was asked for.
void print_table(const billing::TextTable& table, Output output);

// 1234567 -> "1,234,567".
std::string grouped(int64_t number);
// A JSON string, quoted and escaped.
std::string json_text(std::string_view text);

}  // namespace gauger::tools
