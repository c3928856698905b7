// An issuer's documents for the tests of invoices: a price book, a month of usage, and finalizing
// in memory as the ledger does it, with number and chain.
#pragma once

#include "billing/invoices/finalize.h"
#include "billing/invoices/verify_bundle.h"
#include "billing/rate.h"
#include "tests/catch.h"
#include "tests/unit/billing/usage_builder.h"

namespace gauger::billing {

inline PriceBook book_at(std::string_view input_price, std::string_view version = "v1") {
  return parse_price_book("kind: price_book\nid: list\nversion: " + std::string(version) +
                              "\ncurrency: USD\nprices:\n  - {provider: anthropic, model: "
                              "claude-opus-4-6, per: unit, input_uncached: " +
                              std::string(input_price) + ", output_text: 0.003}\n",
                          "b.yaml")
      .value();
}

inline int32_t month_at(std::string_view text) { return parse_month(text).value(); }

// One bill-to's issuer: what it posted, in order.
struct IssuerBench {
  std::vector<Invoice> documents;
  std::vector<Seal> seals;

  static InvoiceHeader header(std::string_view month, std::string_view bill_to = "search") {
    InvoiceHeader header;
    header.issuer = {"larkfield", "Larkfield AG", {"Hafenstr. 1", "Hamburg"}, "DE1"};
    header.bill_to = {std::string(bill_to), std::string(bill_to), {}, ""};
    header.number_prefix = "LF-";
    header.payment_terms = "30 days";
    header.month = month_at(month);
    header.zone = "UTC";
    header.period = month_of({.bill_to = {}, .month = header.month});
    header.currency = Currency::find("USD").value();
    header.issued_at = header.period.until;
    header.grain_minutes = 30;
    header.terms = {{"price_book", "list", "v1", std::string(64, 'a')}};
    return header;
  }

  // Rated now under the book, with decisions applied.
  static Settled settled(const UsageBuilder& usage, const PriceBook& book, std::string_view month,
                         std::span<const Decision> decisions = {}) {
    return settled(usage.table(), book, month, decisions);
  }
  static Settled settled(const UsageTable& usage, const PriceBook& book, std::string_view month,
                         std::span<const Decision> decisions = {}) {
    InvoiceRequest request{.bill_to = "search", .month = month_at(month)};
    const auto rated = rate(usage, book, {.within = month_of(request)}).value();
    const auto draft = draft_invoice(rated, request);
    RatedMonth current{request.month, {part_of(draft, PartBasis::price_book, book.id, false)}};
    return settle(std::move(current), draft.blockers, decisions, draft.currency);
  }

  Result<Invoice> post(Result<Seal> seal) {
    if (!seal.has_value()) return seal.error();
    const auto previous = documents.empty() ? first_previous_hash : documents.back().hash;
    TRY(auto invoice, derive(seal.value(), to_json(seal.value()),
                             static_cast<int64_t>(documents.size()) + 1, previous));
    documents.push_back(invoice);
    seals.push_back(std::move(seal.value()));
    return invoice;
  }

  Result<Invoice> finalize(InvoiceHeader head, Settled current, std::vector<Settled> earlier = {},
                           SealedUsage usage = {}) {
    return post(seal_invoice(
        {std::move(head), std::move(current), std::move(earlier), std::move(usage)}, documents));
  }

  std::vector<ChainLink> chain() const {
    std::vector<ChainLink> links;
    for (const auto& document : documents)
      links.push_back({document.number, document.content_hash, document.hash});
    return links;
  }
};

inline SealedUsage usage_of(const UsageBuilder& usage, std::string_view month) {
  return seal_usage(usage.table(), month_of({.bill_to = {}, .month = month_at(month)}),
                    [](const UsageKey&, Instant) { return true; });
}

}  // namespace gauger::billing
