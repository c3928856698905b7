// A month of a provider: 500,000 lines of a cost export as CSV against 1,000,000 rollup rows. One
// thread, from the bytes of both to a reconciliation with variances of several classes. The bound
// is five seconds and one gibibyte; the counter `peak_mib` is the process's largest resident size,
// the rollup rows and the export's text included.
//
//   ./dev bench reconciliation
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include "billing/rate.h"
#include "billing/reconciliation/ledger_side.h"
#include "billing/reconciliation/reconciliation.h"
#include "billing/reconciliation/statement_reader.h"

namespace gauger::billing {
namespace {

constexpr int accounts = 500;
constexpr int models = 4;
constexpr int days = 31;
constexpr int rows = 1'000'000;
constexpr size_t lines_wanted = 500'000;
constexpr std::array meters = {Meter::input_uncached, Meter::cache_read, Meter::output_text};
constexpr std::array<std::string_view, 3> usage_words = {
    "input-tokens", "cache-read-input-token-count", "output-tokens"};

std::string model_name(int model) { return "model" + std::to_string(model); }

PriceBook book() {
  std::string text = "kind: price_book\nid: list\nversion: v1\ncurrency: USD\nprices:\n";
  for (int model = 0; model < models; ++model)
    for (const std::string_view tier : {"standard", "batch"})
      text += "  - {provider: bedrock, model: " + model_name(model) +
              ", service_tier: " + std::string(tier) +
              ", per: million, input_uncached: " + std::to_string(3 + model) +
              ", cache_read: 0.30, output_text: " + std::to_string(15 + model) + "}\n";
  return parse_price_book(text, "bench").value();
}

UsageTable make_usage() {
  UsageTable made;
  made.strings = {"", "bedrock", "team"};
  for (int account = 0; account < accounts; ++account)
    made.strings.push_back("acct" + std::to_string(account));
  for (int model = 0; model < models; ++model) made.strings.push_back(model_name(model));
  for (uint32_t account = 0; account < accounts; ++account)
    for (uint32_t model = 0; model < models; ++model)
      for (const auto tier : {ServiceTier::standard, ServiceTier::batch}) {
        UsageKey key;
        key.team = {2};
        key.provider = {1};
        key.provider_account = {3 + account};
        key.model = {3 + accounts + model};
        key.service_tier = tier;
        made.keys.push_back(key);
      }
  const auto begin = parse_instant("2027-01-01").value();
  uint64_t random = 1;
  for (int i = 0; i < rows; ++i) {
    random = random * 6364136223846793005ULL + 1442695040888963407ULL;
    UsageRow row;
    row.period = begin + std::chrono::minutes{30} * (int64_t{i} * days * 48 / rows);
    row.key = static_cast<uint32_t>((random >> 33) % made.keys.size());
    row.requests = 1;
    for (size_t m = 0; m < meters.size(); ++m)
      row.counts[static_cast<size_t>(meters[m])] =
          static_cast<int64_t>((random >> (10 + 7 * m)) & 0xffff) + 1;
    made.rows.push_back(row);
  }
  return made;
}

// What the provider would export, with every 500th line changed.
std::string make_export(const UsageTable& usage) {
  const auto rated = rate(usage, book(), {.grouping = Grouping::day}).value();
  std::string csv =
      "identity_line_item_id,line_item_usage_account_id,line_item_line_item_type,"
      "line_item_usage_start_date,line_item_usage_end_date,line_item_product_code,"
      "line_item_usage_type,line_item_usage_amount,line_item_currency_code,"
      "line_item_unblended_cost,pricing_unit,line_item_line_item_description\n";
  // Some cells have two lines, so that there are half a million.
  const auto doubled = lines_wanted - std::min(lines_wanted, rated.charges.size());
  size_t lines = 0;
  for (size_t i = 0; i < rated.charges.size(); ++i) {
    const auto& charge = rated.charges[i];
    const auto& key = rated.key(charge);
    size_t meter = 0;
    while (item_of(meters[meter]) != charge.item) ++meter;
    const int parts = i < doubled ? 2 : 1;
    for (int part = 0; part < parts; ++part) {
      const auto quantity = part + 1 == parts ? charge.quantity - charge.quantity / 2 * (parts - 1)
                                              : charge.quantity / 2;
      const auto price = charge.amount / Rational(Int128{charge.quantity});
      const auto billed = ++lines % 500 == 0 ? quantity + 7 : quantity;
      const auto day = format_instant(charge.from);
      csv += "li-" + std::to_string(lines) + "," + std::string(rated.text(key.provider_account)) +
             ",Usage," + day + "," + day.substr(0, 11) + "23:59:59Z,AmazonBedrock,USE1-" +
             std::string(rated.text(key.model)) + "-" + std::string(usage_words[meter]) +
             (key.service_tier == ServiceTier::batch ? "-batch," : ",") +
             format_decimal(billed, 3) + ",USD," + format_amount(price * Rational(Int128{billed})) +
             ",1K tokens,on demand\n";
    }
  }
  return csv;
}

int64_t peak_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

void reconcile_a_month(benchmark::State& state) {
  const auto usage = make_usage();
  const auto text = make_export(usage);
  const auto first = TimeZone::utc().local_day(parse_instant("2027-01-01").value());
  LedgerTerms terms;
  terms.books.emplace("list", book());
  size_t lines = 0;
  size_t variances = 0;
  for (auto unused : state) {
    static_cast<void>(unused);
    const ReportFile file{"export.csv", text};
    ReadOptions options;
    options.days = DayRange{first, first + days};
    const std::vector<Statement> statements = {
        read_statement(StatementFormat::aws_cur, std::span(&file, 1), options).value()};
    GrainInput input;
    input.days = {first, first + days};
    const auto rated = rate_by_day(usage, "bedrock", TimeZone::utc(), input.days, terms).value();
    input.provider = "bedrock";
    input.statements = statements;
    input.rated = rated;
    const auto result = reconcile(input).value();
    lines = statements[0].lines.size();
    variances = result.matched.variances.size();
  }
  state.counters["lines"] = static_cast<int>(lines);
  state.counters["rows"] = rows;
  state.counters["variances"] = static_cast<int>(variances);
  state.counters["peak_mib"] = static_cast<int>(peak_mib());
}
BENCHMARK(reconcile_a_month)->Unit(benchmark::kMillisecond)->Iterations(3);

}  // namespace
}  // namespace gauger::billing

BENCHMARK_MAIN();
