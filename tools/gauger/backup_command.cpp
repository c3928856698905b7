// gauger backup, restore, retain and rebuild: where a ledger's journal goes and comes back from.
#include <fmt/format.h>

#include <memory>

#include "ledger/backup/backup.h"
#include "ledger/backup/retention.h"
#include "ledger/reader.h"
#include "ledger/rebuild.h"
#include "tools/gauger/clock.h"
#include "tools/gauger/command.h"
#include "tools/gauger/ledger_options.h"
#include "tools/progress.h"

namespace gauger::tools {
namespace {

struct Options {
  std::string data;
  std::string to;
  std::string from;
  std::string archive;
  std::string before;
  std::string rollups_before;
  std::string by;
  std::string now;
  std::string time_zone;
  int grain = 0;
  uint32_t number = 0;
  Output output = Output::table;
};

// Draws one bar for a task whose size is known once it runs.
class BlocksProgress {
 public:
  explicit BlocksProgress(std::string_view task, std::string_view unit = "blocks")
      : progress_(task, unit, 0) {}
  void operator()(uint64_t done, uint64_t total) {
    progress_.set_total(total);
    progress_.advance_to(done);
  }

 private:
  Progress progress_;
};

Result<void> run_backup(const Options& options) {
  if (options.data.empty() || options.to.empty())
    return invalid_argument("a backup needs --data, the ledger, and --to, where it goes");
  TRY(const auto clock, make_clock(options.now));
  BlocksProgress bar("backup");
  TRY(const auto report, ledger::back_up(options.data, options.to, options.archive, *clock,
                                         [&](uint64_t done, uint64_t total) { bar(done, total); }));
  const auto& backup = report.backup;
  if (options.output == Output::json) {
    fmt::print(
        "{{\"number\": {}, \"sequence\": {}, \"head\": \"{}\", \"blocks_copied\": {}, "
        "\"bytes_written\": {}, \"files\": {}, \"unchanged\": {}}}\n",
        backup.number, backup.head.sequence, ledger::to_hex(backup.head.hash), report.blocks,
        report.bytes, backup.files.size(), report.unchanged);
    return success();
  }
  if (report.unchanged) {
    fmt::print("nothing is new since backup {}, through block {}\n", backup.number,
               backup.head.sequence);
    return success();
  }
  fmt::print("backup {}: {} blocks copied in {} bytes, through block {} {}\n", backup.number,
             grouped(static_cast<int64_t>(report.blocks)),
             grouped(static_cast<int64_t>(report.bytes)), backup.head.sequence,
             ledger::to_hex(backup.head.hash).substr(0, 16));
  return success();
}

Result<void> run_list(const Options& options) {
  TRY(const auto backups, ledger::list_backups(options.from));
  if (options.output == Output::json) {
    fmt::print("[");
    for (size_t i = 0; i < backups.size(); ++i)
      fmt::print(
          "{}{{\"number\": {}, \"made_at\": \"{}\", \"sequence\": {}, \"accepted\": {}, "
          "\"files\": {}, \"head\": \"{}\"}}",
          i == 0 ? "" : ", ", backups[i].number, format_instant(backups[i].made_at),
          backups[i].head.sequence, backups[i].head.records[0], backups[i].files.size(),
          ledger::to_hex(backups[i].head.hash));
    fmt::print("]\n");
    return success();
  }
  billing::TextTable table({{"number", billing::Align::right},
                            {"made_at"},
                            {"sequence", billing::Align::right},
                            {"accepted", billing::Align::right},
                            {"files", billing::Align::right},
                            {"head"}});
  for (const auto& backup : backups)
    table.add(
        {std::to_string(backup.number), format_instant(backup.made_at),
         std::to_string(backup.head.sequence),
         options.output == Output::csv ? std::to_string(backup.head.records[0])
                                       : grouped(static_cast<int64_t>(backup.head.records[0])),
         std::to_string(backup.files.size()), ledger::to_hex(backup.head.hash).substr(0, 16)});
  print_table(table, options.output);
  return success();
}

Result<void> run_verify(const Options& options) {
  TRY(const auto backup, ledger::find_backup(options.from, options.number));
  BlocksProgress bar("verify");
  TRY(ledger::verify_backup(options.from, backup,
                            [&](uint64_t done, uint64_t total) { bar(done, total); }));
  fmt::print("backup {}: {} files and {} blocks hold, chain whole, head {}\n", backup.number,
             backup.files.size(), backup.head.sequence,
             ledger::to_hex(backup.head.hash).substr(0, 16));
  return success();
}

Result<void> run_restore(const Options& options) {
  TRY(const auto clock, make_clock(options.now));
  TRY(const auto backup, ledger::find_backup(options.from, options.number));
  BlocksProgress bar("restore");
  TRY(const auto report, ledger::restore(options.from, backup, options.data, options.by, *clock,
                                         [&](uint64_t done, uint64_t total) { bar(done, total); }));
  if (options.output == Output::json) {
    fmt::print("{{\"backup\": {}, \"sequence\": {}, \"accepted\": {}, \"incarnation\": {}}}\n",
               backup.number, backup.head.sequence, report.head.records[0], report.incarnation);
    return success();
  }
  fmt::print("{}: backup {} of {}, {} events through block {}, incarnation {}\n", options.data,
             backup.number, format_instant(backup.made_at),
             grouped(static_cast<int64_t>(report.head.records[0])), backup.head.sequence,
             report.incarnation);
  fmt::print(
      "Logs are read again from there; what they no longer hold, and what came by HTTP since, is "
      "lost.\nInvoices are finalized again after `gauger invoice confirm-numbers --data {}`.\n",
      options.data);
  return success();
}

Result<void> run_rebuild(const Options& options) {
  ledger::RebuildOptions wanted;
  if (options.grain != 0) wanted.grain = std::chrono::minutes{options.grain};
  if (!options.time_zone.empty()) wanted.time_zone = options.time_zone;
  wanted.archive = options.archive;
  BlocksProgress bar("rebuild");
  TRY(const auto report, ledger::rebuild(options.data, wanted,
                                         [&](uint64_t done, uint64_t total) { bar(done, total); }));
  if (options.output == Output::json) {
    fmt::print("{{\"sequence\": {}, \"blocks\": {}, \"reconfigured\": {}, \"mended\": [",
               report.head.sequence, report.blocks, report.reconfigured);
    for (size_t i = 0; i < report.findings.size(); ++i)
      fmt::print("{}{}", i == 0 ? "" : ", ", json_text(report.findings[i]));
    fmt::print("]}}\n");
    return success();
  }
  fmt::print("{} blocks folded anew, through block {}\n", report.blocks, report.head.sequence);
  for (const auto& finding : report.findings) fmt::print("MENDED      {}\n", finding);
  if (report.findings.empty()) fmt::print("what stood there was the same\n");
  return success();
}

// A day of the ledger's calendar.
Result<int32_t> parse_day(const std::string& text) {
  const auto at = text.size() == 10 ? parse_instant(text) : invalid_argument(text);
  if (!at) return invalid_argument("'" + text + "' is no day; write it as 2026-01-01");
  return static_cast<int32_t>(at.value().time_since_epoch() / std::chrono::days{1});
}

// Re-attributions hold from an instant on, and need the hours that gathering takes.
Result<void> check_reattributions(const std::string& data) {
  TRY(const auto reader, ledger::Reader::open(data));
  TRY(const auto posted, reader->documents().list("default", "reattribution"));
  if (posted.empty()) return success();
  return Error{ErrorCode::refused, "usage of this ledger is moved by re-attributions ('" +
                                       posted.front().key.id +
                                       "'), which need its hours: rollups stay as they are"};
}

Result<void> run_retain(const Options& options) {
  TRY(const auto clock, make_clock(options.now));
  ledger::RetentionOptions wanted;
  wanted.archive = options.archive;
  wanted.author = options.by;
  TRY(wanted.before, parse_instant(options.before));
  if (!options.rollups_before.empty()) {
    TRY(wanted.fine_rollups_before, parse_day(options.rollups_before));
    TRY(check_reattributions(options.data));
  }
  std::optional<BlocksProgress> blocks(std::in_place, "retain");
  std::optional<BlocksProgress> days;
  ledger::RetentionProgress progress;
  progress.blocks = [&](uint64_t done, uint64_t total) { (*blocks)(done, total); };
  progress.days = [&](uint64_t done, uint64_t total) {
    blocks.reset();
    if (!days) days.emplace("rollups", "days");
    (*days)(done, total);
  };
  TRY(const auto report, ledger::retain(options.data, wanted, *clock, progress));
  const auto fine_from =
      report.fine_from > Instant{} ? std::optional(format_instant(report.fine_from)) : std::nullopt;
  if (options.output == Output::json) {
    fmt::print(
        "{{\"cut_after\": {}, \"blocks\": {}, \"archived\": {}, \"removed\": {}, "
        "\"bytes_archived\": {}, \"fine_rollups_from\": {}, \"days_gathered\": {}}}\n",
        report.cut.sequence, report.blocks, report.archived, report.removed, report.bytes,
        fine_from ? json_text(*fine_from) : "null", report.days);
    return success();
  }
  if (report.blocks == 0) fmt::print("nothing is older than {}\n", options.before);
  if (report.cut.sequence != 0)
    fmt::print("the journal begins after block {}: {} blocks archived, {} removed\n",
               report.cut.sequence, report.archived, report.removed);
  if (fine_from)
    fmt::print("rollups of before {} are kept by whole days: {} days gathered\n", *fine_from,
               report.days);
  if (wanted.fine_rollups_before)
    fmt::print(
        "they go as far as nothing that is still admitted can lie: 34 days before the first "
        "block that is left\n");
  return success();
}

void add_clock_option(CLI::App& command, Options& options) {
  command.add_option("--now", options.now, "the time that it is, for replays; else the system's");
}
void add_backup_choice(CLI::App& command, Options& options) {
  command.add_option("--from", options.from, "the directory of backups")->required();
}

void add_retain_command(CLI::App& app, Run& run) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("retain", "move the beginning of the journal to an archive");
  command->footer(
      "Examples:\n"
      "  gauger retain --data ./ledger --before 2026-01-01 --archive /archive/ledger\n"
      "  gauger retain --data ./ledger --before 2026-01-01 --archive /archive/ledger \\\n"
      "      --rollups-before 2025-01-01\n"
      "Documents, identities and rollups stay: invoices stand, an old event that comes again is\n"
      "still a duplicate, usage is answered. Single events of then lie in the archive only. With\n"
      "--rollups-before, usage of days before is kept by whole days: days and months are answered\n"
      "as ever, hours are refused, and invoices of those months are not corrected any more. Needs\n"
      "the ledger for itself.");
  add_data_option(*command, options->data);
  command->add_option("--before", options->before, "blocks committed before this time go")
      ->required();
  command->add_option("--archive", options->archive, "where they go; always the same")->required();
  command->add_option("--rollups-before", options->rollups_before,
                      "usage of days before this one is kept by whole days");
  command->add_option("--by", options->by, "who does it, for the record")->default_str("operator");
  add_clock_option(*command, *options);
  add_output_option(*command, options->output);
  options->by = "operator";
  command->callback([options, &run] { run = [options] { return run_retain(*options); }; });
}

}  // namespace

void add_backup_command(CLI::App& app, Run& run) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("backup", "copy what is new of a live ledger's journal");
  command->footer(
      "Examples:\n"
      "  gauger backup --data ./ledger --to /backups/ledger\n"
      "  gauger backup list --from /backups/ledger\n"
      "Runs beside a writer. What is there is not copied again; killed midway, the next one goes\n"
      "on. Bring the whole directory elsewhere: its files never change.");
  command->add_option("--data", options->data, "the ledger's data directory");
  command->add_option("--to", options->to, "the directory of backups");
  command->add_option("--archive", options->archive,
                      "where `gauger retain` archived the beginning of the journal");
  add_clock_option(*command, *options);
  add_output_option(*command, options->output);

  auto* list = command->add_subcommand("list", "the backups in a directory");
  list->footer("Example: gauger backup list --from /backups/ledger");
  add_backup_choice(*list, *options);
  add_output_option(*list, options->output);

  auto* verify = command->add_subcommand("verify", "read a backup whole and check every hash");
  verify->footer("Example: gauger backup verify --from /backups/ledger --id 3");
  add_backup_choice(*verify, *options);
  verify->add_option("--id", options->number, "its number; else the last one");

  command->callback([options, list, verify, &run] {
    run = [options, listed = list->parsed(), verified = verify->parsed()] {
      return listed ? run_list(*options) : verified ? run_verify(*options) : run_backup(*options);
    };
  });
}

void add_restore_command(CLI::App& app, Run& run) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("restore", "make a ledger anew from a backup");
  command->footer(
      "Example: gauger restore --from /backups/ledger --data ./ledger --id 3\n"
      "The directory must be new or empty. The ledger is a new incarnation: it finalizes no\n"
      "invoice until `gauger invoice confirm-numbers` was told which number was the last.");
  add_backup_choice(*command, *options);
  add_data_option(*command, options->data);
  command->add_option("--id", options->number, "number of the backup; else the last one");
  command->add_option("--by", options->by, "who does it, for the record")->default_str("operator");
  add_clock_option(*command, *options);
  add_output_option(*command, options->output);
  options->by = "operator";
  command->callback([options, &run] { run = [options] { return run_restore(*options); }; });
}

void add_rebuild_command(CLI::App& app, Run& run) {
  add_retain_command(app, run);
  auto options = std::make_shared<Options>();
  auto* command =
      app.add_subcommand("rebuild", "make everything beside the journal anew, and compare");
  command->footer(
      "Examples:\n"
      "  gauger rebuild --data ./ledger\n"
      "  gauger rebuild --data ./ledger --time-zone Europe/Berlin --grain 60\n"
      "Needs the ledger for itself. Memory grows with the number of identities, 16 bytes each.");
  add_data_option(*command, options->data);
  command->add_option("--grain", options->grain, "another grain in minutes: 15, 30 or 60");
  command->add_option("--time-zone", options->time_zone, "another zone of its days and months");
  command->add_option("--archive", options->archive, "where `gauger retain` put the beginning");
  add_output_option(*command, options->output);
  command->callback([options, &run] { run = [options] { return run_rebuild(*options); }; });
}

}  // namespace gauger::tools
