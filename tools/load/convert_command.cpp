#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "tools/load/choice.h"
#include "tools/load/command.h"
#include "tools/load/convert.h"

namespace gauger::load {
namespace {

const Choices<Trace> trace_choices = {{"azure", Trace::azure},
                                      {"burstgpt", Trace::burstgpt},
                                      {"mooncake", Trace::mooncake},
                                      {"claude-code", Trace::claude_code}};

Result<void> convert(ConvertOptions options, const std::string& base) {
  if (!base.empty()) {
    TRY(options.base, parse_instant(base));
    if (options.trace == Trace::azure)
      return invalid_argument("--base has no meaning for azure: its rows have dates");
  }
  TRY(const auto sums, convert_trace(options));
  int64_t input = 0;
  for (size_t i = 0; i < input_meter_count; ++i) input += sums.counts[i];
  fmt::print(stderr, "{} events, {} tokens in (of them {} from cache), {} out", sums.events, input,
             sums.counts[static_cast<size_t>(Meter::cache_read)],
             sums.counts[static_cast<size_t>(Meter::output_text)]);
  if (const auto us = sums.counts[static_cast<size_t>(Meter::compute_us)]; us > 0)
    fmt::print(stderr, ", {} us of compute", us);
  if (sums.missing > 0) fmt::print(stderr, ", {} without counts", sums.missing);
  fmt::print(stderr, "\n");
  return success();
}

}  // namespace

void add_convert_command(CLI::App& app, Run& run) {
  auto options = std::make_shared<ConvertOptions>();
  auto base = std::make_shared<std::string>();
  auto* command = app.add_subcommand("convert", "rows of a public trace as usage events");
  add_choice(*command, "trace", options->trace, trace_choices,
             "azure, burstgpt, mooncake or claude-code")
      ->required()
      ->option_text("TRACE");
  command->add_option("file", options->input, "the trace's file, plain or .gz; - for stdin")
      ->required()
      ->option_text("FILE");
  command->add_option("--output", options->output, "file to write; - for stdout")
      ->capture_default_str();
  add_choice(*command, "--format", options->format, format_choices,
             "jsonl, or proto (length-delimited)")
      ->default_str("jsonl");
  command->add_option("--base", *base,
                      "when the trace begins, where it only counts from its start "
                      "(burstgpt 2023-01-01, mooncake 2024-06-01, claude-code 2026-05-01)");
  command->add_option("--source", options->source, "default trace/<name of the file>");
  command->add_option("--team", options->team, "default the name of the trace");
  command->add_option("--project", options->project);
  command->add_option("--workload", options->workload);
  command->add_option("--provider", options->provider);
  command->add_option("--model", options->model, "default the row's own, where it has one");
  command->footer(
      "Example: gauger-load convert azure AzureLLMInferenceTrace_code.csv > code.jsonl\n");
  command->callback([&run, options, base] { run = [=] { return convert(*options, *base); }; });
}

}  // namespace gauger::load
