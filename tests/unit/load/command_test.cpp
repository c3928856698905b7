// Why: a wrong flag must be a sentence and exit code 2, with nothing written.
#include "tools/load/command.h"

#include <algorithm>
#include <filesystem>

#include "tests/unit/load/scratch.h"

using namespace gauger;

namespace {

// Exit code of main for these arguments: flags first, then the run.
int exit_code_of(std::vector<std::string> arguments) {
  CLI::App app;
  app.require_subcommand(1);
  load::Run run;
  load::add_convert_command(app, run);
  load::add_generate_command(app, run);
  load::add_company_command(app, run);
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants a vector
  try {
    app.parse(arguments);
  } catch (const CLI::ParseError&) {
    return 2;
  }
  const auto done = run();
  if (done.has_value()) return 0;
  CHECK_FALSE(done.error().sentence.empty());
  return done.error().code == ErrorCode::invalid_argument ? 2 : 1;
}

}  // namespace

TEST_CASE("flags that cannot be meant end with code 2 and write nothing", "[load]") {
  tests::ScratchDirectory scratch;
  const auto out = scratch.file("out");
  const auto trace = scratch.write("t.csv", "TIMESTAMP,ContextTokens,GeneratedTokens\n");
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"generate"},
           {"generate", "--output", out, "--events", "0"},
           {"generate", "--output", out, "--events", "many"},
           {"generate", "--output", out, "--zipf", "4.1"},
           {"generate", "--output", out, "--zipf", "1.0001"},
           {"generate", "--output", out, "--duplicates", "0.6"},
           {"generate", "--output", out, "--late", "-0.1"},
           {"generate", "--output", out, "--from", "yesterday"},
           {"generate", "--output", out, "--format", "csv"},
           {"generate", "--output", out, "--teams", "100000", "--models", "41"},
           {"generate", "--output", out, "--unknown"},
           {"company", "--output", out, "--month", "2026-13"},
           {"company", "--output", out, "--month", "October"},
           {"company", "--output", out, "--events", "10"},
           {"convert", "gpt", trace, "--output", out},
           {"convert", "azure", "--output", out},
           {"convert", "azure", trace, "--base", "2026-01-01", "--output", out},
           {"convert", "mooncake", trace, "--base", "noon", "--output", out},
           {"convert", "burstgpt", trace, "--output", out},
           {}}) {
    CHECK(exit_code_of(arguments) == 2);
    CHECK_FALSE(std::filesystem::exists(out));
  }
}

TEST_CASE("the commands write what their flags say", "[load]") {
  tests::ScratchDirectory scratch;
  const auto trace = scratch.write("t.csv",
                                   "TIMESTAMP,ContextTokens,GeneratedTokens\n"
                                   "2023-11-16 18:17:03.9799600,4808,10\n");
  REQUIRE(exit_code_of({"convert", "azure", trace, "--output", scratch.file("t.jsonl"), "--team",
                        "t1"}) == 0);
  CHECK(
      tests::event_of_json(tests::lines_of(tests::read_bytes(scratch.file("t.jsonl")))[0]).team() ==
      "t1");
  REQUIRE(exit_code_of({"generate", "--events", "100", "--dense", "--teams", "3", "--models", "2",
                        "--format", "jsonl", "--duplicates", "0", "--output",
                        scratch.file("g.jsonl"), "--summary", scratch.file("g.json")}) == 0);
  CHECK(tests::lines_of(tests::read_bytes(scratch.file("g.jsonl"))).size() == 100);
  REQUIRE(exit_code_of({"company", "--events", "1000", "--month", "2027-02", "--output",
                        scratch.file("month")}) == 0);
  CHECK(tests::read_bytes(scratch.file("month/expected.json")).find("2027-02-28") !=
        std::string::npos);
}
