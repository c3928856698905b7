#include "tools/load/trace_json_reader.h"

#include <simdjson.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "schemas/limits.h"
#include "schemas/money.h"

namespace gauger::load {
namespace {

namespace json = simdjson::ondemand;

Error malformed(std::string_view field) {
  return invalid_argument("'" + std::string(field) + "' is missing or malformed");
}

// One line at a time, in padded memory of its own.
class LineParser {
 public:
  Result<json::object> parse(std::string_view line) {
    text_.assign(line);
    text_.reserve(line.size() + simdjson::SIMDJSON_PADDING);
    json::object object;
    if (parser_.iterate(text_.data(), text_.size(), text_.capacity()).get(document_) !=
            simdjson::SUCCESS ||
        document_.get_object().get(object) != simdjson::SUCCESS)
      return invalid_argument("it is not a JSON object");
    return object;
  }

 private:
  std::string text_;
  json::parser parser_;
  json::document document_;
};

Result<int64_t> read_count(json::object& object, std::string_view field) {
  int64_t value = 0;
  if (object.find_field_unordered(field).get_int64().get(value) != simdjson::SUCCESS || value < 0 ||
      value > limits::count_max)
    return malformed(field);
  return value;
}

Result<std::string_view> read_text(json::object& object, std::string_view field) {
  std::string_view value;
  if (object.find_field_unordered(field).get_string().get(value) != simdjson::SUCCESS ||
      value.empty() || value.size() > limits::text_bytes_max)
    return malformed(field);
  return value;
}

// A decimal number of seconds, exactly, in microseconds.
Result<Duration> read_seconds(json::object& object, std::string_view field) {
  json::value value;
  if (object.find_field_unordered(field).get(value) != simdjson::SUCCESS) return malformed(field);
  std::string_view text = value.raw_json_token();
  while (text.ends_with(' ')) text.remove_suffix(1);
  const auto us = parse_decimal(text, 6);
  if (!us || us.value() < 0 || us.value() > limits::count_max) return malformed(field);
  return Duration{static_cast<int64_t>(us.value())};
}

class MooncakeReader final : public TraceReader {
 public:
  explicit MooncakeReader(Instant base) : base_(base) {}

  Result<void> read(std::string_view line, UsageEvent& event) override {
    TRY(auto object, parser_.parse(line));
    TRY(const auto since_start_ms, read_count(object, "timestamp"));
    TRY(const auto input, read_count(object, "input_length"));
    TRY(const auto output, read_count(object, "output_length"));
    TRY(const auto known_blocks, read_prefix(object));
    const auto cached = std::min(known_blocks * block_tokens, input);
    event.completed_at = base_ + std::chrono::milliseconds{since_start_ms};
    event.set(Meter::input_uncached, input - cached);
    event.set(Meter::cache_read, cached);
    event.set(Meter::output_text, output);
    event.input_total = input;
    return success();
  }

 private:
  static constexpr int64_t block_tokens = 512;

  // How many blocks at the front were seen before; afterwards all of them are.
  Result<int64_t> read_prefix(json::object& object) {
    json::array blocks;
    if (object.find_field_unordered("hash_ids").get_array().get(blocks) != simdjson::SUCCESS)
      return malformed("hash_ids");
    int64_t known = 0;
    bool at_front = true;
    for (auto element : blocks) {
      int64_t block = 0;
      if (element.get_int64().get(block) != simdjson::SUCCESS) return malformed("hash_ids");
      at_front = !seen_.insert(block).second && at_front;
      if (at_front) ++known;
    }
    return known;
  }

  Instant base_;
  LineParser parser_;
  std::unordered_set<int64_t> seen_;
};

class ClaudeCodeReader final : public TraceReader {
 public:
  explicit ClaudeCodeReader(Instant base) : base_(base) {}

  Result<void> read(std::string_view line, UsageEvent& event) override {
    TRY(auto object, parser_.parse(line));
    TRY(const auto session, read_text(object, "session_id"));
    TRY(const auto model, read_text(object, "model_id"));
    TRY(const auto input, read_count(object, "input_tokens"));
    TRY(const auto output, read_count(object, "output_tokens"));
    TRY(const auto since_session_start, read_seconds(object, "request_arrival_delta_s"));
    TRY(const auto api_time, read_seconds(object, "api_time_s"));
    const auto ordinal = static_cast<int64_t>(
        sessions_.try_emplace(std::string(session), sessions_.size()).first->second);
    event.started_at = base_ + std::chrono::hours{ordinal} + since_session_start;
    event.completed_at = event.started_at + api_time;
    event.agent_session = session;
    event.model = model;
    event.set(Meter::input_uncached, input);
    event.set(Meter::output_text, output);
    event.set(Meter::compute_us, api_time.count());
    return success();
  }

 private:
  Instant base_;
  LineParser parser_;
  std::unordered_map<std::string, size_t> sessions_;  // to their ordinal
};

}  // namespace

std::unique_ptr<TraceReader> make_mooncake_reader(Instant base) {
  return std::make_unique<MooncakeReader>(base);
}

std::unique_ptr<TraceReader> make_claude_code_reader(Instant base) {
  return std::make_unique<ClaudeCodeReader>(base);
}

}  // namespace gauger::load
