#include "exporters/prometheus/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <deque>
#include <set>

#include "schemas/money.h"
#include "schemas/service_limits.h"

namespace gauger::exporters {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

double as_double(Int128 value) { return static_cast<double>(value); }

// The names with the largest weights are shown as they are, any other as `other`.
class Shown {
 public:
  Shown(const std::map<std::string, double>& weights, size_t max) {
    std::vector<std::pair<double, std::string_view>> sorted;
    for (const auto& [name, weight] : weights) sorted.emplace_back(-weight, name);
    std::sort(sorted.begin(), sorted.end());
    for (size_t i = 0; i < std::min(max, sorted.size()); ++i) names_.emplace(sorted[i].second);
  }
  std::string operator()(const std::string& name) const {
    return names_.contains(name) ? name : "other";
  }

 private:
  std::set<std::string, std::less<>> names_;
};

// Which teams, providers and tiers have a series of their own: those with the most requests.
class ShownLabels {
 public:
  static ShownLabels of(const UsageByLabels& usage) {
    std::map<std::string, double> teams;
    std::map<std::string, double> providers;
    std::map<std::string, double> tiers;
    for (const auto& [labels, sums] : usage) {
      const auto weight = static_cast<double>(sums.requests);
      teams[labels.team] += weight;
      providers[labels.provider] += weight;
      tiers[labels.model_tier] += weight;
    }
    return {Shown(teams, limits::metric_teams_max), Shown(providers, limits::metric_providers_max),
            Shown(tiers, limits::metric_tiers_max)};
  }
  UsageLabels operator()(const UsageLabels& labels) const {
    return {teams_(labels.team), providers_(labels.provider), tiers_(labels.model_tier)};
  }

 private:
  ShownLabels(Shown teams, Shown providers, Shown tiers)
      : teams_(std::move(teams)), providers_(std::move(providers)), tiers_(std::move(tiers)) {}
  Shown teams_;
  Shown providers_;
  Shown tiers_;
};

class Page {
 public:
  MetricFamily& family(std::string_view name, std::string help, MetricType type) {
    auto& family = families_.emplace_back();
    family.name = "gauger_" + std::string(name);
    family.help = std::move(help);
    family.type = type;
    return family;
  }
  MetricFamily& gauges(std::string_view name, std::string help) {
    return family(name, std::move(help), MetricType::Gauge);
  }
  void gauge(std::string_view name, std::string help, double value) {
    add(gauges(name, std::move(help)), {}, value);
  }
  void counter(std::string_view name, std::string help, uint64_t value) {
    add(family(name, std::move(help), MetricType::Counter), {}, static_cast<double>(value));
  }
  static void add(MetricFamily& family, Labels labels, double value) {
    ClientMetric metric;
    metric.label = std::move(labels);
    (family.type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
    family.metric.push_back(std::move(metric));
  }
  // Families without a sample say nothing.
  std::string text() const {
    std::vector<MetricFamily> filled;
    for (const auto& family : families_)
      if (!family.metric.empty()) filled.push_back(family);
    return prometheus::TextSerializer().Serialize(filled);
  }

 private:
  std::deque<MetricFamily> families_;  // references to them stay
};

Labels labels_of(const UsageLabels& labels) {
  return {{"team", labels.team}, {"provider", labels.provider}, {"model_tier", labels.model_tier}};
}

void put_usage(Page& page, const UsageByLabels& usage, const ShownLabels& shown) {
  UsageByLabels bounded;
  for (const auto& [labels, sums] : usage) {
    auto& sum = bounded[shown(labels)];
    sum.requests += sums.requests;
    for (size_t i = 0; i < meter_count; ++i) sum.counts[i] += sums.counts[i];
  }
  auto& requests = page.gauges("usage_requests", "Requests counted, without what was retracted.");
  auto& tokens = page.gauges("usage_tokens", "Tokens counted, without what was retracted.");
  auto& compute =
      page.gauges("usage_compute_seconds", "Accelerator time counted, without what was retracted.");
  for (const auto& [labels, sums] : bounded) {
    Page::add(requests, labels_of(labels), static_cast<double>(sums.requests));
    for (size_t i = 0; i < token_meter_count; ++i) {
      if (sums.counts[i] == 0) continue;
      auto named = labels_of(labels);
      named.push_back({"token_class", std::string(meter_names[i])});
      Page::add(tokens, std::move(named), static_cast<double>(sums.counts[i]));
    }
    if (const auto us = sums.counts[static_cast<size_t>(Meter::compute_us)]; us != 0)
      Page::add(compute, labels_of(labels), static_cast<double>(us) / 1e6);
  }
}

void put_costs(Page& page, const CostByLabels& costs, const ShownLabels& shown) {
  CostByLabels bounded;
  for (const auto& [key, sums] : costs) {
    auto& sum = bounded[{shown(key.first), key.second}];
    sum.cost += sums.cost;
    sum.unpriced += sums.unpriced;
  }
  auto& cost = page.gauges(
      "month_cost", "Cost of the running month's usage so far, at the ledger's price books.");
  auto& unpriced = page.gauges("month_unpriced_quantity",
                               "Counts of the running month that no price book prices.");
  for (const auto& [key, sums] : bounded) {
    auto labels = labels_of(key.first);
    if (key.second.empty()) {
      Page::add(unpriced, std::move(labels), static_cast<double>(sums.unpriced));
    } else {
      labels.push_back({"currency", key.second});
      Page::add(cost, std::move(labels), sums.cost);
    }
  }
}

double quota_value(const ledger::QuotaAnswer& answer, Int128 amount) {
  const bool money = answer.measure.kind == ledger::QuotaMeasure::Kind::cost;
  return as_double(amount) / (money ? static_cast<double>(pico_per_unit) : 1.0);
}

// The quotas that are nearest to their limits.
std::vector<QuotaState> fullest(std::vector<QuotaState> quotas) {
  const auto fullness = [](const QuotaState& state) {
    const auto limit = as_double(state.answer.limit);
    return limit <= 0 ? 1e18 : as_double(state.answer.used + state.answer.held) / limit;
  };
  std::stable_sort(quotas.begin(), quotas.end(), [&](const QuotaState& a, const QuotaState& b) {
    return fullness(a) > fullness(b);
  });
  if (quotas.size() > limits::metric_quotas_max) quotas.resize(limits::metric_quotas_max);
  return quotas;
}

void put_quotas(Page& page, const std::vector<QuotaState>& quotas) {
  auto& limit = page.gauges("quota_limit", "What the quota allows in its window.");
  auto& used = page.gauges("quota_used", "What is used of the quota in its window.");
  auto& held = page.gauges("quota_held", "What reservations hold of the quota.");
  auto& overrun = page.gauges("quota_overrun", "What was used beyond what had been reserved.");
  for (const auto& [answer, currency] : quotas) {
    const Labels labels{
        {"quota", answer.quota},
        {"measure", to_string(answer.measure)},
        {"currency", currency},
        {"mode", std::string(ledger::quota_mode_names[static_cast<size_t>(answer.mode)])}};
    Page::add(limit, labels, quota_value(answer, answer.limit));
    Page::add(used, labels, quota_value(answer, answer.used));
    Page::add(held, labels, quota_value(answer, answer.held));
    Page::add(overrun, labels, quota_value(answer, answer.overrun));
  }
}

void put_programs(Page& page, const std::vector<ProgramState>& programs) {
  auto& net = page.gauges("program_net_savings",
                          "Net savings of the programme in the last month that is over.");
  auto& acceptance = page.gauges("program_acceptance_ratio",
                                 "Share of the programme's root requests that were accepted.");
  auto& guardrail = page.gauges("program_guardrail_ok",
                                "1 where acceptance is at or above the programme's floor.");
  for (const auto& state : programs) {
    Page::add(net, {{"program", state.program}, {"currency", state.currency}}, state.net);
    if (state.acceptance) Page::add(acceptance, {{"program", state.program}}, *state.acceptance);
    Page::add(guardrail, {{"program", state.program}}, state.qualified ? 1 : 0);
  }
}

void put_ledger(Page& page, const ledger::Head& head) {
  auto& records = page.family("records_total", "Records taken in, by what became of them.",
                              MetricType::Counter);
  for (size_t i = 0; i < ledger::disposition_count; ++i)
    Page::add(records, {{"disposition", std::string(ledger::disposition_names[i])}},
              static_cast<double>(head.records[i]));
  page.gauge("journal_sequence", "The last durable block.", static_cast<double>(head.sequence));
  page.gauge("journal_block_timestamp_seconds", "Block time of the last durable block.",
             static_cast<double>(to_us(head.block_time)) / 1e6);
}

void put_process(Page& page, const ProcessState& process) {
  auto& answered =
      page.family("http_requests_total", "Answers, by operation and status.", MetricType::Counter);
  for (const auto& one : process.answered)
    Page::add(answered, {{"operation", one.operation}, {"status", std::to_string(one.status)}},
              static_cast<double>(one.count));
  page.gauge("http_connections_open", "Connections that are open.",
             static_cast<double>(process.connections_open));
  page.counter("http_connections_accepted_total", "Connections taken.",
               process.connections_accepted);
  page.counter("http_connections_refused_total", "Connections refused over a cap.",
               process.connections_refused);
  page.counter("http_connections_cut_total", "Connections cut at a deadline.",
               process.connections_cut);
  ClientMetric latency;
  latency.summary.sample_count = process.commits_acknowledged;
  latency.summary.sample_sum = process.commit_sum_s;
  latency.summary.quantile = {{0.5, process.commit_p50_s}, {0.99, process.commit_p99_s}};
  page.family("commit_latency_seconds",
              "From a request's arrival at the writer to its acknowledgement.", MetricType::Summary)
      .metric.push_back(std::move(latency));
  page.gauge("verified_through", "The block that the journal was folded anew up to.",
             static_cast<double>(process.verified_through));
  page.counter("verification_passes_total", "Passes over the whole journal.",
               process.verification_passes);
  page.counter("verification_mismatches_total",
               "What was not the fold of the journal; anything but 0 is damage.",
               process.verification_mismatches);
  if (!process.follows_log) return;
  page.gauge("kafka_lag_records", "Records of the topic that are not read yet.",
             static_cast<double>(process.log_lag_records));
  page.gauge("kafka_complete_timestamp_seconds",
             "The time that every partition has been read up to; 0 before it is known.",
             static_cast<double>(process.log_complete_us) / 1e6);
}

}  // namespace

std::string metrics_page(const MetricsSnapshot& snapshot) {
  Page page;
  const auto shown = ShownLabels::of(snapshot.usage);
  put_usage(page, snapshot.usage, shown);
  put_costs(page, snapshot.costs, shown);
  put_quotas(page, fullest(snapshot.quotas));
  put_programs(page, snapshot.programs);
  put_ledger(page, snapshot.head);
  put_process(page, snapshot.process);
  return page.text();
}

}  // namespace gauger::exporters
