// Why: an invoice is worth what its arithmetic and its bytes are worth.
#include "billing/invoices/invoice.h"

#include "tests/unit/billing/invoices/documents.h"

using namespace gauger;
using namespace gauger::billing;

namespace {

UsageBuilder august() {
  UsageBuilder usage;
  usage.add({.project = "a"}, {{Meter::input_uncached, 1}, {Meter::output_text, 1}});
  usage.add({.project = "b"}, {{Meter::input_uncached, 1'001}});
  return usage;
}

Int128 minor_sum(const Invoice& invoice) {
  Int128 sum = 0;
  for (const auto& line : invoice.lines) sum += line.charge.amount_minor;
  return sum;
}

Rational exact_sum(const Invoice& invoice) {
  Rational sum;
  for (const auto& line : invoice.lines) sum += line.charge.amount;
  return sum;
}

}  // namespace

TEST_CASE("lines add up to the total and rounding is a line of its own", "[billing]") {
  IssuerBench issuer;
  const auto invoice = issuer
                           .finalize(IssuerBench::header("2026-08"),
                                     IssuerBench::settled(august(), book_at("0.004"), "2026-08"))
                           .value();
  CHECK(invoice.id() == "LF-000001");
  CHECK(invoice.total_minor == 401);  // 4.011
  REQUIRE(invoice.lines.size() == 4);
  const auto& rounding = invoice.lines.back();
  CHECK(rounding.type == LineType::rounding);
  CHECK(exact_amount(rounding.charge.amount) == "-0.001");
  CHECK(rounding.charge.amount_minor == 0);
  CHECK(minor_sum(invoice) == invoice.total_minor);
  CHECK(exact_sum(invoice) == Rational(invoice.header.currency.from_minor(invoice.total_minor)));
}

TEST_CASE("an invoice survives its canonical form and shows every change of a byte", "[billing]") {
  IssuerBench issuer;
  const auto invoice = issuer
                           .finalize(IssuerBench::header("2026-08"),
                                     IssuerBench::settled(august(), book_at("0.004"), "2026-08"))
                           .value();
  const auto json = to_json(invoice);
  CHECK(to_json(parse_invoice(json, "i.json").value()) == json);
  const auto seal = to_json(issuer.seals[0]);
  CHECK(to_json(parse_seal(seal, "s.json").value()) == seal);
  CHECK(sha256_hex(seal) == invoice.seal_hash);
  for (size_t i = 0; i < json.size(); i += 3) {
    auto changed = json;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    INFO(i);
    CHECK_FALSE(parse_invoice(changed, "i.json").has_value());
  }
}

TEST_CASE("the canonical form of an invoice is these bytes", "[billing]") {
  UsageBuilder usage;
  usage.add({}, {{Meter::input_uncached, 1'000}});
  IssuerBench issuer;
  const auto invoice = issuer
                           .finalize(IssuerBench::header("2026-08"),
                                     IssuerBench::settled(usage, book_at("0.004"), "2026-08"))
                           .value();
  CHECK(
      content_json(invoice) ==
      R"x({"as_of_sequence":0,"bill_to":{"address":[],"id":"search","name":"search","tax_id":""},)x"
      R"x("blockers":[],"context_boundaries":[],"currency":"USD","exchange_rates":[],"format":1,)x"
      R"x("from":"2026-08-01T00:00:00Z","grain_minutes":30,"id":"LF-000001","issued_at":)x"
      R"x("2026-09-01T00:00:00Z","issuer":{"address":["Hafenstr. 1","Hamburg"],"id":"larkfield",)x"
      R"x("name":"Larkfield AG","tax_id":"DE1"},"kind":"invoice","lines":[{"amount":"4.00",)x"
      R"x("amount_exact":"4","charge":"usage","context_tier":0,"item":"input_uncached","model":)x"
      R"x("claude-opus-4-6","model_tier":"unclassified","month":"2026-08","project":"","provider":)x"
      R"x("anthropic","quantity":"1000","region":"","rule":{"context_above":0,"document":"list",)x"
      R"x("item":"input_uncached","label":"anthropic claude-opus-4-6","line":6,"price":{"per":)x"
      R"x("unit","schedule":"flat","unit":{"pico":"4000000000","units":1}},"version":"v1"},)x"
      R"x("service_tier":"standard","team":"search","type":"charge"}],"month":"2026-08","number":1,)x"
      R"x("number_prefix":"LF-","payment_terms":"30 days","reason":"","seal_sha256":")x" +
          invoice.seal_hash + R"x(","terms":[{"content_hash":")x" + std::string(64, 'a') +
          R"x(","id":"list","kind":"price_book","version":"v1"}],"time_zone":"UTC","total":"4.00","type":"invoice","until":)x"
          R"x("2026-09-01T00:00:00Z"})x");
}

TEST_CASE("exact amounts survive their text and nothing else is one", "[billing]") {
  for (const auto* text :
       {"0", "-0.000000000001", "1.5", "500/3", "-1/3", "12345678901234567890/7"})
    CHECK(exact_amount(parse_exact(text).value()) == text);
  for (const auto* text : {"", "1.50", "+1", "2/4", "1/0", "1/-3", "01", "1/", "/1", "6/1", "x"})
    CHECK_FALSE(parse_exact(text).has_value());
}
