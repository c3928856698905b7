// The metrics page: what the ledger says now, in Prometheus' text form. Read from the ledger when
// it is scraped and kept nowhere else, so that it agrees with reports and survives restarts.
//
// What a retraction can lower is a gauge. Counters of the ledger (`gauger_records_total`) never
// fall, over restarts either; those of the process (HTTP, commits) begin with it. Values are
// doubles, exact up to 2^53: for dashboards, never for invoices.
//
// Every label set is bounded: the teams with the most requests, the others as `other`; likewise
// providers and model tiers; quotas by how full they are. Names that somebody invents therefore
// cannot make the page grow.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "billing/model_catalog.h"
#include "billing/price_book.h"
#include "ledger/head.h"
#include "ledger/quota.h"
#include "schemas/time_zone.h"
#include "schemas/usage_table.h"

namespace gauger::exporters {

// What usage and cost are told apart by.
struct UsageLabels {
  std::string team;
  std::string provider;
  std::string model_tier;
  auto operator<=>(const UsageLabels&) const = default;
};
struct UsageSums {
  int64_t requests = 0;
  Counts counts{};
};
struct CostSums {
  double cost = 0;       // of the currency
  int64_t unpriced = 0;  // counts without a price; under no currency
};
using UsageByLabels = std::map<UsageLabels, UsageSums>;
using CostByLabels = std::map<std::pair<UsageLabels, std::string>, CostSums>;  // and currency

// A table of months, by team, provider and model. Tiers are those near the end of each month, or
// now; all in `unclassified` without a catalogue.
Result<UsageByLabels> sum_usage(const UsageTable& months, const billing::ModelCatalog* catalog,
                                Instant now);
// A table of the running month in the ledger's zone (billing/rating_query.h), rated by the first
// book that prices a key.
CostByLabels sum_costs(const UsageTable& usage, const std::vector<billing::PriceBook>& books,
                       const billing::ModelCatalog* catalog, const TimeZone& zone);

struct QuotaState {
  ledger::QuotaAnswer answer;
  std::string currency;
};

// What a programme's last statement says.
struct ProgramState {
  std::string program;
  std::string currency;
  std::string month;  // 2027-01
  double net = 0;
  std::optional<double> acceptance;  // none where no request ended
  bool qualified = false;
};

struct ProcessState {
  struct Answered {
    std::string operation;
    unsigned status;
    uint64_t count;
  };
  std::vector<Answered> answered;
  uint64_t connections_open = 0;
  uint64_t connections_accepted = 0;
  uint64_t connections_refused = 0;
  uint64_t connections_cut = 0;
  uint64_t commits_acknowledged = 0;
  double commit_p50_s = 0;
  double commit_p99_s = 0;
  double commit_sum_s = 0;
  uint64_t verified_through = 0;
  uint64_t verification_passes = 0;
  uint64_t verification_mismatches = 0;
  bool follows_log = false;
  int64_t log_lag_records = 0;
  int64_t log_complete_us = 0;  // the time that every partition has been read up to; 0: unknown
};

struct MetricsSnapshot {
  ledger::Head head;
  UsageByLabels usage;
  CostByLabels costs;
  std::vector<QuotaState> quotas;
  std::vector<ProgramState> programs;
  ProcessState process;
};

std::string metrics_page(const MetricsSnapshot& snapshot);

}  // namespace gauger::exporters
