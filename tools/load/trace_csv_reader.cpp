#include "tools/load/trace_csv_reader.h"

#include <array>
#include <charconv>

#include "schemas/limits.h"

namespace gauger::load {
namespace {

template <size_t N>
Result<std::array<std::string_view, N>> split(std::string_view line) {
  std::array<std::string_view, N> columns;
  for (size_t i = 0; i < N; ++i) {
    const auto comma = line.find(',');
    if ((comma == std::string_view::npos) != (i + 1 == N))
      return invalid_argument("the row does not have " + std::to_string(N) + " columns");
    columns[i] = line.substr(0, comma);
    if (i + 1 < N) line.remove_prefix(comma + 1);
  }
  return columns;
}

Result<int64_t> read_count(std::string_view text) {
  int64_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size() || value < 0 ||
      value > limits::count_max)
    return invalid_argument("'" + std::string(text.substr(0, 64)) + "' is not a count");
  return value;
}

}  // namespace

std::string_view AzureReader::header() const { return "TIMESTAMP,ContextTokens,GeneratedTokens"; }

Result<void> AzureReader::read(std::string_view line, UsageEvent& event) {
  TRY(const auto columns, split<3>(line));
  TRY(event.completed_at, parse_instant(std::string(columns[0]) + "Z"));
  TRY(const auto input, read_count(columns[1]));
  TRY(const auto output, read_count(columns[2]));
  event.set(Meter::input_uncached, input);
  event.set(Meter::output_text, output);
  return success();
}

std::string_view BurstGptReader::header() const {
  return "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type";
}

Result<void> BurstGptReader::read(std::string_view line, UsageEvent& event) {
  TRY(const auto columns, split<6>(line));
  TRY(const auto seconds, read_count(columns[0]));
  TRY(const auto input, read_count(columns[2]));
  TRY(const auto output, read_count(columns[3]));
  TRY(const auto total, read_count(columns[4]));
  if (input + output != total)
    return invalid_argument("the total is " + std::to_string(total) + " but the parts add up to " +
                            std::to_string(input + output));
  event.completed_at = base_ + std::chrono::seconds{seconds};
  if (columns[1] == "ChatGPT")
    event.model = "gpt-3.5-turbo";  // what the trace's authors say it was
  else if (columns[1] == "GPT-4")
    event.model = "gpt-4";
  else
    return invalid_argument("'" + std::string(columns[1].substr(0, 64)) +
                            "' is not a model of this trace");
  event.workload = columns[5] == "API log" ? "api" : "conversation";
  if (total == 0) {
    event.usage_source = UsageSource::missing;
    event.outcome = Outcome::failed;
    return success();
  }
  event.set(Meter::input_uncached, input);
  event.set(Meter::output_text, output);
  return success();
}

}  // namespace gauger::load
