#include "tools/load/convert.h"

#include <fmt/format.h>

#include <filesystem>

#include "tools/load/line_reader.h"
#include "tools/load/trace_csv_reader.h"
#include "tools/load/trace_json_reader.h"
#include "tools/progress.h"

namespace gauger::load {
namespace {

// "traces/mooncake_conversation.jsonl.gz" -> "mooncake_conversation".
std::string trace_name(const std::string& path) {
  if (path == "-") return "stdin";
  const auto name = std::filesystem::path(path).filename().string();
  return name.substr(0, name.find('.'));
}

Error at_line(const ConvertOptions& options, const LineReader& lines, const Error& error) {
  return {error.code,
          fmt::format("line {} of {}: {}", lines.line_number(), options.input, error.sentence)};
}

Result<void> check_header(const ConvertOptions& options, const TraceReader& reader,
                          LineReader& lines) {
  if (reader.header().empty()) return success();
  TRY(const auto line, lines.next());
  if (line && *line == reader.header()) return success();
  return invalid_argument(
      fmt::format("{} does not begin with '{}'", options.input, reader.header()));
}

std::string_view first_of(std::string_view a, std::string_view b, std::string_view c) {
  return !a.empty() ? a : !b.empty() ? b : c;
}

class Converter {
 public:
  explicit Converter(const ConvertOptions& options)
      : options_(options),
        defaults_(trace_defaults(options.trace)),
        name_(trace_name(options.input)),
        source_(options.source.empty() ? "trace/" + name_ : options.source),
        reader_(make_trace_reader(options.trace, options.base.value_or(defaults_.base))) {}

  Result<Converted> run() {
    TRY(auto lines, LineReader::open(options_.input));
    TRY(check_header(options_, *reader_, lines));
    TRY(auto output, OutputFile::create(options_.output));
    tools::Progress progress("convert", "bytes", lines.file_bytes());
    while (!output.failed()) {
      TRY(const auto line, lines.next());
      if (!line) break;
      if (line->empty()) continue;
      const auto written = write_row(*line, output);
      if (!written) return at_line(options_, lines, written.error());
      progress.advance_to(lines.file_bytes_read());
    }
    TRY(output.finish());
    return sums_;
  }

 private:
  Result<void> write_row(std::string_view line, OutputFile& output) {
    UsageEvent event;
    const auto id = fmt::format("row-{:06}", sums_.events + 1);
    event.source = source_;
    event.id = id;
    TRY(reader_->read(line, event));
    event.team = first_of(options_.team, event.team, defaults_.team);
    event.project = options_.project;
    event.workload =
        first_of(options_.workload, event.workload, first_of(defaults_.workload, name_, {}));
    event.provider = first_of(options_.provider, event.provider, defaults_.provider);
    event.model = first_of(options_.model, event.model, defaults_.model);
    output.write(event, options_.format);
    ++sums_.events;
    sums_.missing += event.usage_source == UsageSource::missing;
    for (size_t i = 0; i < meter_count; ++i) sums_.counts[i] += event.counts[i];
    return success();
  }

  const ConvertOptions& options_;
  TraceDefaults defaults_;
  std::string name_;
  std::string source_;
  std::unique_ptr<TraceReader> reader_;
  Converted sums_;
};

}  // namespace

TraceDefaults trace_defaults(Trace trace) {
  using namespace std::chrono;
  const auto at = [](year y, unsigned m) { return Instant{sys_days{y / month{m} / day{1}}}; };
  switch (trace) {
    case Trace::azure: return {"azure", "", "azure", "unnamed", at(2023y, 11)};
    case Trace::burstgpt: return {"burstgpt", "conversation", "openai", "", at(2023y, 1)};
    case Trace::mooncake: return {"mooncake", "conversation", "moonshot", "unnamed", at(2024y, 6)};
    case Trace::claude_code: return {"claude-code", "coding-agent", "anthropic", "", at(2026y, 5)};
  }
  return {};
}

std::unique_ptr<TraceReader> make_trace_reader(Trace trace, Instant base) {
  switch (trace) {
    case Trace::azure: return std::make_unique<AzureReader>();
    case Trace::burstgpt: return std::make_unique<BurstGptReader>(base);
    case Trace::mooncake: return make_mooncake_reader(base);
    case Trace::claude_code: return make_claude_code_reader(base);
  }
  return nullptr;
}

Result<Converted> convert_trace(const ConvertOptions& options) { return Converter(options).run(); }

}  // namespace gauger::load
