// Rows of an in-house log, by a mapping document (ingest/formats/csv_mapping.h). The line of
// column names travels beside each row as a header (ingest/framing.h).
#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>

#include "ingest/formats/adapters.h"
#include "ingest/formats/csv_mapping.h"
#include "ingest/formats/envelope.h"
#include "ingest/formats/event_memory.h"
#include "ingest/numbers.h"
#include "schemas/int128.h"
#include "schemas/limits.h"

namespace gauger::ingest {
namespace {

constexpr size_t cells_max = 1024;

// Splits a row by RFC 4180; false where a quote is out of place. Cells without quotes are views.
bool split_row(std::string_view row, char delimiter, EventMemory& memory,
               std::vector<std::string_view>& cells) {
  cells.clear();
  for (;;) {
    if (cells.size() == cells_max) return false;
    if (!row.starts_with('"')) {
      const auto end = row.find(delimiter);
      const auto cell = row.substr(0, end);
      if (cell.find('"') != std::string_view::npos) return false;
      cells.push_back(cell);
      if (end == std::string_view::npos) return true;
      row.remove_prefix(end + 1);
      continue;
    }
    std::string cell;
    row.remove_prefix(1);
    for (;;) {
      const auto quote = row.find('"');
      if (quote == std::string_view::npos) return false;
      cell += row.substr(0, quote);
      row.remove_prefix(quote + 1);
      if (!row.starts_with('"')) break;
      cell += '"';
      row.remove_prefix(1);
    }
    cells.push_back(memory.keep(std::move(cell)));
    if (row.empty()) return true;
    if (row[0] != delimiter) return false;
    row.remove_prefix(1);
  }
}

class CsvDecoder final : public Decoder {
 public:
  CsvDecoder(CsvMapping mapping, const DecoderOptions& options)
      : mapping_(std::move(mapping)), options_(options) {}

  void decode(std::string_view record, std::span<const RecordHeader> headers,
              EventSink& sink) override {
    memory_.clear();
    evidence_.clear();
    UsageEvent event;
    auto reason = read_row(record, headers, event);
    if (reason == RejectReason::none) reason = check(event, detail_);
    if (reason != RejectReason::none) return sink.reject(reason, detail_, record);
    sink.accept(event);
  }

 private:
  RejectReason refuse(RejectReason reason, std::string sentence) {
    detail_ = std::move(sentence);
    return reason;
  }

  RejectReason read_row(std::string_view record, std::span<const RecordHeader> headers,
                        UsageEvent& event) {
    if (record.size() > limits::record_bytes_max)
      return refuse(RejectReason::record_too_large,
                    fmt::format("more than the {} bytes of one record", limits::record_bytes_max));
    if (!simdjson::validate_utf8(record.data(), record.size()))
      return refuse(RejectReason::invalid_text, "the row is not UTF-8");
    if (const auto reason = find_columns(find_header(headers, csv_columns_header));
        reason != RejectReason::none)
      return reason;
    if (!split_row(record, mapping_.delimiter, memory_, cells_))
      return refuse(RejectReason::undecodable, "the row's quotes are out of place");
    if (cells_.size() != columns_)
      return refuse(
          RejectReason::undecodable,
          fmt::format("the row has {} cells, the first line {}", cells_.size(), columns_));
    for (size_t i = 0; i < mapping_.assignments.size(); ++i)
      if (const auto reason = assign(mapping_.assignments[i], places_[i], event);
          reason != RejectReason::none)
        return reason;
    if (const auto reason = complete_totals(event); reason != RejectReason::none) return reason;
    apply_defaults(options_, event);
    add_transport_evidence({}, event, memory_, evidence_);
    attribution_of(options_).attribute(event, evidence_, memory_);
    return RejectReason::none;
  }

  // Where the mapping's columns are; found anew only when the first line changes.
  RejectReason find_columns(std::string_view line) {
    if (line.empty())
      return refuse(RejectReason::unmapped, "no line of column names travels with the row");
    if (line == line_) return RejectReason::none;
    line_.clear();
    EventMemory memory;
    std::vector<std::string_view> names;
    if (!simdjson::validate_utf8(line.data(), line.size()) ||
        !split_row(line, mapping_.delimiter, memory, names))
      return refuse(RejectReason::unmapped, "the line of column names cannot be read");
    places_.clear();
    for (const auto& assignment : mapping_.assignments) {
      auto& places = places_.emplace_back();
      for (const auto& column : assignment.columns) {
        const auto at = std::ranges::find(names, column);
        if (at == names.end())
          return refuse(RejectReason::unmapped,
                        fmt::format("there is no column '{}'", shown(column)));
        places.push_back(static_cast<size_t>(at - names.begin()));
      }
    }
    columns_ = names.size();
    line_ = line;
    return RejectReason::none;
  }

  std::string_view value_of(const CsvMapping::Assignment& assignment,
                            const std::vector<size_t>& places) {
    if (places.empty()) return assignment.constant;
    if (places.size() == 1) return cells_[places[0]];
    std::string joined;
    for (const auto place : places) {
      if (!joined.empty()) joined += '/';
      joined += cells_[place];
    }
    return memory_.keep(std::move(joined));
  }

  RejectReason assign(const CsvMapping::Assignment& assignment, const std::vector<size_t>& places,
                      UsageEvent& event) {
    const auto value = value_of(assignment, places);
    if (value.empty()) return RejectReason::none;
    if (!assignment.evidence.empty()) {
      evidence_.push_back({assignment.evidence, value});
      return RejectReason::none;
    }
    if (!assignment.extra.empty()) return assign_extra(assignment, value, event);
    const auto& field = *assignment.field;
    if (field.text != nullptr) {
      event.*field.text = value;
      return RejectReason::none;
    }
    if (field.time != nullptr) return assign_time(assignment, value, event);
    if (is_enum(field.kind)) return assign_enum(field, value, event);
    int64_t count = 0;
    if (const auto reason = read_count(field.name, value, count); reason != RejectReason::none)
      return reason;
    if (field.total != nullptr)
      event.*field.total = std::max(count, no_total + 1);
    else
      event.set(field.meter, count);
    return RejectReason::none;
  }

  RejectReason assign_extra(const CsvMapping::Assignment& assignment, std::string_view value,
                            UsageEvent& event) {
    int64_t count = 0;
    if (const auto reason = read_count(assignment.extra, value, count);
        reason != RejectReason::none)
      return reason;
    memory_.add_extra(event, assignment.extra, count);
    return RejectReason::none;
  }

  RejectReason assign_time(const CsvMapping::Assignment& assignment, std::string_view value,
                           UsageEvent& event) {
    auto instant = no_instant;
    switch (assignment.time_format) {
      case TimeFormat::rfc3339: instant = parse_loose_timestamp(value); break;
      case TimeFormat::unix_seconds: instant = parse_unix_time(value, 0); break;
      case TimeFormat::unix_ms: instant = parse_unix_time(value, 3); break;
      case TimeFormat::unix_us: instant = parse_unix_time(value, 6); break;
    }
    if (instant == no_instant)
      return refuse(RejectReason::invalid_time,
                    fmt::format("{} is '{}', no time", assignment.field->name, shown(value)));
    event.*assignment.field->time = instant;
    return RejectReason::none;
  }

  RejectReason assign_enum(const EventField& field, std::string_view value, UsageEvent& event) {
    const auto number = find_enum_number(field.kind, value);
    if (number && set_enum(event, field.kind, *number)) return RejectReason::none;
    return refuse(RejectReason::unknown_enum,
                  fmt::format("{} is '{}', which is unknown", field.name, shown(value)));
  }

  RejectReason read_count(std::string_view name, std::string_view value, int64_t& count) {
    auto whole = parse_digits(value, count);
    if (whole == Whole::malformed) whole = parse_json_integer(value, count);
    if (whole == Whole::ok) return RejectReason::none;
    if (whole != Whole::too_large)
      return refuse(RejectReason::undecodable,
                    fmt::format("{} is '{}', not a count", name, shown(value)));
    return refuse(
        value.starts_with('-') ? RejectReason::negative_count : RejectReason::count_too_large,
        fmt::format("{} is {}", name, shown(value)));
  }

  // A total without the plain class that is its rest.
  RejectReason complete_totals(UsageEvent& event) {
    const auto reason = complete(event, event.input_total, Meter::input_uncached, 0,
                                 input_meter_count, "input_total");
    if (reason != RejectReason::none) return reason;
    return complete(event, event.output_total, Meter::output_text, input_meter_count,
                    token_meter_count, "output_total");
  }

  RejectReason complete(UsageEvent& event, int64_t total, Meter rest, size_t begin, size_t end,
                        std::string_view name) {
    if (total == no_total || event.has(rest)) return RejectReason::none;
    Int128 parts = 0;
    for (auto i = begin; i < end; ++i) parts += event.counts[i];
    if (parts > total)
      return refuse(
          RejectReason::totals_disagree,
          fmt::format("{} is {} but its parts add up to {}", name, total, to_string(parts)));
    event.set(rest, static_cast<int64_t>(total - parts));
    return RejectReason::none;
  }

  CsvMapping mapping_;
  DecoderOptions options_;
  std::string line_;  // of column names, as `places_` have it
  size_t columns_ = 0;
  std::vector<std::vector<size_t>> places_;  // of each assignment's columns
  std::vector<std::string_view> cells_;
  EventMemory memory_;
  std::vector<Evidence> evidence_;
  std::string detail_;
};

}  // namespace

Result<std::unique_ptr<Decoder>> make_csv_decoder(const DecoderOptions& options) {
  TRY(auto mapping, CsvMapping::parse(options.csv_mapping));
  return std::unique_ptr<Decoder>(std::make_unique<CsvDecoder>(std::move(mapping), options));
}

}  // namespace gauger::ingest
