// gauger verify: proves that state = fold(journal).
#include <fmt/format.h>

#include <memory>

#include "ledger/verify.h"
#include "tools/gauger/command.h"
#include "tools/gauger/ledger_options.h"
#include "tools/progress.h"

namespace gauger::tools {
namespace {

struct Options {
  std::string data;
  Output output = Output::table;
};

void print_report(const ledger::VerifyReport& report, Output output) {
  if (output == Output::json) {
    fmt::print(
        "{{\"sequence\": {}, \"blocks\": {}, \"accepted\": {}, \"partitions\": {}, "
        "\"gap_offsets\": {}, \"archived_through\": {}, \"fine_rollups_from\": {}, "
        "\"documents\": {}, \"rollups_through\": {}, \"hash\": \"{}\", "
        "\"findings\": [",
        report.head.sequence, report.blocks, report.head.records[0], report.partitions, report.gaps,
        report.archived_through,
        report.fine_from > Instant{} ? json_text(format_instant(report.fine_from)) : "null",
        report.documents, report.rollups_through, ledger::to_hex(report.head.hash));
    for (size_t i = 0; i < report.findings.size(); ++i)
      fmt::print("{}{}", i == 0 ? "" : ", ", json_text(report.findings[i]));
    fmt::print("]}}\n");
    return;
  }
  if (report.archived_through != 0)
    fmt::print("archived    up to block {}, taken as its cut recorded it\n",
               report.archived_through);
  fmt::print("journal     {} blocks, chain whole, head {}\n", report.blocks,
             ledger::to_hex(report.head.hash).substr(0, 16));
  for (size_t i = 0; i < ledger::disposition_count; ++i)
    fmt::print("{:<11} {}\n", ledger::disposition_names[i],
               grouped(static_cast<int64_t>(report.head.records[i])));
  fmt::print("rollups     {} segments, packed through block {}\n", report.rollup_segments,
             report.rollups_through);
  if (report.fine_from > Instant{})
    fmt::print("            by whole days before {}\n", format_instant(report.fine_from));
  fmt::print("positions   {} partitions without a hole, {} offsets held no record\n",
             report.partitions, report.gaps);
  fmt::print("documents   {} versions, chained\n", report.documents);
  for (const auto& finding : report.findings) fmt::print("FINDING     {}\n", finding);
  if (report.findings.empty()) fmt::print("state = fold(journal)\n");
}

Result<void> run_verify(const Options& options) {
  Progress progress("verify", "blocks", 0);
  TRY(const auto report, ledger::verify(options.data, [&](uint64_t done, uint64_t all) {
        progress.set_total(all);
        progress.advance_to(done);
      }));
  print_report(report, options.output);
  if (!report.findings.empty())
    return corruption(fmt::format("{} findings: this ledger is not the fold of its journal",
                                  report.findings.size()));
  return success();
}

}  // namespace

void add_verify_command(CLI::App& app, Run& run) {
  auto options = std::make_shared<Options>();
  auto* command =
      app.add_subcommand("verify", "prove that a ledger's state is the fold of its journal");
  command->footer("Example: gauger verify --data ./ledger\nReads only; runs beside a writer.");
  add_data_option(*command, options->data);
  add_output_option(*command, options->output);
  command->callback([options, &run] { run = [options] { return run_verify(*options); }; });
}

}  // namespace gauger::tools
