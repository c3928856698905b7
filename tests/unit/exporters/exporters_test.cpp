// Why: what finance pulls must add up to the invoice in every format, and be the same bytes twice.
#include "exporters/documents/invoice_csv.h"
#include "exporters/documents/invoice_pdf.h"
#include "exporters/focus/focus.h"
#include "exporters/journal/journal.h"

#include <algorithm>
#include <map>
#include <set>

#include "billing/text_table.h"
#include "tests/unit/billing/invoices/documents.h"

using namespace gauger;
using namespace gauger::billing;
using namespace gauger::exporters;

namespace {

// An invoice, the next one with a correction, and a credit note that voids it.
std::vector<Invoice> three_documents() {
  UsageBuilder usage;
  usage.add({.project = "a"}, {{Meter::input_uncached, 1'234'567}, {Meter::output_text, 77}});
  IssuerBench issuer;
  REQUIRE(issuer.finalize(IssuerBench::header("2026-08"),
                          IssuerBench::settled(usage, book_at("0.000003"), "2026-08")));
  usage.add({.project = "b"}, {{Meter::input_uncached, 10}});
  usage.add({.at = "2026-09-01", .project = "b"}, {{Meter::output_text, 5}});
  REQUIRE(issuer.finalize(IssuerBench::header("2026-09"),
                          IssuerBench::settled(usage, book_at("0.000003"), "2026-09"),
                          {IssuerBench::settled(usage, book_at("0.000003"), "2026-08")}));
  auto head = IssuerBench::header("2026-09");
  head.reason = "wrong price";
  REQUIRE(issuer.post(seal_void(issuer.documents[1], head, issuer.documents)));
  return issuer.documents;
}

size_t column(std::string_view name) {
  const auto& all = focus_columns();
  return static_cast<size_t>(std::find(all.begin(), all.end(), name) - all.begin());
}

}  // namespace

TEST_CASE("billed costs of an invoice add up to it without rounding", "[exporters]") {
  const auto documents = three_documents();
  const auto rows = parse_csv(focus_csv(documents).value(), "f.csv").value();
  REQUIRE(rows.size() > 4);
  CHECK(focus_columns().size() == 57 + 16);
  std::map<std::string, Rational> sums;
  for (size_t i = 1; i < rows.size(); ++i) {
    REQUIRE(rows[i].size() == rows[0].size());
    const auto& cost = rows[i][column("BilledCost")];
    sums[rows[i][column("InvoiceId")]] += Rational(parse_decimal(cost, 30).value());
    if (rows[i][column("ChargeCategory")] != "Usage") continue;
    const auto number = [&](std::string_view name) {
      return Rational(parse_decimal(rows[i][column(name)], 15).value());
    };
    CHECK(number("ListUnitPrice") * number("PricingQuantity") ==
          Rational(parse_decimal(rows[i][column("ListCost")], 30).value()));
  }
  for (const auto& document : documents) {
    auto total = Rational(document.header.currency.from_minor(document.total_minor));
    for (int digit = 0; digit < 18; ++digit) total = total * Rational(Int128{10});
    CHECK(sums[document.id()] == total);
  }
}

TEST_CASE("corrections name their month and class in FOCUS rows", "[exporters]") {
  const auto documents = three_documents();
  const auto rows = parse_csv(focus_csv(std::span(&documents[1], 1)).value(), "f.csv").value();
  bool corrected = false;
  for (const auto& row : rows) {
    if (row[column("ChargeClass")] != "Correction") continue;
    corrected = true;
    CHECK(row[column("ChargePeriodStart")] == "2026-08-01T00:00:00Z");
    CHECK(row[column("BillingPeriodStart")] == "2026-09-01T00:00:00Z");
  }
  CHECK(corrected);
}

TEST_CASE("a line beside quantity times price becomes an adjustment", "[exporters]") {
  auto documents = three_documents();
  auto& line = documents[0].lines[0].charge;
  line.rule.price.schedule = Schedule::graduated;
  line.rule.price.tiers = {{1'000'000, {3'000'000, 1}}, {no_upper_end, {2'000'000, 1}}};
  const auto csv = focus_csv(std::span(&documents[0], 1)).value();
  CHECK(csv.find("beside quantity times unit price") == std::string::npos);
  line.amount -= Rational(Int128{234'567} * 1'000'000);
  CHECK(focus_csv(std::span(&documents[0], 1)).value().find("beside quantity times unit price") !=
        std::string::npos);
}

TEST_CASE("journals book a document once at its total and declare what they name", "[exporters]") {
  const auto documents = three_documents();
  const auto hledger = journal_text(documents, JournalFormat::hledger).value();
  CHECK(hledger.find("commodity 0.00 USD\n") != std::string::npos);
  CHECK(hledger.find("account Assets:Receivable:Search\n") != std::string::npos);
  CHECK(hledger.find("2026-09-01 * (LF-000001) search\n") != std::string::npos);
  CHECK(hledger.find("    Assets:Receivable:Search  3.93 USD\n") != std::string::npos);
  const auto beancount = journal_text(documents, JournalFormat::beancount).value();
  CHECK(beancount.find("2026-09-01 open Assets:Receivable:Search\n") != std::string::npos);
  CHECK(journal_text(documents, JournalFormat::beancount).value() == beancount);
}

TEST_CASE("names never fall together in accounts", "[exporters]") {
  CHECK(account_part("search") == "Search");
  CHECK(account_part("claude-opus-4-6") == "Claude-opus-4-6");
  std::set<std::string> parts;
  const auto names = {"a-b", "a_b", "a b", "A-b", "a.b", "A_b", "ä", "ö", "-a", "a", "", "---"};
  for (const auto* name : names) parts.insert(account_part(name));
  CHECK(parts.size() == names.size());
}

TEST_CASE("a PDF is the same bytes twice and grows by pages", "[exporters]") {
  auto documents = three_documents();
  const auto pdf = invoice_pdf(documents[0]).value();
  CHECK(pdf.starts_with("%PDF-"));
  CHECK(invoice_pdf(documents[0]).value() == pdf);
  auto& lines = documents[0].lines;
  while (lines.size() < 200) lines.push_back(lines[0]);
  CHECK(invoice_pdf(documents[0]).value().size() > pdf.size());
}

TEST_CASE("an invoice for a terminal shows lines and total", "[exporters]") {
  const auto documents = three_documents();
  const auto table = invoice_table(documents[2]);
  CHECK(table.find("credit_note LF-000003 of larkfield to search for 2026-09") == 0);
  CHECK(table.find("voids LF-000002\nreason: wrong price\n") != std::string::npos);
  CHECK(parse_csv(invoice_csv(documents[0]), "i.csv").value().size() ==
        documents[0].lines.size() + 1);
}
