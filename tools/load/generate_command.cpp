#include <fmt/format.h>

#include <memory>

#include "schemas/money.h"
#include "tools/load/choice.h"
#include "tools/load/command.h"
#include "tools/load/generate.h"

namespace gauger::load {
namespace {

struct Flags {
  GenerateOptions options;
  std::string zipf = "1.0";
  std::string duplicates = "0.01";
  std::string late = "0.01";
  std::string from = "2026-10-01";
  int days = 31;
  bool dense = false;
};

// A share such as 0.01, in millionths.
Result<uint32_t> parse_share(std::string_view flag, const std::string& text) {
  const auto share = parse_decimal(text, 6);
  if (!share || share.value() < 0 || share.value() > 500'000)
    return invalid_argument(fmt::format("{} takes a share from 0 to 0.5, not '{}'", flag, text));
  return static_cast<uint32_t>(share.value());
}

Result<void> generate_from(Flags flags) {
  auto& config = flags.options.synthetic;
  const auto exponent = parse_decimal(flags.zipf, 3);
  if (!exponent || exponent.value() < 0 || exponent.value() > 4'000)
    return invalid_argument(
        fmt::format("--zipf takes an exponent from 0 to 4, not '{}'", flags.zipf));
  config.zipf_milli = static_cast<uint32_t>(exponent.value());
  TRY(config.duplicates_per_million, parse_share("--duplicates", flags.duplicates));
  TRY(config.late_per_million, parse_share("--late", flags.late));
  TRY(config.from, parse_instant(flags.from));
  if (uint64_t{config.teams} * config.models > team_model_pairs_max)
    return invalid_argument(fmt::format("--teams times --models is {}, more than {}",
                                        uint64_t{config.teams} * config.models,
                                        team_model_pairs_max));
  config.span = flags.dense ? Duration{std::chrono::hours{6}} : std::chrono::days{flags.days};
  config.late_max = flags.dense ? Duration{std::chrono::minutes{30}} : std::chrono::hours{72};
  TRY(const auto generated, generate(flags.options));
  fmt::print(stderr, "{} records: {} events, {} duplicates, {} restamped\n", config.records,
             generated.events, generated.duplicates, generated.restamped);
  return success();
}

}  // namespace

void add_generate_command(CLI::App& app, Run& run) {
  auto flags = std::make_shared<Flags>();
  auto& config = flags->options.synthetic;
  auto* command = app.add_subcommand("generate", "seeded events for the benchmark");
  command->add_option("--events", config.records, "records to write, duplicates included")
      ->check(CLI::Range(uint64_t{1}, uint64_t{10'000'000'000}))
      ->capture_default_str();
  command->add_option("--seed", config.seed, "the same seed writes the same bytes")
      ->check(CLI::Range(uint64_t{0}, uint64_t{1} << 62))
      ->capture_default_str();
  add_choice(*command, "--format", flags->options.format, format_choices,
             "jsonl, or proto (length-delimited)")
      ->default_str("proto");
  command->add_option("--from", flags->from, "when the first event completes")
      ->capture_default_str();
  command->add_option("--days", flags->days, "how long the traffic lasts")
      ->check(CLI::Range(1, 3'660))
      ->capture_default_str();
  command->add_flag("--dense", flags->dense, "six hours instead of --days");
  command->add_option("--teams", config.teams)
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command->add_option("--models", config.models)
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  command->add_option("--workloads", config.workloads)
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command->add_option("--zipf", flags->zipf, "exponent; 0 is uniform")->capture_default_str();
  command
      ->add_option("--duplicates", flags->duplicates,
                   "share of records that repeat an identity, half with another time")
      ->capture_default_str();
  command->add_option("--late", flags->late, "share of events that come late")
      ->capture_default_str();
  command->add_option("--output", flags->options.output, "file to write; .gz compresses")
      ->required();
  command->add_option("--summary", flags->options.summary, "file for the expected sums, JSON");
  command->footer(
      "Example: gauger-load generate --events 1000000 --output e.pb --summary e.json\n");
  command->callback([&run, flags] { run = [=] { return generate_from(*flags); }; });
}

}  // namespace gauger::load
