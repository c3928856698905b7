// The traces that are CSV files: Azure LLM inference 2023 and BurstGPT.
#pragma once

#include "tools/load/trace_reader.h"

namespace gauger::load {

// TIMESTAMP,ContextTokens,GeneratedTokens: when the request came, naive, taken as UTC; its
// seventh digit is cut off. There is no completion time, so the arrival stands for it, and no
// model name.
class AzureReader final : public TraceReader {
 public:
  std::string_view header() const override;
  Result<void> read(std::string_view line, UsageEvent& event) override;
};

// Seconds from midnight of the trace's first day, model, tokens. A row of 0,0,0 is a failed
// request whose usage was not recorded (no request has an empty prompt): it becomes an event
// with `usage_source` missing, outcome failed and no counts, so that it stays visible and is
// never taken for a measured zero.
class BurstGptReader final : public TraceReader {
 public:
  explicit BurstGptReader(Instant base) : base_(base) {}
  std::string_view header() const override;
  Result<void> read(std::string_view line, UsageEvent& event) override;

 private:
  Instant base_;
};

}  // namespace gauger::load
