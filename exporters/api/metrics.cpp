// GET /metrics: a snapshot of the ledger and the process, for the metrics page.
#include "exporters/api/answers.h"
#include "exporters/api/handlers.h"
#include "exporters/api/metrics_cache.h"
#include "exporters/api/terms_of.h"
#include "exporters/http/server.h"

namespace gauger::exporters {
namespace {

using ledger::Dimension;

struct Terms {
  std::vector<billing::PriceBook> books;
  std::optional<billing::ModelCatalog> catalog;  // the first one
};

Result<Terms> read_terms(const ledger::Documents& documents, std::string_view name_space) {
  Terms terms;
  TRY(const auto books, documents.list(name_space, "price_book"));
  for (const auto& version : books) {
    TRY(auto book, find_price_book(documents, name_space, version.key.id));
    terms.books.push_back(std::move(book));
  }
  TRY(const auto catalogs, documents.list(name_space, "model_catalog"));
  if (!catalogs.empty()) {
    TRY(terms.catalog, find_model_catalog(documents, name_space, catalogs.front().key.id));
  }
  return terms;
}

Result<void> refresh_usage(Service& service, const std::string& name_space, const Terms& terms,
                           MetricsCache::Entry& entry) {
  ledger::UsageQuery query;
  query.interval = {Instant{}, Instant{std::chrono::days{84'006}}};
  query.bucket = ledger::Bucket::month;
  query.group = ledger::mask_of(Dimension::team) | ledger::mask_of(Dimension::provider);
  if (terms.catalog) query.group |= ledger::mask_of(Dimension::model);
  query.filters = {{Dimension::name_space, name_space}};
  TRY(const auto table, service.ledger().usage(query));
  TRY(entry.usage,
      sum_usage(table, terms.catalog ? &*terms.catalog : nullptr, service.clock().now()));
  return success();
}

Result<void> refresh_costs(Service& service, const std::string& name_space, const Terms& terms,
                           MetricsCache::Entry& entry) {
  TRY(const auto zone, TimeZone::find(service.ledger().config().time_zone));
  const auto month = zone.local_month(service.clock().now());
  ledger::UsageQuery query;
  query.interval = {zone.month_begin(month), zone.month_begin(month + 1)};
  query.bucket = ledger::Bucket::grain;
  query.filters = {{Dimension::name_space, name_space}};
  TRY(const auto table, service.ledger().usage(query));
  entry.costs = sum_costs(table, terms.books, terms.catalog ? &*terms.catalog : nullptr);
  return success();
}

Result<void> refresh(Service& service, const std::string& name_space, MetricsCache::Entry& entry) {
  const auto now = std::chrono::steady_clock::now();
  const bool usage_due = now >= entry.usage_due;
  const bool cost_due = now >= entry.cost_due;
  if (!usage_due && !cost_due) return success();
  TRY(const auto terms, read_terms(service.ledger().documents(), name_space));
  if (usage_due) {
    TRY(refresh_usage(service, name_space, terms, entry));
    entry.usage_due = now + limits::metric_usage_interval;
  }
  if (cost_due) {
    TRY(refresh_costs(service, name_space, terms, entry));
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
