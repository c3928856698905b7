// What the measurements of tests/bench/pipeline share: clocks, quantiles, errors that end.
#pragma once

#include <fmt/format.h>
#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "schemas/result.h"

namespace gauger::bench {

using Seconds = std::chrono::duration<double>;

inline double now_seconds() {
  return Seconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}
// Of all threads of the process.
inline double cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}
inline double resident_mib_max() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

// Sorts; of no values, 0.
inline double quantile(std::vector<double>& values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const auto at = static_cast<size_t>(share * static_cast<double>(values.size()));
  return values[std::min(at, values.size() - 1)];
}

// A measurement that fails has no figure to give.
inline void must(const Result<void>& done) {
  if (done) return;
  fmt::print(stderr, "gauger-bench: {}\n", done.error().sentence);
  std::exit(1);
}
template <class T>
T must(Result<T> result) {
  if (!result) must(Result<void>(result.error()));
  return std::move(result.value());
}

// Each writes one JSON object to the standard output.
void measure_stages(const std::string& path, size_t events_max);
void measure_fill(const std::string& directory, uint64_t identities);
void measure_settle(const std::string& path, const std::string& directory);
void measure_latency(const std::string& path, const std::string& directory, double rate,
                     double seconds);
void measure_open(const std::string& directory);
void measure_queries(const std::string& directory, const std::string& month);
void measure_consumer(const std::string& brokers, const std::string& topic, uint64_t records);

}  // namespace gauger::bench
