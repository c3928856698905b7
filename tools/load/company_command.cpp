#include <fmt/format.h>

#include <memory>

#include "schemas/time_zone.h"
#include "tools/load/command.h"
#include "tools/load/company/month.h"

namespace gauger::load {
namespace {

struct CompanyFlags {
  company::MonthOptions options;
  std::string month = "2026-10";
  std::string output;
};

Result<void> write_company(CompanyFlags flags) {
  TRY(const auto month, parse_month(flags.month));
  const auto utc = TimeZone::utc();
  flags.options.month = {utc.month_begin(month), utc.month_begin(month + 1)};
  TRY(const auto expected, company::write_month(flags.options, flags.output));
  fmt::print(stderr,
             "{} in {}: {} records, {} usage events, {} copies, {} conflicts, {} taken back\n",
             company::company_name, flags.month, expected.records, expected.usage_events,
             expected.duplicates + expected.restamped, expected.conflicts, expected.taken_back);
  return success();
}

}  // namespace

void add_company_command(CLI::App& app, Run& run) {
  auto flags = std::make_shared<CompanyFlags>();
  auto* command = app.add_subcommand("company", "a month of a fictional company's model usage");
  command->add_option("--month", flags->month, "calendar month, UTC")->capture_default_str();
  command->add_option("--seed", flags->options.seed, "the same seed writes the same bytes")
      ->check(CLI::Range(uint64_t{0}, uint64_t{1} << 62))
      ->capture_default_str();
  command->add_option("--events", flags->options.events, "requests in the month, about")
      ->check(CLI::Range(1'000, 50'000'000))
      ->capture_default_str();
  command->add_option("--output", flags->output, "directory to write")->required();
  command->footer("Example: gauger-load company --month 2026-10 --output month\n");
  command->callback([&run, flags] { run = [=] { return write_company(*flags); }; });
}

}  // namespace gauger::load
