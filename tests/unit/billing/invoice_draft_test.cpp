// Why: the draft is what finance reads. Lines must add up, and doubt must stop it.
#include "billing/invoice_draft.h"

#include "billing/invoice_text.h"
#include "billing/rate.h"
#include "tests/catch.h"
#include "tests/unit/billing/usage_builder.h"

using namespace gauger;
using namespace gauger::billing;

namespace {

PriceBook book() {
  return parse_price_book(R"(kind: price_book
id: list
version: v1
currency: USD
prices:
  - {provider: anthropic, model: claude-opus-4-6, per: unit, input_uncached: 0.004, output_text: 0.003}
)",
                          "b.yaml")
      .value();
}

const int32_t august = parse_month("2026-08").value();

}  // namespace

TEST_CASE("lines add up to the total, which is rounded once", "[billing]") {
  UsageBuilder usage;
  usage.add({.project = "a"}, {{Meter::input_uncached, 1}, {Meter::output_text, 1}});
  usage.add({.project = "b"}, {{Meter::input_uncached, 1}});
  usage.add({.team = "ads"}, {{Meter::input_uncached, 1'000}});
  const auto draft =
      draft_invoice(rate(usage.table(), book()).value(), {.bill_to = "search", .month = august});
  CHECK(format_amount(draft.total) == "0.011");
  CHECK(draft.total_minor == 1);
  REQUIRE(draft.lines.size() == 3);
  CHECK(draft.lines[0].item == "input_uncached");
  CHECK(draft.lines[0].amount_minor == 1);
  CHECK(draft.lines[1].amount_minor == 0);
  CHECK(draft.lines[2].project == "b");
  CHECK(draft.lines[2].amount_minor == 0);
  CHECK(draft.blockers.empty());
}

TEST_CASE("a draft takes its month in its own time zone", "[billing]") {
  UsageBuilder usage;
  usage.add({.at = "2026-07-31T22:00:00Z"}, {{Meter::input_uncached, 1'000}});
  usage.add({.at = "2026-08-31T22:00:00Z"}, {{Meter::input_uncached, 2'000}});
  const auto berlin = TimeZone::find("Europe/Berlin").value();
  InvoiceRequest request{.bill_to = "search", .month = august, .zone = berlin};
  const auto rated =
      rate(usage.table(), book(), {.zone = berlin, .within = month_of(request)}).value();
  CHECK(draft_invoice(rated, request).total_minor == 400);
  request.zone = TimeZone::utc();
  const auto in_utc = rate(usage.table(), book(), {.within = month_of(request)}).value();
  CHECK(draft_invoice(in_utc, request).total_minor == 800);
}

TEST_CASE("several teams may share a bill-to", "[billing]") {
  UsageBuilder usage;
  usage.add({.team = "search"}, {{Meter::input_uncached, 1'000}});
  usage.add({.team = "ads"}, {{Meter::input_uncached, 1'000}});
  usage.add({.team = ""}, {{Meter::input_uncached, 1'000}});
  const auto draft =
      draft_invoice(rate(usage.table(), book()).value(),
                    {.bill_to = "germany", .teams = {"ads", "search"}, .month = august});
  CHECK(draft.total_minor == 800);
  CHECK(draft.lines[0].team == "ads");
}

TEST_CASE("unpriced, estimated and missing usage block only whom they touch", "[billing]") {
  UsageBuilder usage;
  usage.add({}, {{Meter::cache_write_1h, 7}});
  usage.add({.usage_source = UsageSource::estimated}, {{Meter::input_uncached, 1}});
  usage.add({.usage_source = UsageSource::missing}, {});
  usage.add({.team = "ads"}, {{Meter::input_uncached, 1}});
  const auto rated = rate(usage.table(), book()).value();
  const auto draft = draft_invoice(rated, {.bill_to = "search", .month = august});
  REQUIRE(draft.blockers.size() == 3);
  CHECK(draft.blockers[0].kind == BlockerKind::unpriced);
  CHECK(draft.blockers[0].quantity == 7);
  CHECK(draft.blockers[1].sentence ==
        "1 requests of anthropic claude-opus-4-6 have estimated counts");
  CHECK(draft.blockers[2].kind == BlockerKind::missing);
  CHECK(draft_invoice(rated, {.bill_to = "ads", .month = august}).blockers.empty());
}

TEST_CASE("a draft is a table for people and canonical JSON for programs", "[billing]") {
  UsageBuilder usage;
  usage.add({.model = "other"}, {{Meter::images, 1}});
  usage.add({}, {{Meter::input_uncached, 1'000}});
  const auto draft =
      draft_invoice(rate(usage.table(), book()).value(), {.bill_to = "search", .month = august});
  const auto table = invoice_table(draft);
  CHECK(table.find("total 4.00 USD (exact 4)") != std::string::npos);
  CHECK(table.find("unpriced: no price for 1 images of anthropic other") != std::string::npos);
  CHECK(
      invoice_json(draft) ==
      R"x({"as_of_sequence":0,"bill_to":"search","blockers":[{"kind":"unpriced","quantity":1,)x"
      R"x("sentence":"no price for 1 images of anthropic other from 2026-08-01T00:00:00Z )x"
      R"x((no price entry matches)"}],"currency":"USD","from":"2026-08-01T00:00:00Z","kind":)x"
      R"x("invoice_draft","lines":[{"amount":"4.00","amount_exact":"4","charge":"usage",)x"
      R"x("context_above":0,"context_tier":0,"item":"input_uncached","model":"claude-opus-4-6",)x"
      R"x("model_tier":"unclassified","project":"","provider":"anthropic","quantity":1000,)x"
      R"x("region":"","rule":"anthropic claude-opus-4-6","service_tier":"standard","team":"search",)x"
      R"x("terms":"list","unit_price":"0.004 per unit","version":"v1"}],"month":"2026-08",)x"
      R"x("time_zone":"UTC","total":"4.00","total_exact":"4","until":"2026-09-01T00:00:00Z"})x"
      "\n");
}
