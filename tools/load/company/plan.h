// Larkfield, a fictional insurer: who uses which model for what, and how much of the month's
// traffic that is. Everything here is invented but the shapes of the requests, which are those
// of real traces (trace_shapes.h), and the provider models, whose prices stand in demo/.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "schemas/usage_key.h"
#include "tools/load/output_file.h"
#include "tools/load/request_id.h"
#include "tools/load/request_shape.h"

namespace gauger::load::company {

inline constexpr std::string_view company_name = "Larkfield";
// The team whose invoice the demo shows: none of its records is bad, in conflict or without a
// price, so nothing stands in the way of its bill.
inline constexpr std::string_view undisputed_team = "support";

// Where events are measured, and the file they are delivered in. Each feed is one source.
struct Feed {
  std::string_view source;
  std::string_view file;
  EventFormat format;
};
enum class FeedName : uint8_t { gateway_eu, gateway_us, inference, agents, batch };
inline constexpr std::array<Feed, 5> feeds = {{
    {"gateway/eu", "gateway-eu.jsonl", EventFormat::jsonl},
    {"gateway/us", "gateway-us.jsonl.gz", EventFormat::jsonl},
    {"inference/in-house", "inference.pb", EventFormat::protobuf},
    {"agents/telemetry", "coding-agents.jsonl", EventFormat::jsonl},
    {"batch-runner", "batch.pb.gz", EventFormat::protobuf},
}};
constexpr const Feed& feed_of(FeedName name) { return feeds[static_cast<size_t>(name)]; }

// What a provider states of its compute time.
enum class ComputeTime : uint8_t { none, latency, student };

// One way to call a model.
struct Call {
  FeedName feed;
  std::string_view provider;
  std::string_view account;
  std::string_view model;
  std::string_view region;
  std::string_view accelerator;
  ServiceTier tier = ServiceTier::standard;
  IdStyle request_style = IdStyle::uuid;  // of the provider's own request ids
  ComputeTime compute_time = ComputeTime::none;
};

// When people work: office hours, all day, or jobs at night.
enum class Rhythm : uint8_t { office, always, night };

struct Workload {
  std::string_view team;  // empty: nobody said
  std::string_view project;
  std::string_view name;
  uint32_t share_permille;  // of the month's requests
  Shape shape;
  Rhythm rhythm;
  Call call;
  // A distillation programme: `call` is the student, `teacher` answers what it escalates.
  std::string_view program = {};
  const Call* teacher = nullptr;
  uint32_t escalated_permille = 0;
  uint32_t failed_permille = 0;  // answers that nobody could use
  Purpose purpose = Purpose::production;
  Exposure exposure = Exposure::internal;
  uint32_t retried_permille = 3;
  uint32_t long_permille = 0;       // requests of several times the length
  uint32_t searches_permille = 0;   // requests that search the web
  uint32_t reasoning_percent = 0;   // reasoning tokens, against the text
  uint32_t estimated_permille = 0;  // streams cut off: counts are estimated
  uint32_t missing_permille = 0;    // answers without a count
  bool answers = true;              // embeddings have no output
  bool pays_cache_writes = false;
};

std::span<const Workload> workloads();

}  // namespace gauger::load::company
