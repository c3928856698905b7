// gauger quarantine: the records that were not counted, and why.
#include <fmt/format.h>

#include <cstdio>
#include <map>
#include <memory>

#include "ledger/reader.h"
#include "tools/gauger/command.h"
#include "tools/gauger/ledger_options.h"

namespace gauger::tools {
namespace {

struct Options {
  std::string data;
  std::string reason;
  std::string id;
  size_t limit = 100;
  Output output = Output::table;
};

bool matches(const Options& options, const ledger::QuarantinedRecord& record) {
  return options.reason.empty() || to_string(record.reason) == options.reason;
}

Result<void> check_reason(const Options& options) {
  if (options.reason.empty()) return success();
  for (const auto name : reject_reason_names)
    if (name == options.reason) return success();
  return invalid_argument("--reason does not know '" + options.reason + "'; it takes one of " +
                          fmt::format("{}", fmt::join(reject_reason_names, ", ")));
}

std::string where(const ledger::QuarantinedRecord& record) {
  return fmt::format("{}/{}@{}", record.source, record.partition, record.offset);
}

void print_json(const ledger::QuarantinedRecord& record) {
  fmt::print(
      "{{\"id\": \"{}\", \"reason\": \"{}\", \"detail\": {}, \"namespace\": {}, \"source\": {}, "
      "\"partition\": {}, \"offset\": {}, \"block_time\": \"{}\", \"record_bytes\": {}}}",
      record.id(), to_string(record.reason), json_text(record.detail), json_text(record.name_space),
      json_text(record.source), record.partition, record.offset, format_instant(record.block_time),
      record.record_bytes);
}

Result<void> list(const Options& options) {
  TRY(check_reason(options));
  TRY(const auto reader, ledger::Reader::open(options.data));
  std::map<std::string_view, size_t> by_reason;
  billing::TextTable table(
      {{"id"}, {"reason"}, {"detail"}, {"where"}, {"bytes", billing::Align::right}});
  size_t listed = 0;
  if (options.output == Output::json) fmt::print("[");
  TRY(reader->quarantined([&](const ledger::QuarantinedRecord& record) {
    if (!matches(options, record)) return true;
    ++by_reason[to_string(record.reason)];
    if (listed >= options.limit) return true;
    ++listed;
    if (options.output == Output::json) {
      fmt::print("{}\n  ", listed == 1 ? "" : ",");
      print_json(record);
    } else {
      table.add({record.id(), std::string(to_string(record.reason)), record.detail, where(record),
                 std::to_string(record.record_bytes)});
    }
    return true;
  }));
  if (options.output == Output::json) {
    fmt::print("\n]\n");
    return success();
  }
  if (options.output == Output::csv) {
    print_table(table, options.output);
    return success();
  }
  if (by_reason.empty()) {
    fmt::print("nothing is in quarantine\n");
    return success();
  }
  print_table(table, options.output);
  fmt::print("\nby reason:");
  size_t all = 0;
  for (const auto& [reason, count] : by_reason) {
    fmt::print("  {} {}", reason, count);
    all += count;
  }
  fmt::print("\n");
  if (all > listed) fmt::print("{} of {} are listed; --limit shows more\n", listed, all);
  return success();
}

Result<std::pair<uint64_t, uint32_t>> parse_id(const std::string& id) {
  unsigned long long sequence = 0;
  unsigned record = 0;
  int read = 0;
  if (std::sscanf(id.c_str(), "%llu-%u%n", &sequence, &record, &read) != 2 ||
      static_cast<size_t>(read) != id.size())
    return invalid_argument("'" + id + "' is not the id of a quarantined record, such as 12-7");
  return std::pair<uint64_t, uint32_t>{sequence, record};
}

Result<void> show(const Options& options) {
  TRY(const auto id, parse_id(options.id));
  TRY(const auto reader, ledger::Reader::open(options.data));
  TRY(const auto record, reader->quarantined(id.first, id.second));
  if (!record) return Error{ErrorCode::not_found, "no quarantined record has the id " + options.id};
  if (options.output == Output::json) {
    print_json(*record);
    fmt::print("\n");
  } else {
    fmt::print(
        "id          {}\nreason      {}\ndetail      {}\nwhere       {}\nblock time  {}\nbytes     "
        "  {}\n",
        record->id(), to_string(record->reason), record->detail, where(*record),
        format_instant(record->block_time), record->record_bytes);
  }
  return success();
}

// The bytes as they came, one record per line unless a single one was asked for.
Result<void> export_raw(const Options& options) {
  TRY(check_reason(options));
  TRY(const auto reader, ledger::Reader::open(options.data));
  if (!options.id.empty()) {
    TRY(const auto id, parse_id(options.id));
    TRY(const auto record, reader->quarantined(id.first, id.second));
    if (!record)
      return Error{ErrorCode::not_found, "no quarantined record has the id " + options.id};
    std::fwrite(record->raw.data(), 1, record->raw.size(), stdout);
    return success();
  }
  return reader->quarantined([&](const ledger::QuarantinedRecord& record) {
    if (!matches(options, record)) return true;
    std::fwrite(record.raw.data(), 1, record.raw.size(), stdout);
    std::fputc('\n', stdout);
    return true;
  });
}

}  // namespace

void add_quarantine_command(CLI::App& app, Run& run) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("quarantine", "records that were not counted, and why");
  command->footer("Example: gauger quarantine list --data ./ledger --reason totals_disagree");
  command->require_subcommand(1);

  auto* listing = command->add_subcommand("list", "what is in quarantine");
  add_data_option(*listing, options->data);
  listing->add_option("--reason", options->reason, "only this reason");
  listing->add_option("--limit", options->limit, "rows at the most")->default_str("100");
  add_output_option(*listing, options->output);
  listing->callback([options, &run] { run = [options] { return list(*options); }; });

  auto* showing = command->add_subcommand("show", "one record");
  add_data_option(*showing, options->data);
  showing->add_option("id", options->id, "its id, as listed")->required();
  add_output_option(*showing, options->output);
  showing->callback([options, &run] { run = [options] { return show(*options); }; });

  auto* exporting = command->add_subcommand("export", "the raw bytes, to mend and send again");
  add_data_option(*exporting, options->data);
  exporting->add_option("id", options->id, "one record; all without it");
  exporting->add_option("--reason", options->reason, "only this reason");
  exporting->callback([options, &run] { run = [options] { return export_raw(*options); }; });
}

}  // namespace gauger::tools
