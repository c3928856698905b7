// The limits of the service: HTTP, access, metrics. Those of events, commits and documents stand in
// schemas/limits.h; both share a namespace.
#pragma once

#include "schemas/limits.h"

namespace gauger::limits {

// --- HTTP -----------------------------------------------------------------------------------
// A header section of a browser behind two proxies is 4 KiB; a token and a cursor fit twice.
inline constexpr size_t http_header_bytes_max = 16U << 10;
inline constexpr size_t http_headers_max = 64;
inline constexpr size_t http_query_parameters_max = 32;
// 20,000 JSON events; a batch of 1,000 is half a megabyte.
inline constexpr size_t http_events_bytes_max = 8U << 20;
// Every other body is a request of a few fields.
inline constexpr size_t http_body_bytes_max = 64U << 10;
// Bodies of all connections together: then new ones are answered 503.
inline constexpr size_t http_bodies_bytes_max = 256U << 20;
static_assert(http_events_bytes_max <= batch_bytes_max &&
              http_bodies_bytes_max >= 2 * document_bytes_max);
// Connections: a quarter of a small machine's memory at 30 KiB each. One address may be a
// gateway with many workers, never all of them.
inline constexpr size_t http_connections_max = 8192;
inline constexpr size_t http_connections_per_address_max = 1024;
// Absolute, from the first byte to the last: a client that sends a byte now and then is cut too.
inline constexpr std::chrono::seconds http_header_deadline{10};
inline constexpr std::chrono::seconds http_body_deadline{30};
inline constexpr std::chrono::seconds http_write_deadline{30};
inline constexpr std::chrono::seconds http_idle_deadline{75};
// A graceful stop waits so long for answers that are on their way.
inline constexpr std::chrono::seconds http_drain_deadline{20};
// Answers that need the disk or rate a month wait here for one of the workers.
inline constexpr size_t http_slow_requests_max = 64;
inline constexpr size_t page_rows_max = 1'000;
inline constexpr size_t page_rows_default = 100;
// Named in an answer; all are counted, and all lie in quarantine.
inline constexpr size_t refused_records_listed_max = 100;

// --- metrics --------------------------------------------------------------------------------
// Series of their own; everything else is `other`. At most 100 x 20 x 20 combinations, of which a
// company has some hundred.
inline constexpr size_t metric_teams_max = 100;
inline constexpr size_t metric_providers_max = 20;
inline constexpr size_t metric_tiers_max = 20;
inline constexpr size_t metric_quotas_max = 200;
inline constexpr size_t metric_programs_max = 100;
// A scrape that comes sooner gets the sums of the one before.
inline constexpr std::chrono::seconds metric_usage_interval{5};
inline constexpr std::chrono::seconds metric_cost_interval{30};

// --- access ---------------------------------------------------------------------------------
inline constexpr size_t access_tokens_max = 100'000;  // 400 bytes each in memory
inline constexpr size_t access_teams_max = 1'000;     // of one token
// Denials are written one by one up to this rate, and counted above it.
inline constexpr uint64_t audit_denials_per_second_max = 100;
inline constexpr size_t audit_file_bytes_max = 64U << 20;
inline constexpr size_t idempotency_key_bytes_max = 255;
inline constexpr std::chrono::hours idempotency_window{24};
inline constexpr size_t idempotency_keys_max = 100'000;  // of event batches, in memory

}  // namespace gauger::limits
