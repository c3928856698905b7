#include "exporters/usage_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "billing/json_value.h"
#include "billing/text_table.h"

namespace gauger::exporters {
namespace {

using ledger::Bucket;
using ledger::Dimension;

std::optional<Bucket> find_bucket(std::string_view name) {
  if (name == "period") return Bucket::grain;
  if (name == "hour") return Bucket::hour;
  if (name == "day") return Bucket::day;
  if (name == "month") return Bucket::month;
  return std::nullopt;
}

std::optional<Dimension> find_dimension(std::string_view name) {
  return find_name<Dimension>(ledger::dimension_names, name);
}

std::string context_tier_name(const UsageTable& table, ContextTier tier) {
  const auto& boundaries = table.context_boundaries;
  const auto from = tier == 0 ? 0 : boundaries[tier - 1U];
  if (tier >= boundaries.size()) return fmt::format(">{}", from);
  return fmt::format("{}-{}", from, boundaries[tier]);
}

std::string dimension_text(const UsageTable& table, const UsageKey& key, Dimension dimension) {
  switch (dimension) {
    case Dimension::name_space: return std::string(table.text(key.name_space));
    case Dimension::team: return std::string(table.text(key.team));
    case Dimension::project: return std::string(table.text(key.project));
    case Dimension::workload: return std::string(table.text(key.workload));
    case Dimension::provider: return std::string(table.text(key.provider));
    case Dimension::provider_account: return std::string(table.text(key.provider_account));
    case Dimension::model: return std::string(table.text(key.model));
    case Dimension::region: return std::string(table.text(key.region));
    case Dimension::accelerator: return std::string(table.text(key.accelerator));
    case Dimension::program: return std::string(table.text(key.program));
    case Dimension::service_tier: return std::string(to_string(key.service_tier));
    case Dimension::context_tier: return context_tier_name(table, key.context_tier);
    case Dimension::role: return std::string(to_string(key.role));
    case Dimension::outcome: return std::string(to_string(key.outcome));
    case Dimension::purpose: return std::string(to_string(key.purpose));
    case Dimension::exposure: return std::string(to_string(key.exposure));
    case Dimension::usage_source: return std::string(to_string(key.usage_source));
  }
  return {};
}

std::string text_of(const UsageTable& table, const UsageRow& row, const std::string& column,
                    const std::string& tier, const TimeZone& zone) {
  if (column == "model_tier") return tier;
  if (column == "period" || column == "hour") return format_instant(row.period);
  if (column == "day") return format_day(zone.local_day(row.period));
  if (column == "month") return format_month(zone.local_month(row.period));
  return dimension_text(table, table.key(row), *find_dimension(column));
}

void add_to(UsageLine& sum, UsageLine line) {
  sum.requests += line.requests;
  for (size_t i = 0; i < meter_count; ++i) sum.counts[i] += line.counts[i];
  for (auto& [name, count] : line.extras) {
    const auto found =
        std::find_if(sum.extras.begin(), sum.extras.end(),
                     [&known = name](const auto& extra) { return extra.first == known; });
    if (found == sum.extras.end())
      sum.extras.emplace_back(std::move(name), count);
    else
      found->second += count;
  }
}

std::vector<UsageLine> summed(std::vector<UsageLine> lines) {
  std::sort(lines.begin(), lines.end(),
            [](const UsageLine& a, const UsageLine& b) { return a.texts < b.texts; });
  std::vector<UsageLine> sums;
  for (auto& line : lines) {
    if (sums.empty() || sums.back().texts != line.texts)
      sums.push_back(std::move(line));
    else
      add_to(sums.back(), std::move(line));
  }
  return sums;
}

// 3,600,000,000 accelerator-us = 1 hour, to four digits, cut off.
std::string hours(int64_t us) {
  return fmt::format("{}.{:04}", us / 3'600'000'000, us % 3'600'000'000 / 360'000);
}

std::string extras_text(const UsageLine& line) {
  std::string text;
  for (const auto& [name, count] : line.extras)
    text += (text.empty() ? "" : " ") + name + "=" + std::to_string(count);
  return text;
}

}  // namespace

Result<UsageGrouping> parse_usage_grouping(std::string_view by) {
  UsageGrouping grouping;
  for (size_t begin = 0; begin <= by.size();) {
    const auto end = std::min(by.find(',', begin), by.size());
    const auto name = by.substr(begin, end - begin);
    begin = end + 1;
    if (name.empty()) continue;
    if (const auto dimension = find_dimension(name)) {
      grouping.mask |= ledger::mask_of(*dimension);
    } else if (name == "model_tier" || name == "tier") {
      grouping.model_tier = true;
      grouping.mask |= ledger::mask_of(Dimension::provider) | ledger::mask_of(Dimension::model);
    } else if (const auto bucket = find_bucket(name)) {
      if (grouping.bucket != Bucket::none)
        return invalid_argument("usage is told apart by one of period, hour, day and month");
      grouping.bucket = *bucket;
    } else {
      return invalid_argument(
          fmt::format("usage is not told apart by '{}', but by period, hour, day, month, "
                      "model_tier, {}",
                      name, fmt::join(ledger::dimension_names, ", ")));
    }
    auto column = name == "tier" ? std::string("model_tier") : std::string(name);
    if (std::find(grouping.columns.begin(), grouping.columns.end(), column) !=
        grouping.columns.end())
      return invalid_argument("'" + column + "' is named twice");
    grouping.columns.push_back(std::move(column));
  }
  return grouping;
}

ledger::Bucket bucket_of(const UsageGrouping& grouping) {
  return grouping.model_tier && grouping.bucket == Bucket::none ? Bucket::day : grouping.bucket;
}

Result<Interval> parse_report_interval(std::string_view period, std::string_view from,
                                       std::string_view until, const TimeZone& zone) {
  if (!period.empty() && (!from.empty() || !until.empty()))
    return invalid_argument("give a period or two instants, not both");
  if (period.size() == 7) {
    TRY(const auto month, parse_month(period));
    return Interval{zone.month_begin(month), zone.month_begin(month + 1)};
  }
  if (!period.empty()) {
    if (period.size() != 10)
      return invalid_argument("a period is a month (2027-01) or a day (2027-01-16), not '" +
                              std::string(period) + "'");
    TRY(const auto midnight, parse_instant(period));
    const auto day = TimeZone::utc().local_day(midnight);
    return Interval{zone.day_begin(day), zone.day_begin(day + 1)};
  }
  // Years 1970 to 2200: everything that a ledger may hold.
  Interval all{Instant{}, Instant{std::chrono::days{84'006}}};
  if (!from.empty()) {
    TRY(all.from, parse_instant(from));
  }
  if (!until.empty()) {
    TRY(all.until, parse_instant(until));
  }
  return all;
}

Result<UsageReport> make_usage_report(const UsageTable& table, const UsageGrouping& grouping,
                                      const billing::ModelCatalog* catalog, const TimeZone& zone,
                                      const TeamFilter& sees) {
  UsageReport report;
  report.columns = grouping.columns;
  report.as_of_sequence = table.as_of_sequence;
  if (grouping.model_tier && catalog == nullptr)
    return invalid_argument("model_tier needs a model catalogue");
  std::vector<UsageLine> lines;
  for (const auto& row : table.rows) {
    const auto& key = table.key(row);
    if (sees && !sees(table.text(key.team))) continue;
    std::string tier;
    if (grouping.model_tier) {
      TRY(tier, billing::model_tier(*catalog, table.text(key.provider), table.text(key.model),
                                    row.period));
    }
    UsageLine line;
    for (const auto& column : grouping.columns)
      line.texts.push_back(text_of(table, row, column, tier, zone));
    line.requests = row.requests;
    line.counts = row.counts;
    for (uint32_t i = 0; i < row.extras_count; ++i) {
      const auto& extra = table.extras[row.extras_begin + i];
      line.extras.emplace_back(table.text(extra.name), extra.count);
    }
    lines.push_back(std::move(line));
  }
  report.lines = summed(std::move(lines));
  return report;
}

std::string usage_table_text(const UsageReport& report) {
  using billing::Align;
  using billing::TextTable;
  Counts used{};
  bool any_extras = false;
  for (const auto& line : report.lines) {
    for (size_t i = 0; i < meter_count; ++i) used[i] |= line.counts[i];
    any_extras = any_extras || !line.extras.empty();
  }
  std::vector<TextTable::Column> columns;
  for (const auto& column : report.columns) columns.push_back({column, Align::left});
  columns.push_back({"requests", Align::right});
  for (size_t i = 0; i < meter_count; ++i)
    if (used[i] != 0)
      columns.push_back({static_cast<Meter>(i) == Meter::compute_us ? "compute_hours"
                                                                    : std::string(meter_names[i]),
                         Align::right});
  if (any_extras) columns.push_back({"extras", Align::left});
  TextTable text(std::move(columns));
  for (const auto& line : report.lines) {
    auto cells = line.texts;
    cells.push_back(grouped(line.requests));
    for (size_t i = 0; i < meter_count; ++i)
      if (used[i] != 0)
        cells.push_back(static_cast<Meter>(i) == Meter::compute_us ? hours(line.counts[i])
                                                                   : grouped(line.counts[i]));
    if (any_extras) cells.push_back(extras_text(line));
    text.add(std::move(cells));
  }
  return text.text() + fmt::format("as of journal block {}\n", report.as_of_sequence);
}

std::string usage_csv(const UsageReport& report) {
  using billing::TextTable;
  std::vector<TextTable::Column> columns;
  for (const auto& column : report.columns) columns.push_back({column});
  columns.push_back({"requests"});
  for (const auto name : meter_names) columns.push_back({std::string(name)});
  columns.push_back({"extras"});
  TextTable text(std::move(columns));
  for (const auto& line : report.lines) {
    auto cells = line.texts;
    cells.push_back(std::to_string(line.requests));
    for (const auto count : line.counts) cells.push_back(std::to_string(count));
    cells.push_back(extras_text(line));
    text.add(std::move(cells));
  }
  return text.csv();
}

std::string usage_json(const UsageReport& report, std::string_view next_cursor) {
  using billing::JsonValue;
  JsonValue json;
  json["as_of_sequence"] = static_cast<int64_t>(report.as_of_sequence);
  if (!next_cursor.empty()) json["next_cursor"] = next_cursor;
  JsonValue::Array rows;
  for (const auto& line : report.lines) {
    JsonValue row;
    for (size_t i = 0; i < report.columns.size(); ++i) row[report.columns[i]] = line.texts[i];
    row["requests"] = line.requests;
    for (size_t i = 0; i < meter_count; ++i)
      if (line.counts[i] != 0) row[meter_names[i]] = line.counts[i];
    if (!line.extras.empty()) {
      JsonValue extras;
      for (const auto& [name, count] : line.extras) extras[name] = count;
      row["extras"] = std::move(extras);
    }
    rows.push_back(std::move(row));
  }
  json["rows"] = std::move(rows);
  return json.canonical() + "\n";
}

std::string grouped(int64_t number) {
  auto digits = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > (number < 0 ? 1 : 0); at -= 3)
    digits.insert(static_cast<size_t>(at), ",");
  return digits;
}

}  // namespace gauger::exporters
