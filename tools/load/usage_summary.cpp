#include "tools/load/usage_summary.h"

namespace gauger::load {

std::string utc_day(Instant instant) { return format_instant(instant).substr(0, 10); }

void write_members(JsonText& json, const UsageCell& cell) {
  json.member("requests", cell.requests);
  for (size_t i = 0; i < meter_count; ++i)
    if (cell.counts[i] != 0) json.member(meter_names[i], cell.counts[i]);
}

void write_members(JsonText& json, const UsageSummary& summary) {
  json.key("total").begin_object();
  write_members(json, summary.total);
  json.end_object();
  json.key("by_team_model").begin_array();
  for (const auto& [names, cell] : summary.by_team_model) {
    json.begin_object();
    json.member("team", names.first);
    json.member("model", names.second);
    write_members(json, cell);
    json.end_object();
  }
  json.end_array();
  json.key("by_day").begin_array();
  for (const auto& [day, cell] : summary.by_day) {
    json.begin_object();
    json.member("day", day);
    write_members(json, cell);
    json.end_object();
  }
  json.end_array();
}

}  // namespace gauger::load
