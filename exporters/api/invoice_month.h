// A bill-to's month as the handlers of invoices open it: which documents, which terms, what was
// used. Private to exporters/api.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "exporters/accounting/invoice_making.h"
#include "exporters/api/accounting.h"

namespace gauger::exporters {

// The ids of the terms to rate with, by kind; empty where none is named.
using NamedTerms = std::vector<std::pair<std::string, std::string>>;

struct MonthCall {
  std::string issuer;
  std::string bill_to;
  int32_t month = 0;
  NamedTerms terms;
};
// period, bill_to, issuer and the ids of terms; the caller reads the rest and finishes.
Result<MonthCall> parse_month_call(billing::Fields& fields);
Result<NamedTerms> parse_named_terms(billing::Fields& fields);
// The same from the query; the bill-to may be absent.
Result<MonthCall> parse_month_query(const Call& call);
NamedTerms named_terms_of_query(const Call& call);

Result<InvoiceStore> store_of(const LedgerView& view, std::string_view issuer);
// The terms that are named, as they are in force for the month. not_found.
Result<InvoiceTerms> invoice_terms_in_force(const LedgerView& view, int32_t month,
                                            const NamedTerms& named);

// Everything that a month is rated from, kept alive together.
struct OpenMonth {
  static Result<std::unique_ptr<OpenMonth>> open(Service& service, const Call& call,
                                                 MonthCall wanted);

  InvoiceBooks books() const { return {view, store, now}; }
  InvoiceRating& rating() { return *rating_; }
  // The bill-to that is asked for. not_found: it has no usage in the month.
  Result<const RatedBillTo*> bill_to() const;

  MonthCall wanted;
  LedgerView view;
  InvoiceStore store;
  Instant now;
  InvoiceTerms terms;
  RatedBillTos months;

 private:
  OpenMonth(MonthCall the_wanted, LedgerView the_view, InvoiceStore the_store, Instant the_now)
      : wanted(std::move(the_wanted)),
        view(std::move(the_view)),
        store(std::move(the_store)),
        now(the_now) {}
  std::optional<InvoiceRating> rating_;  // borrows view and store
};

// What to append for a seal, the document first. refused after a restore, until the numbers that
// left the house are confirmed.
Result<std::vector<ledger::DocumentDraft>> note_drafts(const InvoiceStore& store,
                                                       const billing::Seal& seal,
                                                       const InvoiceTerms& terms,
                                                       const std::string& author,
                                                       const std::string& reason);

}  // namespace gauger::exporters
