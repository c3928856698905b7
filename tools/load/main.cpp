// gauger-load: traffic for Gauger, from real traces and from a seed.
#include <cstdio>

#include "tools/load/command.h"

int main(int argc, char** argv) {
  using namespace gauger;
  CLI::App app{"gauger-load: usage events to measure and to show Gauger with"};
  app.require_subcommand(1);
  app.set_version_flag("--version", "gauger-load 0.1.0");
  load::Run run;
  load::add_convert_command(app, run);
  load::add_generate_command(app, run);
  load::add_company_command(app, run);
  load::add_produce_command(app, run);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  const auto done = run();
  if (done.has_value()) return 0;
  std::fprintf(stderr, "gauger-load: %s\n", done.error().sentence.c_str());
  return done.error().code == ErrorCode::invalid_argument ? 2 : 1;
}
