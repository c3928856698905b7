// An issuer's documents in a ledger: what it posted, by number; seals; decisions and reviews of
// months that are not finalized yet; the terms that invoices were rated with, by content. The
// version of the document "invoice <issuer>" is the invoice's number, so the ledger itself keeps
// numbers without a gap and refuses the second of two who take one.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "billing/invoices/booked.h"
#include "billing/invoices/decision_text.h"
#include "billing/invoices/issuer.h"
#include "billing/invoices/verify_bundle.h"
#include "exporters/accounting/ledger_view.h"

namespace gauger::exporters {

class InvoiceStore {
 public:
  // The issuer named, or the only one; where no issuer was posted, one of the ledger's time zone
  // that is called "gauger". not_found, or conflict where there are several.
  static Result<InvoiceStore> open(const ledger::Documents& documents, const std::string& issuer,
                                   const std::string& ledger_zone,
                                   std::string_view name_space = documents_name_space);

  const billing::Issuer& issuer() const { return issuer_; }
  const std::vector<billing::Invoice>& invoices() const { return invoices_; }
  // By "LF-000042" or "42". not_found.
  Result<const billing::Invoice*> invoice(std::string_view name) const;
  Result<billing::Seal> seal(int64_t number, std::string* text = nullptr) const;
  std::vector<billing::ChainLink> chain(int64_t last) const;

  // In the order in which they were made.
  const std::vector<billing::Decision>& decisions() const { return decisions_; }
  std::vector<billing::Decision> decisions(std::string_view bill_to, int32_t month) const;
  std::optional<billing::Review> review(std::string_view bill_to, int32_t month) const;

  // The text of terms that an invoice names, by its hash. not_found.
  Result<std::string> terms(std::string_view content_hash) const;
  bool has_terms(std::string_view content_hash) const;
  // What was appended since this was opened.
  void posted(const billing::Invoice& invoice, const std::vector<std::string>& terms);

  // What to append for a seal: invoice and seal, with the next number.
  Result<std::vector<ledger::DocumentDraft>> drafts_of(const billing::Seal& seal,
                                                       const std::string& author,
                                                       billing::Invoice& invoice) const;
  ledger::DocumentDraft draft_of(const billing::Decision& decision) const;
  ledger::DocumentDraft draft_of(const billing::Review& review) const;
  ledger::DocumentDraft draft_of_terms(std::string content) const;
  ledger::DocumentDraft draft_of_issuer(const billing::Issuer& issuer, std::string text,
                                        const std::string& author) const;

 private:
  InvoiceStore(const ledger::Documents& documents, std::string_view name_space)
      : documents_(documents), name_space_(name_space) {}
  ledger::DocumentKey key_of(std::string_view kind, std::string_view id) const {
    return {name_space_, std::string(kind), std::string(id)};
  }
  Result<void> read();
  Result<void> read_decisions();
  Result<std::optional<ledger::DocumentVersion>> find_terms(std::string_view content_hash) const;

  ledger::Documents documents_;
  std::string name_space_;
  billing::Issuer issuer_;
  std::vector<billing::Invoice> invoices_;
  std::vector<billing::Decision> decisions_;
  std::vector<billing::Review> reviews_;
  std::map<std::string, std::string, std::less<>> posted_terms_;  // by content hash
};

}  // namespace gauger::exporters
