// A trace file as usage events: one event per row, deterministic. Identities are the row
// numbers, since timestamps repeat: source "trace/<name of the file>", id "row-000001".
#pragma once

#include <optional>
#include <string>

#include "schemas/meter.h"
#include "tools/load/output_file.h"
#include "tools/load/trace_reader.h"

namespace gauger::load {

struct ConvertOptions {
  Trace trace = Trace::azure;
  std::string input;  // "-" for standard input; .gz is read as well
  std::string output = "-";
  EventFormat format = EventFormat::jsonl;
  std::optional<Instant> base;  // empty: the trace's default
  // Where not empty, instead of what the trace says or defaults to.
  std::string source;
  std::string team;
  std::string project;
  std::string workload;
  std::string provider;
  std::string model;
};

struct Converted {
  int64_t events = 0;
  int64_t missing = 0;  // events without counts
  Counts counts{};
};

// The first row that cannot be read ends it with invalid_argument that names file and line.
Result<Converted> convert_trace(const ConvertOptions& options);

}  // namespace gauger::load
