// Why: after closing, history stands: what changes later is posted once, on the next document.
#include "billing/invoices/finalize.h"

#include "tests/unit/billing/invoices/documents.h"

using namespace gauger;
using namespace gauger::billing;

namespace {

UsageBuilder usage_with(int64_t input, std::string_view at = "2026-08-01T00:00:00Z") {
  UsageBuilder usage;
  usage.add({.at = at}, {{Meter::input_uncached, input}});
  return usage;
}

const auto book = book_at("0.004");

}  // namespace

TEST_CASE("a month is finalized once", "[billing]") {
  IssuerBench issuer;
  const auto settled = IssuerBench::settled(usage_with(1'000), book, "2026-08");
  CHECK(issuer.finalize(IssuerBench::header("2026-08"), settled).has_value());
  const auto again = issuer.finalize(IssuerBench::header("2026-08"), settled);
  REQUIRE_FALSE(again.has_value());
  CHECK(again.error().sentence.find("2026-08 of search is finalized as LF-000001") == 0);
  CHECK(issuer.finalize(IssuerBench::header("2026-08", "ads"), settled).value().number == 2);
}

TEST_CASE("late usage becomes one correction line on the next invoice and never again",
          "[billing]") {
  IssuerBench issuer;
  REQUIRE(issuer.finalize(IssuerBench::header("2026-08"),
                          IssuerBench::settled(usage_with(1'000), book, "2026-08")));
  const auto late = IssuerBench::settled(usage_with(1'250), book, "2026-08");
  const auto september = IssuerBench::settled(usage_with(500, "2026-09-02"), book, "2026-09");
  const auto next = issuer.finalize(IssuerBench::header("2026-09"), september, {late}).value();
  REQUIRE(next.lines.size() == 2);
  CHECK(next.lines[1].type == LineType::correction);
  CHECK(next.lines[1].month == month_at("2026-08"));
  CHECK(next.lines[1].charge.quantity == 250);
  CHECK(next.lines[1].charge.amount_minor == 100);
  CHECK(next.total_minor == 300);
  const auto october = IssuerBench::settled(UsageBuilder(), book, "2026-10");
  const auto after =
      issuer.finalize(IssuerBench::header("2026-10"), october, {late, september}).value();
  CHECK(after.lines.empty());
  CHECK(after.total_minor == 0);
}

TEST_CASE("where no invoice follows a note is posted once", "[billing]") {
  IssuerBench issuer;
  REQUIRE(issuer.finalize(IssuerBench::header("2026-08"),
                          IssuerBench::settled(usage_with(1'000), book, "2026-08")));
  const auto less = IssuerBench::settled(usage_with(900), book, "2026-08");
  const auto note =
      issuer.post(seal_note(IssuerBench::header("2026-08"), {less}, issuer.documents)).value();
  CHECK(note.header.type == InvoiceType::credit_note);
  CHECK(note.total_minor == -40);
  const auto again =
      issuer.post(seal_note(IssuerBench::header("2026-08"), {less}, issuer.documents));
  REQUIRE_FALSE(again.has_value());
  CHECK(again.error().code == ErrorCode::refused);
  const auto more = IssuerBench::settled(usage_with(950), book, "2026-08");
  const auto debit =
      issuer.post(seal_note(IssuerBench::header("2026-08"), {more}, issuer.documents)).value();
  CHECK(debit.header.type == InvoiceType::debit_note);
  CHECK(debit.total_minor == 20);
  CHECK_FALSE(seal_note(IssuerBench::header("2026-07"),
                        {IssuerBench::settled(usage_with(9), book, "2026-07")}, issuer.documents));
}

TEST_CASE("a void is a full credit note and opens its month again", "[billing]") {
  IssuerBench issuer;
  const auto august = IssuerBench::settled(usage_with(1'001), book, "2026-08");
  const auto invoice = issuer.finalize(IssuerBench::header("2026-08"), august).value();
  auto head = IssuerBench::header("2026-08");
  head.reason = "wrong bill-to";
  const auto credit = issuer.post(seal_void(invoice, head, issuer.documents)).value();
  CHECK(credit.total_minor == -invoice.total_minor);
  CHECK(credit.lines.size() == invoice.lines.size());
  CHECK_FALSE(seal_void(invoice, head, issuer.documents).has_value());
  CHECK_FALSE(seal_void(credit, head, issuer.documents).has_value());
  CHECK_FALSE(Booked(issuer.documents, "search", head.currency).invoice_of(month_at("2026-08")));
  const auto anew = issuer.finalize(IssuerBench::header("2026-08"), august).value();
  CHECK(anew.total_minor == invoice.total_minor);
  CHECK(anew.lines.size() == invoice.lines.size());
}

TEST_CASE("a month invoiced anew takes back what was posted for it in between", "[billing]") {
  IssuerBench issuer;
  const auto first = issuer
                         .finalize(IssuerBench::header("2026-08"),
                                   IssuerBench::settled(usage_with(1'000), book, "2026-08"))
                         .value();
  const auto late = IssuerBench::settled(usage_with(1'500), book, "2026-08");
  REQUIRE(issuer.finalize(IssuerBench::header("2026-09"),
                          IssuerBench::settled(UsageBuilder(), book, "2026-09"), {late}));
  REQUIRE(issuer.post(seal_void(first, IssuerBench::header("2026-08"), issuer.documents)));
  const auto anew = issuer.finalize(IssuerBench::header("2026-08"), late).value();
  CHECK(anew.total_minor == 400);  // 600 less the 200 that September carries
  CHECK(Booked(issuer.documents, "search", anew.header.currency)
            .month(month_at("2026-08"))
            .total_minor == 600);
}

TEST_CASE("blockers stop an invoice until they are decided or forced", "[billing]") {
  UsageBuilder usage;
  usage.add({}, {{Meter::cache_write_1h, 7}});
  usage.add({.team = "search", .usage_source = UsageSource::estimated},
            {{Meter::input_uncached, 5}});
  IssuerBench issuer;
  const auto open = IssuerBench::settled(usage, book, "2026-08");
  const auto refused = issuer.finalize(IssuerBench::header("2026-08"), open);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().sentence.find("unpriced:anthropic/claude-opus-4-6/cache_write_1h") !=
        std::string::npos);
  CHECK(refused.error().sentence.find("--action provisional-price") != std::string::npos);

  auto forced = IssuerBench::header("2026-08");
  forced.forced = Forced{"ada", "year end"};
  const auto invoice = issuer.finalize(forced, open).value();
  CHECK(invoice.header.blockers.size() == 2);
  CHECK_FALSE(invoice.header.blockers[0].decision);
  CHECK(parse_invoice(to_json(invoice), "i").value().header.forced->reason == "year end");
}

TEST_CASE("a provisional price is charged and corrected by the true one", "[billing]") {
  UsageBuilder usage;
  usage.add({}, {{Meter::cache_write_1h, 700}});
  Price price;
  price.per = Per::unit;
  price.unit = {10'000'000'000, 1};
  Decision decision;
  decision.blocker = "unpriced:anthropic/claude-opus-4-6/cache_write_1h";
  decision.bill_to = "search";
  decision.month = month_at("2026-08");
  decision.action = DecisionAction::provisional_price;
  decision.quantity = 700;
  decision.price = price;
  decision.by = "ada";
  decision.reason = "list price not out yet";
  IssuerBench issuer;
  const auto provisional =
      issuer
          .finalize(IssuerBench::header("2026-08"),
                    IssuerBench::settled(usage, book, "2026-08", std::span(&decision, 1)))
          .value();
  CHECK(provisional.total_minor == 700);
  CHECK(provisional.lines[0].charge.rule.document == "provisional");
  CHECK(to_json(parse_invoice(to_json(provisional), "i").value()) == to_json(provisional));

  auto priced = parse_price_book(
                    "kind: price_book\nid: list\nversion: v2\ncurrency: USD\nprices:\n  - "
                    "{provider: anthropic, model: claude-opus-4-6, per: unit, cache_write_1h: "
                    "0.008}\n",
                    "b.yaml")
                    .value();
  const auto note =
      issuer
          .post(seal_note(IssuerBench::header("2026-08"),
                          {IssuerBench::settled(usage, priced, "2026-08", std::span(&decision, 1))},
                          issuer.documents))
          .value();
  CHECK(note.total_minor == -140);

  SECTION("a waived quantity stays waived when a price turns up, more of it does not") {
    decision.action = DecisionAction::waive;
    decision.price.reset();
    IssuerBench other;
    const auto waived =
        other
            .finalize(IssuerBench::header("2026-08"),
                      IssuerBench::settled(usage, book, "2026-08", std::span(&decision, 1)))
            .value();
    CHECK(waived.total_minor == 0);
    usage.add({}, {{Meter::cache_write_1h, 100}});
    const auto more =
        other
            .post(
                seal_note(IssuerBench::header("2026-08"),
                          {IssuerBench::settled(usage, priced, "2026-08", std::span(&decision, 1))},
                          other.documents))
            .value();
    CHECK(more.total_minor == 80);
    CHECK_FALSE(IssuerBench::settled(usage, book, "2026-08", std::span(&decision, 1)).open.empty());
  }
}
