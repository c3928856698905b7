// How the columns of an in-house log become the fields of a usage event:
//
//   csv:
//     delimiter: ";"                  # default ","
//     columns:                        # column: field
//       request: id
//       finished: {field: completed_at, format: unix_ms}   # default: RFC 3339, UTC if no zone
//       prompt: input_total           # without input_uncached, which is then the rest
//       cached: cache_read
//       pages: extras.pages           # any other count, by its own name
//       key: evidence.api_key         # decides the team (ingest/attribution.h)
//     join:                           # field: columns, with '/' between them
//       workload: [service, route]
//     constants:                      # field: value
//       source: search-gateway
//       provider: openai
//
// Columns that are not named are not read. An empty cell is absent; zero is not.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ingest/event_fields.h"
#include "schemas/result.h"

namespace gauger::ingest {

enum class TimeFormat : uint8_t { rfc3339, unix_seconds, unix_ms, unix_us };

struct CsvMapping {
  struct Assignment {
    std::vector<std::string> columns;   // more than one: joined
    std::string constant;               // where there is no column
    const EventField* field = nullptr;  // else one of the two below
    std::string extra;
    std::string evidence;
    TimeFormat time_format = TimeFormat::rfc3339;
  };
  char delimiter = ',';
  std::vector<Assignment> assignments;

  static Result<CsvMapping> parse(std::string_view yaml);
};

}  // namespace gauger::ingest
