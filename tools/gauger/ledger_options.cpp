#include "tools/gauger/ledger_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "exporters/usage_report.h"

namespace gauger::tools {

void add_data_option(CLI::App& command, std::string& directory) {
  command.add_option("--data", directory, "the ledger's data directory")->required();
}

void PeriodOptions::add_to(CLI::App& command) {
  command.add_option("--from", from, "first instant, RFC 3339 or a date (UTC)");
  command.add_option("--until", until, "first instant after it");
  command
      .add_option("--period", period, "a month (2027-01) or day (2027-01-16) of the ledger's zone")
      ->excludes("--from")
      ->excludes("--until");
}

Result<Interval> PeriodOptions::interval(const TimeZone& zone) const {
  return exporters::parse_report_interval(period, from, until, zone);
}

void FilterOptions::add_to(CLI::App& command) {
  for (size_t i = 0; i < values.size(); ++i) {
    std::string name(ledger::dimension_names[i]);
    std::replace(name.begin(), name.end(), '_', '-');
    command.add_option("--" + name, values[i], "only this " + name)->group("Filters");
  }
}

std::vector<ledger::Filter> FilterOptions::filters() const {
  std::vector<ledger::Filter> filters;
  for (size_t i = 0; i < values.size(); ++i)
    if (!values[i].empty()) filters.push_back({static_cast<ledger::Dimension>(i), values[i]});
  return filters;
}

void print_table(const billing::TextTable& table, Output output) {
  fmt::print("{}", output == Output::csv ? table.csv() : table.text());
}

std::string grouped(int64_t number) {
  auto digits = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > (number < 0 ? 1 : 0); at -= 3)
    digits.insert(static_cast<size_t>(at), ",");
  return digits;
}

std::string json_text(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\')
      quoted += std::string("\\") + c;
    else if (static_cast<unsigned char>(c) < 0x20)
      quoted += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    else
      quoted += c;
  }
  return quoted + "\"";
}

}  // namespace gauger::tools
