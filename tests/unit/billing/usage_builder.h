// Usage tables for the tests of billing, written down request by request.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "schemas/usage_table.h"

namespace gauger::billing {

struct Request {
  std::string_view at = "2026-08-01T00:00:00Z";
  std::string_view team = "search";
  std::string_view project = "";
  std::string_view provider = "anthropic";
  std::string_view account = "";
  std::string_view model = "claude-opus-4-6";
  std::string_view region = "";
  std::string_view accelerator = "";
  ServiceTier service_tier = ServiceTier::standard;
  UsageSource usage_source = UsageSource::reported;
  std::string_view workload = "";
};

class UsageBuilder {
 public:
  UsageBuilder() { table_.context_boundaries = {128'000, 200'000, 272'000}; }

  using Quantities = std::initializer_list<std::pair<Meter, int64_t>>;
  using Extras = std::initializer_list<std::pair<std::string_view, int64_t>>;

  // One request; its context tier follows from its input.
  UsageBuilder& add(const Request& request, Quantities quantities, Extras extras = {}) {
    UsageRow row{.period = parse_instant(request.at).value(), .requests = 1};
    int64_t input = 0;
    for (const auto& [meter, count] : quantities) {
      row.counts[static_cast<size_t>(meter)] += count;
      if (static_cast<size_t>(meter) < input_meter_count) input += count;
    }
    row.key = key_of(request, input);
    row.extras_begin = static_cast<uint32_t>(table_.extras.size());
    row.extras_count = static_cast<uint32_t>(extras.size());
    for (const auto& [name, count] : extras) table_.extras.push_back({intern(name), count});
    table_.rows.push_back(row);
    return *this;
  }

  UsageBuilder& grain(std::chrono::minutes grain) {
    table_.grain = grain;
    return *this;
  }
  UsageBuilder& boundaries(std::vector<int64_t> boundaries) {
    table_.context_boundaries = std::move(boundaries);
    return *this;
  }
  const UsageTable& table() const { return table_; }

 private:
  StringId intern(std::string_view text) {
    const auto found = std::find(table_.strings.begin(), table_.strings.end(), text);
    if (found == table_.strings.end()) {
      table_.strings.emplace_back(text);
      return {static_cast<uint32_t>(table_.strings.size() - 1)};
    }
    return {static_cast<uint32_t>(found - table_.strings.begin())};
  }

  uint32_t key_of(const Request& request, int64_t input) {
    UsageKey key;
    key.team = intern(request.team);
    key.project = intern(request.project);
    key.workload = intern(request.workload);
    key.provider = intern(request.provider);
    key.provider_account = intern(request.account);
    key.model = intern(request.model);
    key.region = intern(request.region);
    key.accelerator = intern(request.accelerator);
    key.service_tier = request.service_tier;
    key.usage_source = request.usage_source;
    for (const auto boundary : table_.context_boundaries)
      if (input > boundary) ++key.context_tier;
    const auto found = std::find(table_.keys.begin(), table_.keys.end(), key);
    if (found != table_.keys.end()) return static_cast<uint32_t>(found - table_.keys.begin());
    table_.keys.push_back(key);
    return static_cast<uint32_t>(table_.keys.size() - 1);
  }

  UsageTable table_;
};

}  // namespace gauger::billing
