// Usage as a report: rows told apart by what somebody asked for, as a table, CSV or JSON. The
// command line and the server answer with the same bytes.
//
// Model tiers are looked up by the catalogue, day by day; rows that show the same are summed.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "billing/model_catalog.h"
#include "ledger/usage_query.h"
#include "schemas/time_zone.h"
#include "schemas/usage_table.h"

namespace gauger::exporters {

// What `by` may name beside the dimensions: model_tier and one of period, hour, day, month.
struct UsageGrouping {
  std::vector<std::string> columns;  // in the order they were named in
  ledger::DimensionMask mask = 0;
  ledger::Bucket bucket = ledger::Bucket::none;
  bool model_tier = false;
};
// Names by comma. invalid_argument names the one that is not known.
Result<UsageGrouping> parse_usage_grouping(std::string_view by);

// A tier is dated: it is looked up day by day.
ledger::Bucket bucket_of(const UsageGrouping& grouping);

// The interval of a report: a month (2027-01) or day (2027-01-16) of the zone, or two instants, of
// which each may be absent.
Result<Interval> parse_report_interval(std::string_view period, std::string_view from,
                                       std::string_view until, const TimeZone& zone);

// A row of the answer: its texts in the order of the columns, and its sums.
struct UsageLine {
  std::vector<std::string> texts;
  int64_t requests = 0;
  Counts counts{};
  std::vector<std::pair<std::string, int64_t>> extras;
};

struct UsageReport {
  std::vector<std::string> columns;
  std::vector<UsageLine> lines;  // by their texts
  uint64_t as_of_sequence = 0;
};

using TeamFilter = std::function<bool(std::string_view team)>;
// Rows of teams that `sees` says no to are left out; then the table must tell teams apart.
// `catalog` may be null where no tier is asked for.
Result<UsageReport> make_usage_report(const UsageTable& table, const UsageGrouping& grouping,
                                      const billing::ModelCatalog* catalog, const TimeZone& zone,
                                      const TeamFilter& sees = {});

std::string usage_table_text(const UsageReport& report);
std::string usage_csv(const UsageReport& report);
// `next_cursor` stands in it unless it is empty.
std::string usage_json(const UsageReport& report, std::string_view next_cursor = {});

// 1234567 -> "1,234,567".
std::string grouped(int64_t number);

}  // namespace gauger::exporters
