// GET /metrics: a snapshot of the ledger and the process, for the metrics page.
#include "billing/rating_query.h"
#include "exporters/accounting/usage_reading.h"
#include "exporters/api/accounting.h"
#include "exporters/api/handlers.h"
#include "exporters/api/metrics_cache.h"
#include "exporters/api/program_months.h"
#include "exporters/api/terms_of.h"
#include "exporters/http/server.h"

namespace gauger::exporters {
namespace {

using ledger::Dimension;

Result<void> refresh_usage(const LedgerView& view, const billing::Terms& terms, Instant now,
                           MetricsCache::Entry& entry) {
  const auto* catalog = terms.company.catalog ? &*terms.company.catalog : nullptr;
  ledger::UsageQuery query;
  query.interval = {Instant{}, Instant{std::chrono::days{84'006}}};
  query.bucket = ledger::Bucket::month;
  query.group = ledger::mask_of(Dimension::team) | ledger::mask_of(Dimension::provider);
  if (catalog != nullptr) query.group |= ledger::mask_of(Dimension::model);
  TRY(const auto table, read_usage(view, query));
  TRY(entry.usage, sum_usage(table, catalog, now));
  return success();
}

Result<void> refresh_costs(const LedgerView& view, const billing::Terms& terms,
                           const TimeZone& zone, int32_t month, MetricsCache::Entry& entry) {
  std::vector<billing::PriceBook> books;
  for (const auto& [id, book] : terms.company.books) books.push_back(book);
  const auto* catalog = terms.company.catalog ? &*terms.company.catalog : nullptr;
  auto query = billing::rating_query(books, catalog, zone,
                                     {zone.month_begin(month), zone.month_begin(month + 1)});
  query.group |= ledger::mask_of(Dimension::team);
  TRY(const auto table, read_usage(view, query));
  entry.costs = sum_costs(table, books, catalog, zone);
  return success();
}

// The last month that is over: the running one is never complete.
Result<void> refresh_programs(const LedgerView& view, int32_t month, MetricsCache::Entry& entry) {
  entry.programs.clear();
  const auto months = program_months(view, month - 1);
  // Programmes whose contracts cannot be rated have no savings to show.
  if (!months) return success();
  for (const auto& one : months.value()) {
    ProgramState state;
    state.program = one.program;
    state.currency = one.currency;
    state.month = one.month;
    state.net = std::strtod(one.net.c_str(), nullptr);
    if (one.acceptance_ppm) state.acceptance = static_cast<double>(*one.acceptance_ppm) / 1e6;
    state.qualified = one.qualification != "unqualified";
    entry.programs.push_back(std::move(state));
  }
  return success();
}

Result<void> refresh(Service& service, const std::string& name_space, MetricsCache::Entry& entry) {
  const auto now = std::chrono::steady_clock::now();
  const bool usage_due = now >= entry.usage_due;
  const bool cost_due = now >= entry.cost_due;
  if (!usage_due && !cost_due) return success();
  TRY(const auto view, view_of(service, name_space));
  TRY(const auto zone, TimeZone::find(view.reader->config().time_zone));
  const auto at = service.clock().now();
  const auto month = zone.local_month(at);
  TRY(const auto terms, terms_in_force(view, month));
  if (usage_due) {
    TRY(refresh_usage(view, terms, at, entry));
    entry.usage_due = now + limits::metric_usage_interval;
  }
  if (cost_due) {
    TRY(refresh_costs(view, terms, zone, month, entry));
    TRY(refresh_programs(view, month, entry));
    entry.cost_due = now + limits::metric_cost_interval;
  }
  return success();
}

ProcessState process_state(Service& service) {
  ProcessState state;
  for (const auto& [operation, status, count] : service.answered())
    state.answered.push_back({std::string(operation), status, count});
  if (const auto* stats = service.server_stats.load()) {
    state.connections_open = stats->connections_open;
    state.connections_accepted = stats->connections_accepted;
    state.connections_refused = stats->connections_refused;
    state.connections_cut = stats->connections_cut;
  }
  const auto latency = service.committer().latency();
  state.commits_acknowledged = latency.acknowledged;
  state.commit_p50_s = static_cast<double>(latency.p50_us) / 1e6;
  state.commit_p99_s = static_cast<double>(latency.p99_us) / 1e6;
  state.commit_sum_s = static_cast<double>(latency.sum_us) / 1e6;
  state.follows_log = service.status().following;
  state.verified_through = service.status().verified_through;
  state.verification_passes = service.status().verification_passes;
  state.verification_mismatches = service.status().verification_mismatches;
  state.log_lag_records = service.status().lag;
  state.log_complete_us = service.status().complete_us;
  return state;
}

// What the caller may see of it.
template <class Map, class TeamOf>
Map visible(const Map& all, const Principal& principal, TeamOf team_of) {
  if (principal.sees_all_teams()) return all;
  Map seen;
  for (const auto& entry : all)
    if (principal.sees_team(team_of(entry.first))) seen.insert(entry);
  return seen;
}

}  // namespace

Response get_metrics(Service& service, const Call& call) {
  const auto& principal = call.principal;
  MetricsSnapshot snapshot;
  {
    auto& cache = service.metrics();
    const std::lock_guard guard(cache.mutex);
    auto& entry = cache.by_name_space[principal.name_space];
    if (const auto done = refresh(service, principal.name_space, entry); !done)
      return problem_of(done.error());
    snapshot.usage = visible(entry.usage, principal, [](const auto& key) { return key.team; });
    snapshot.costs =
        visible(entry.costs, principal, [](const auto& key) { return key.first.team; });
    if (principal.sees_all_teams()) snapshot.programs = entry.programs;
  }
  snapshot.head = service.ledger().durable_head();
  const auto quotas = service.quotas().of(principal.name_space);
  for (auto& answer : service.ledger().quotas().list(principal.name_space, service.clock().now())) {
    const auto quota = quotas.find(answer.quota);
    if (quota == quotas.end() || !sees_quota(principal, quota->second)) continue;
    snapshot.quotas.push_back({std::move(answer), quota->second.currency});
  }
  snapshot.process = process_state(service);
  Response response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = metrics_page(snapshot);
  return response;
}

}  // namespace gauger::exporters
