// Every limit of Gauger in one place: a unit, a reason, and how it ties to its neighbours.
// At the edge a breach is a clear refusal; inside it is a bug.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace gauger::limits {

// --- one record ---------------------------------------------------------------------------
// A usage event is some hundred bytes; a megabyte is a mistake or an attack, and also the
// default message limit of a Kafka broker.
inline constexpr size_t record_bytes_max = 1U << 20;
// What quarantine keeps of a bad record: enough to see what it was.
inline constexpr size_t quarantined_bytes_max = 64U << 10;
// Identities are UUIDs, provider ids, or paths of them.
inline constexpr size_t identity_bytes_max = 256;
inline constexpr size_t text_bytes_max = 256;
// 10^15 tokens is more than a frontier provider serves in a month; 10^15 accelerator-us is
// 277,777 hours in one request.
inline constexpr int64_t count_max = 1'000'000'000'000'000;
// Sum of all counts of one meter ever accepted: below it no rollup cell can overflow.
inline constexpr int64_t meter_total_max = int64_t{1} << 62;
inline constexpr size_t extras_max = 16;
// What one intake names of the extras that it met; a list to look at.
inline constexpr size_t extras_reported_max = 64;
static_assert(quarantined_bytes_max <= record_bytes_max);
static_assert(count_max < meter_total_max / 1000);

// --- one commit ---------------------------------------------------------------------------
// Large enough to spread the cost of a commit to nanoseconds per event, small enough that a
// batch stays near the cache and a crash loses little work.
inline constexpr size_t batch_events_max = 32'000;
inline constexpr size_t batch_bytes_max = 64U << 20;
inline constexpr std::chrono::milliseconds commit_interval_max{50};
inline constexpr std::chrono::milliseconds sync_interval_max{100};
// Batches between the stages: one being filled, one being written, one between them.
inline constexpr size_t batches_in_flight_max = 3;
static_assert(batch_bytes_max > record_bytes_max);
// How often a log is asked where it ends, so that the ledger can say up to when it is complete.
inline constexpr std::chrono::seconds completeness_interval{30};

// Intake pauses below this much free disk, long before a write can fail: room for RocksDB's log,
// its buffers and a compaction.
inline constexpr uint64_t free_bytes_min = uint64_t{1} << 30;
inline constexpr std::chrono::milliseconds free_space_look_interval{500};

// --- admission ----------------------------------------------------------------------------
// Providers and peers accept events 34 to 35 days old (Metronome 34, Stripe 35).
inline constexpr std::chrono::hours admission_window{34 * 24};
inline constexpr std::chrono::minutes future_tolerance{5};

// --- the dictionary -----------------------------------------------------------------------
// Interned names live in memory for ever. A flood of invented model names must not eat it.
inline constexpr uint32_t dictionary_strings_max = 4'000'000;
inline constexpr uint32_t dictionary_keys_max = 64'000'000;
inline constexpr size_t context_boundaries_max = 15;

// --- quotas -------------------------------------------------------------------------------
// A hold that nobody settles must not starve others for long; a long agent run may.
inline constexpr std::chrono::hours reservation_life_max{24};
// Kept in memory and journal while they live: some 400 bytes each.
inline constexpr size_t reservations_max = 1'000'000;
inline constexpr size_t quotas_max = 100'000;
inline constexpr std::chrono::hours quota_window_max{31 * 24};
// What an event may still say of a reservation after it has ended.
inline constexpr std::chrono::hours reservation_memory{48};

// --- documents and answers ----------------------------------------------------------------
inline constexpr size_t document_bytes_max = 64U << 20;  // price catalogues run to megabytes
// A month of a cost export with half a million lines, as the provider writes it.
inline constexpr size_t statement_bytes_max = 512U << 20;
// Posted at once: they lie in one block, in memory.
inline constexpr size_t documents_bytes_max = 96U << 20;
inline constexpr size_t document_reason_bytes_max = 4096;  // a paragraph

}  // namespace gauger::limits
