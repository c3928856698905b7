// Why: somebody else checks an invoice, with nothing but the file.
#include "billing/invoices/verify_bundle.h"

#include "tests/unit/billing/invoices/documents.h"

using namespace gauger;
using namespace gauger::billing;

namespace {

IssuerBench two_months() {
  UsageBuilder usage;
  usage.add({.project = "a"}, {{Meter::input_uncached, 1'234}, {Meter::output_text, 77}});
  IssuerBench issuer;
  REQUIRE(issuer.finalize(IssuerBench::header("2026-08"),
                          IssuerBench::settled(usage, book_at("0.004"), "2026-08"), {},
                          usage_of(usage, "2026-08")));
  usage.add({.project = "b"}, {{Meter::input_uncached, 10}});
  usage.add({.at = "2026-09-01", .project = "b"}, {{Meter::output_text, 5}});
  REQUIRE(issuer.finalize(
      IssuerBench::header("2026-09"), IssuerBench::settled(usage, book_at("0.004"), "2026-09"),
      {IssuerBench::settled(usage, book_at("0.004"), "2026-08")}, usage_of(usage, "2026-09")));
  return issuer;
}

std::string replace(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("a bundle is checked offline and every forgery is found", "[billing]") {
  const auto issuer = two_months();
  const auto json = bundle_json(issuer.documents[1], issuer.seals[1], issuer.chain());
  const auto report = verify_bundle(json, "b.json").value();
  CHECK(report.findings.empty());
  CHECK(report.prices_checked == 4);
  CHECK(report.quantities_checked == 1);
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {R"("quantity":"5")", R"("quantity":"6")"},
           {R"("amount":"0.04")", R"("amount":"0.05")"},
           {R"("pico":"4000000000")", R"("pico":"4000000001")"},
           {R"("name":"Larkfield AG")", R"("name":"Larkfield SE")"},
           {R"("output_text":"5")", R"("output_text":"4")"},
           {R"("number":1)", R"("number":2)"},
           {R"("booked_total":")", R"("booked_total":"1)"}}) {
    INFO(from);
    const auto forged = verify_bundle(replace(json, from, to), "b.json");
    CHECK((!forged.has_value() || !forged.value().findings.empty()));
  }
  CHECK_FALSE(verify_bundle("{}", "b.json").has_value());
}

TEST_CASE("a forger who hashes anew is found by the arithmetic or by the chain", "[billing]") {
  auto issuer = two_months();
  auto invoice = issuer.documents[1];
  invoice.lines[0].charge.amount_minor += 1;
  invoice.total_minor += 1;
  invoice.content_hash = sha256_hex(content_json(invoice));
  invoice.hash = chain_hash(invoice.previous_hash, invoice.content_hash);
  auto chain = issuer.chain();
  chain[1] = {2, invoice.content_hash, invoice.hash};
  CHECK_FALSE(
      verify_bundle(bundle_json(invoice, issuer.seals[1], chain), "b").value().findings.empty());
  // Another seal to match: the number after it, or anybody who kept the hash, tells.
  auto seal = issuer.seals[1];
  seal.header.payment_terms = "none";
  const auto forged = derive(seal, to_json(seal), 2, issuer.documents[0].hash).value();
  CHECK(forged.hash != issuer.documents[1].hash);
  CHECK_FALSE(
      verify_bundle(bundle_json(forged, seal, issuer.chain()), "b").value().findings.empty());
}

TEST_CASE("a line leads to the usage behind it", "[billing]") {
  const auto issuer = two_months();
  const auto rows = usage_behind(issuer.seals[0], issuer.documents[0].lines[0]);
  REQUIRE(rows.size() == 1);
  CHECK(issuer.seals[0].usage.rows[rows[0]].quantities.at("input_uncached") == 1'234);
}
