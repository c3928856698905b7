// Rows of public traces of model usage as usage events, one reader per trace. What a trace
// does not say is not invented: a reader's comment states what it does about gaps.
//
// Times are the trace's own; where it counts from its start, from `base`. One thread; an event
// is valid until the next row is read.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "schemas/instant.h"
#include "schemas/usage_event.h"

namespace gauger::load {

enum class Trace { azure, burstgpt, mooncake, claude_code };

class TraceReader {
 public:
  virtual ~TraceReader() = default;
  // The exact first line, empty where the trace has none.
  virtual std::string_view header() const { return {}; }
  // Sets times, counts and what the row says of its model and workload. The sentence of an
  // error is the rest of "line 17 of FILE: ...".
  virtual Result<void> read(std::string_view line, UsageEvent& event) = 0;
};

// Who and what an event is attributed to where the row does not say.
struct TraceDefaults {
  std::string_view team;
  std::string_view workload;  // empty: the name of the file
  std::string_view provider;
  std::string_view model;
  Instant base;
};
TraceDefaults trace_defaults(Trace trace);

std::unique_ptr<TraceReader> make_trace_reader(Trace trace, Instant base);

}  // namespace gauger::load
