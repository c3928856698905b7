// gauger usage: what was used, by anything that usage is told apart by.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>

#include "billing/model_catalog.h"
#include "ledger/reader.h"
#include "tools/gauger/command.h"
#include "tools/gauger/ledger_options.h"
#include "tools/gauger/terms_source.h"
#include "tools/gauger/text_file.h"
#include "tools/gauger/usage_reading.h"

namespace gauger::tools {
namespace {

using ledger::Bucket;
using ledger::Dimension;

struct Options {
  std::string data;
  std::string by = "team,model";
  std::string models;
  PeriodOptions period;
  FilterOptions filters;
  Output output = Output::table;
};

// What --by may name beside the dimensions.
struct Grouping {
  std::vector<std::string> columns;  // in the order of --by
  ledger::DimensionMask mask = 0;
  Bucket bucket = Bucket::none;
  bool model_tier = false;
};

Result<Grouping> parse_grouping(const std::string& by) {
  Grouping grouping;
  for (size_t begin = 0; begin <= by.size();) {
    const auto end = std::min(by.find(',', begin), by.size());
    const auto name = by.substr(begin, end - begin);
    begin = end + 1;
    const auto found =
        std::find(ledger::dimension_names.begin(), ledger::dimension_names.end(), name);
    if (found != ledger::dimension_names.end()) {
      grouping.mask |=
          ledger::mask_of(static_cast<Dimension>(found - ledger::dimension_names.begin()));
    } else if (name == "model_tier" || name == "tier") {
      grouping.model_tier = true;
      grouping.mask |= ledger::mask_of(Dimension::provider) | ledger::mask_of(Dimension::model);
    } else if (name == "hour" || name == "day" || name == "month" || name == "period") {
      if (grouping.bucket != Bucket::none)
        return invalid_argument("--by takes one of period, hour, day and month");
      grouping.bucket = name == "hour"    ? Bucket::hour
                        : name == "day"   ? Bucket::day
                        : name == "month" ? Bucket::month
                                          : Bucket::grain;
    } else if (!name.empty()) {
      return invalid_argument("--by does not know '" + name +
                              "'; it takes period, hour, day, month, model_tier, " +
                              fmt::format("{}", fmt::join(ledger::dimension_names, ", ")));
    }
    if (!name.empty()) grouping.columns.push_back(name == "tier" ? "model_tier" : name);
  }
  return grouping;
}

// A row of the answer: its texts in the order of the columns, and its sums.
struct Line {
  std::vector<std::string> texts;
  int64_t requests = 0;
  Counts counts{};
  std::vector<std::pair<std::string, int64_t>> extras;

  void add_extra(std::string_view name, int64_t count) {
    for (auto& extra : extras)
      if (extra.first == name) {
        extra.second += count;
        return;
      }
    extras.emplace_back(name, count);
  }
};

std::string context_tier_name(const UsageTable& table, ContextTier tier) {
  const auto& boundaries = table.context_boundaries;
  const auto from = tier == 0 ? 0 : boundaries[tier - 1U];
  if (tier >= boundaries.size()) return fmt::format(">{}", from);
  return fmt::format("{}-{}", from, boundaries[tier]);
}

std::string text_of(const UsageTable& table, const UsageRow& row, const std::string& column,
                    const std::string& tier, const TimeZone& zone) {
  const auto& key = table.key(row);
  if (column == "model_tier") return tier;
  if (column == "period" || column == "hour") return format_instant(row.period);
  if (column == "day") return format_day(zone.local_day(row.period));
  if (column == "month") return format_month(zone.local_month(row.period));
  const auto found =
      std::find(ledger::dimension_names.begin(), ledger::dimension_names.end(), column);
  switch (static_cast<Dimension>(found - ledger::dimension_names.begin())) {
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

// Rows to lines: the model tier is looked up here, and rows of one tier are summed.
Result<std::vector<Line>> make_lines(const UsageTable& table, const Grouping& grouping,
                                     const std::optional<billing::ModelCatalog>& catalog,
                                     const TimeZone& zone) {
  std::vector<Line> lines;
  for (const auto& row : table.rows) {
    std::string tier;
    if (grouping.model_tier) {
      const auto& key = table.key(row);
      TRY(tier, billing::model_tier(*catalog, table.text(key.provider), table.text(key.model),
                                    row.period));
    }
    Line line;
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
  std::sort(lines.begin(), lines.end(),
            [](const Line& a, const Line& b) { return a.texts < b.texts; });
  std::vector<Line> summed;
  for (auto& line : lines) {
    if (summed.empty() || summed.back().texts != line.texts) {
      summed.push_back(std::move(line));
      continue;
    }
    summed.back().requests += line.requests;
    for (size_t i = 0; i < meter_count; ++i) summed.back().counts[i] += line.counts[i];
    for (const auto& extra : line.extras) summed.back().add_extra(extra.first, extra.second);
  }
  return summed;
}

// 3,600,000,000 accelerator-us = 1 hour, to four digits, cut off.
std::string hours(int64_t us) {
  return fmt::format("{}.{:04}", us / 3'600'000'000, us % 3'600'000'000 / 360'000);
}

void print_text(const UsageTable& table, const Grouping& grouping, const std::vector<Line>& lines,
                bool csv) {
  Counts totals{};
  for (const auto& line : lines)
    for (size_t i = 0; i < meter_count; ++i) totals[i] |= line.counts[i];
  auto heading = grouping.columns;
  heading.emplace_back("requests");
  for (size_t i = 0; i < meter_count; ++i)
    if (csv || totals[i] != 0)
      heading.emplace_back(!csv && static_cast<Meter>(i) == Meter::compute_us ? "compute_hours"
                                                                              : meter_names[i]);
  heading.emplace_back("extras");
  bool any_extras = csv;
  for (const auto& line : lines) any_extras = any_extras || !line.extras.empty();
  if (!any_extras) heading.pop_back();
  TextTable text(heading);
  for (const auto& line : lines) {
    auto cells = line.texts;
    cells.push_back(csv ? std::to_string(line.requests) : grouped(line.requests));
    for (size_t i = 0; i < meter_count; ++i) {
      if (csv)
        cells.push_back(std::to_string(line.counts[i]));
      else if (totals[i] != 0)
        cells.push_back(static_cast<Meter>(i) == Meter::compute_us ? hours(line.counts[i])
                                                                   : grouped(line.counts[i]));
    }
    if (any_extras) {
      std::string extras;
      for (const auto& [name, count] : line.extras)
        extras += (extras.empty() ? "" : " ") + name + "=" + std::to_string(count);
      cells.push_back(extras);
    }
    text.add(std::move(cells));
  }
  if (csv) return text.print_csv();
  text.print();
  fmt::print("as of journal block {}\n", table.as_of_sequence);
}

void print_json(const UsageTable& table, const Grouping& grouping, const std::vector<Line>& lines) {
  fmt::print("{{\n  \"as_of_sequence\": {},\n  \"rows\": [", table.as_of_sequence);
  bool first = true;
  for (const auto& line : lines) {
    fmt::print("{}\n    {{", first ? "" : ",");
    first = false;
    for (size_t i = 0; i < grouping.columns.size(); ++i)
      fmt::print("{}: {}, ", json_text(grouping.columns[i]), json_text(line.texts[i]));
    fmt::print("\"requests\": {}", line.requests);
    for (size_t i = 0; i < meter_count; ++i)
      if (line.counts[i] != 0) fmt::print(", \"{}\": {}", meter_names[i], line.counts[i]);
    if (!line.extras.empty()) {
      fmt::print(", \"extras\": {{");
      for (size_t i = 0; i < line.extras.size(); ++i)
        fmt::print("{}{}: {}", i == 0 ? "" : ", ", json_text(line.extras[i].first),
                   line.extras[i].second);
      fmt::print("}}");
    }
    fmt::print("}}");
  }
  fmt::print("\n  ]\n}}\n");
}

// A file, or the catalogue that was posted to the ledger.
Result<billing::ModelCatalog> read_catalog(const Options& options, const ledger::Reader& reader) {
  if (!options.models.empty()) {
    TRY(const auto text, read_text_file(options.models));
    return billing::parse_model_catalog(text, options.models);
  }
  const auto documents = reader.documents();
  TRY(auto source, TermsSource::open({}, &documents));
  TRY(auto terms, source.latest());
  if (!terms.company.catalog)
    return invalid_argument(
        "--by model_tier needs a model catalogue: --models FILE, or `gauger terms post`");
  return std::move(*terms.company.catalog);
}

Result<void> run_usage(const Options& options) {
  TRY(const auto grouping, parse_grouping(options.by));
  TRY(const auto reader, ledger::Reader::open(options.data));
  std::optional<billing::ModelCatalog> catalog;
  if (grouping.model_tier) {
    TRY(catalog, read_catalog(options, *reader));
  }
  TRY(const auto zone, TimeZone::find(reader->config().time_zone));
  ledger::UsageQuery query;
  TRY(query.interval, options.period.interval(zone));
  query.group = grouping.mask;
  query.bucket = grouping.bucket;
  // A tier is dated: it is looked up day by day.
  if (grouping.model_tier && query.bucket == Bucket::none) query.bucket = Bucket::day;
  query.filters = options.filters.filters();
  TRY(const auto table, read_usage(*reader, query));
  TRY(const auto lines, make_lines(table, grouping, catalog, zone));
  if (options.output == Output::json)
    print_json(table, grouping, lines);
  else
    print_text(table, grouping, lines, options.output == Output::csv);
  return success();
}

}  // namespace

void add_usage_command(CLI::App& app, Run& run) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("usage", "tokens, requests and compute time that were used");
  command->footer(
      "Example: gauger usage --data ./ledger --by team,model --period 2026-10 --output json");
  add_data_option(*command, options->data);
  command
      ->add_option("--by", options->by,
                   "what to tell apart, by comma: team, model, model_tier, project, workload, "
                   "period, hour, day, month, or any part of the usage key")
      ->default_str("team,model");
  command->add_option("--models", options->models,
                      "the model catalogue, for model_tier; default the posted one");
  options->period.add_to(*command);
  options->filters.add_to(*command);
  add_output_option(*command, options->output);
  command->callback([options, &run] { run = [options] { return run_usage(*options); }; });
}

}  // namespace gauger::tools
