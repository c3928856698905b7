// What the adapters of JSON documents share: parsing a record, and refusing what is no JSON.
#pragma once

#include <fmt/format.h>

#include <optional>
#include <string_view>

#include "ingest/decoder.h"
#include "ingest/formats/json_dom.h"
#include "schemas/limits.h"

namespace gauger::ingest {

// The root of the record's document, or nothing and a rejection.
inline std::optional<dom::element> parse_record(dom::parser& parser, std::string_view record,
                                                EventSink& sink) {
  if (record.size() > limits::record_bytes_max) {
    sink.reject(RejectReason::record_too_large,
                fmt::format("more than the {} bytes of one record", limits::record_bytes_max),
                record);
    return std::nullopt;
  }
  dom::element root;
  const auto error = parser.parse(record.data(), record.size()).get(root);
  if (error == simdjson::SUCCESS) return root;
  sink.reject(
      error == simdjson::UTF8_ERROR ? RejectReason::invalid_text : RejectReason::undecodable,
      fmt::format("not JSON: {}", simdjson::error_message(error)), record);
  return std::nullopt;
}

}  // namespace gauger::ingest
