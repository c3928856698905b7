// Why: a quota that means something else than its author thought stops somebody's work, or does
// not. How: a document with everything in it, and one refusal per rule.
#include "billing/quotas/quota_document.h"

#include "tests/catch.h"

using namespace gauger;
using namespace gauger::billing;

namespace {

std::string refusal(const std::string& text) {
  const auto parsed = parse_quota("kind: quota\nid: q\n" + text, "q.yaml");
  REQUIRE_FALSE(parsed.has_value());
  return parsed.error().sentence;
}

}  // namespace

TEST_CASE("a quota says what it limits for whom and when", "[billing]") {
  const auto quota = parse_quota(
                         "kind: quota\n"
                         "id: search-frontier\n"
                         "scope: {team: search, service_tier: batch, model_tier: frontier}\n"
                         "measure: cost\n"
                         "limit: 1250.50\n"
                         "currency: EUR\n"
                         "window: week\n"
                         "time_zone: Europe/Berlin\n"
                         "mode: soft\n"
                         "failure: allow\n"
                         "warn_percent: [80, 95]\n",
                         "q.yaml")
                         .value();
  CHECK(quota.id == "search-frontier");
  REQUIRE(quota.scope.size() == 2);
  CHECK(quota.scope[1].dimension == ledger::Dimension::service_tier);
  CHECK(quota.scope[1].value == "batch");
  CHECK(quota.model_tier == "frontier");
  CHECK(format_amount(quota.measure, quota.limit) == "1250.50");
  CHECK(quota.currency == "EUR");
  CHECK(quota.window.kind == ledger::QuotaWindow::Kind::week);
  CHECK(quota.window.zone.name() == "Europe/Berlin");
  CHECK(quota.mode == ledger::QuotaMode::soft);
  CHECK(quota.failure == ledger::QuotaFailure::allow);
  CHECK(quota.warn_percent == std::vector<int>{80, 95});
}

TEST_CASE("a quota is hard and denies in UTC unless it says otherwise", "[billing]") {
  const auto quota =
      parse_quota("kind: quota\nid: q\nmeasure: compute_us\nlimit: 5\nrolling: 24h\n", "q.yaml")
          .value();
  CHECK(quota.scope.empty());
  CHECK(quota.measure.meter == Meter::compute_us);
  CHECK(quota.window.length == std::chrono::hours{24});
  CHECK(quota.mode == ledger::QuotaMode::hard);
  CHECK(quota.failure == ledger::QuotaFailure::deny);
}

TEST_CASE("a quota with a mistake is refused with its line", "[billing]") {
  const std::string rest = "measure: tokens\nlimit: 5\n";
  CHECK(refusal(rest).find("'window'") != std::string::npos);
  CHECK(refusal(rest + "window: day\nrolling: 1h\n").find("'rolling'") != std::string::npos);
  CHECK(refusal(rest + "window: year\n").find("q.yaml:5: 'year' is not") == 0);
  CHECK(refusal(rest + "rolling: 1y\n").find("q.yaml:5: '1y'") == 0);
  CHECK(refusal(rest + "window: day\nzone: UTC\n").find("zone") != std::string::npos);
  CHECK(refusal(rest + "window: day\nscope: {tema: x}\n").find("'tema'") != std::string::npos);
  CHECK(refusal(rest + "window: day\ncurrency: USD\n").find("only a quota of cost") !=
        std::string::npos);
  CHECK(refusal("measure: tokens\nlimit: -1\nwindow: day\n").find("below zero") !=
        std::string::npos);
  CHECK(refusal("measure: tokens\nlimit: 1.5\nwindow: day\n").find("q.yaml:4") == 0);
  CHECK(refusal("measure: money\nlimit: 1\nwindow: day\n").find("'measure: money'") !=
        std::string::npos);
}
