// Sums for the metrics page, per namespace, kept for some seconds so that scrapers cannot make the
// ledger work. Thread-safe: one scrape works, the others wait for it.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "exporters/prometheus/metrics.h"

namespace gauger::exporters {

class MetricsCache {
 public:
  struct Entry {
    std::chrono::steady_clock::time_point usage_due{};
    std::chrono::steady_clock::time_point cost_due{};
    UsageByLabels usage;
    CostByLabels costs;
    std::vector<ProgramState> programs;
  };
  std::mutex mutex;
  std::map<std::string, Entry> by_name_space;
};

}  // namespace gauger::exporters
