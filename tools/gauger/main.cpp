// gauger: one binary, a sub-command per task.
#include <malloc.h>
#include <sys/resource.h>

#include <cstdio>
#include <map>

#include "tools/gauger/command.h"

namespace gauger::tools {

int exit_code(const Error& error) { return error.code == ErrorCode::invalid_argument ? 2 : 1; }

void add_output_option(CLI::App& command, Output& output) {
  static const std::map<std::string, Output> names = {
      {"table", Output::table}, {"json", Output::json}, {"csv", Output::csv}};
  command.add_option("--output", output, "how to print it")
      ->transform(CLI::CheckedTransformer(names, CLI::ignore_case))
      ->option_text("table|json|csv  (default: table)");
}

}  // namespace gauger::tools

namespace {

// A ledger's files stay open while it is read: as many as the system lets this process have.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int main(int argc, char** argv) {
  using namespace gauger::tools;
  raise_descriptor_limit();
#ifdef __GLIBC__
  // A batch's columns are some megabytes and come and go with every commit. Left to itself the
  // allocator returns them to the kernel each time, and the page faults cost a tenth of the intake.
  mallopt(M_MMAP_THRESHOLD, 256 << 20);
  mallopt(M_TRIM_THRESHOLD, 512 << 20);
#endif
  CLI::App app{"gauger: usage metering and token billing, exact to the last token and cent"};
  app.require_subcommand(1);
  app.set_version_flag("--version", "gauger 0.1.0");
  Run run;
  add_ingest_command(app, run);
  add_usage_command(app, run);
  add_invoice_command(app, run);
  add_reattribute_command(app, run);
  add_quarantine_command(app, run);
  add_verify_command(app, run);
  add_quote_command(app, run);
  add_catalog_command(app, run);
  add_quota_command(app, run);
  add_reconcile_command(app, run);
  add_savings_command(app, run);
  add_terms_command(app, run);
  add_cost_command(app, run);
  add_allocation_command(app, run);
  add_rerate_command(app, run);
  add_export_command(app, run);
  add_compare_command(app, run);
  add_bridge_command(app, run);
  add_serve_command(app, run);
  add_token_command(app, run);
  add_backup_command(app, run);
  add_restore_command(app, run);
  add_rebuild_command(app, run);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  const auto done = run();
  if (done.has_value()) return 0;
  std::fprintf(stderr, "gauger: %s\n", done.error().sentence.c_str());
  return exit_code(done.error());
}
