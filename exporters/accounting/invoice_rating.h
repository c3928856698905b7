// The months of bill-tos, rated out of a ledger with decisions applied: what invoices, corrections
// and reviews begin with. A month that is invoiced is rated with the terms it was invoiced with,
// since a new price moves no past by itself.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "billing/invoices/bill_to.h"
#include "billing/invoices/finalize.h"
#include "exporters/accounting/invoice_store.h"

namespace gauger::exporters {

// One set of terms, parsed, with its texts. Without a book: whatever the contracts' closed months
// say, which name their terms themselves.
struct InvoiceTerms {
  std::optional<billing::PriceBook> book;
  std::optional<billing::ModelCatalog> catalog;
  std::optional<billing::Organisation> organisation;
  std::vector<billing::TermsReference> references;  // sorted
  std::vector<std::string> texts;
};
// Of texts by their kinds: price_book, model_catalog, organisation.
Result<InvoiceTerms> parse_invoice_terms(
    const std::vector<std::pair<std::string, NamedText>>& texts);
// Those that an invoice names, out of the ledger.
Result<InvoiceTerms> read_invoice_terms(const InvoiceStore& store,
                                        const std::vector<billing::TermsReference>& references);

struct RatedBillTo {
  billing::Settled settled;
  billing::Currency currency;
  billing::SealedUsage usage;
  std::vector<billing::TermsReference> references;  // beside those of the terms
};
using RatedBillTos = std::map<std::string, RatedBillTo, std::less<>>;

class InvoiceRating {
 public:
  // `now` decides whether a month is over. Borrows both.
  static Result<InvoiceRating> open(const LedgerView& view, const InvoiceStore& store, Instant now);

  // Every bill-to with usage in the month.
  Result<RatedBillTos> month(int32_t month, const InvoiceTerms& terms) const;
  // The other months that the bill-to has invoices of, each with the terms it was invoiced with;
  // what is asked for several bill-tos is rated once.
  Result<std::vector<billing::Settled>> earlier(const std::string& bill_to,
                                                const billing::Currency& currency, int32_t but_for);
  // With which terms the bill-to's month stands: those of its last invoice or note.
  std::vector<billing::TermsReference> terms_of(const std::string& bill_to, int32_t month) const;

  const billing::Issuer& issuer() const { return store_->issuer(); }
  uint64_t as_of() const { return view_->reader->head().sequence; }
  const ledger::LedgerConfig& config() const { return view_->reader->config(); }
  // Records in quarantine that name no team or time: nobody's invoice waits for them.
  size_t unattributable() const { return unattributable_; }

 private:
  struct BadRecord {
    std::string team;
    Instant at;
    RejectReason reason;
  };
  InvoiceRating(const LedgerView& view, const InvoiceStore& store, Instant now)
      : view_(&view), store_(&store), now_(now) {}
  Result<void> read_quarantine();
  Result<RatedBillTos> settled(billing::BillToMonths months, int32_t month) const;
  Result<RatedBillTos> month_of_book(const UsageTable& usage, const InvoiceTerms& terms,
                                     Interval period, int32_t month) const;
  Result<RatedBillTos> month_of_contracts(const UsageTable& usage, const InvoiceTerms& terms,
                                          Interval period, int32_t month) const;
  void add_ledger_blockers(const billing::Organisation* organisation, Interval period,
                           billing::BillToMonths& months) const;
  std::vector<billing::Blocker> incomplete(Interval period) const;

  const LedgerView* view_;
  const InvoiceStore* store_;
  Instant now_;
  std::vector<BadRecord> bad_records_;
  size_t unattributable_ = 0;
  std::map<std::pair<int32_t, std::vector<billing::TermsReference>>, RatedBillTos> earlier_;
};

}  // namespace gauger::exporters
