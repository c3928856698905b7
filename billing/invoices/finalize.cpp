#include "billing/invoices/finalize.h"

#include <algorithm>

namespace gauger::billing {
namespace {

Error refused(std::string sentence) { return {ErrorCode::refused, std::move(sentence)}; }

// Settled blockers go on record; open ones only by force.
Result<void> record_blockers(const Settled& settled, InvoiceHeader& header) {
  if (!settled.open.empty() && !header.forced)
    return refused(blockers_text(settled.open, settled.month.month));
  header.blockers.insert(header.blockers.end(), settled.settled.begin(), settled.settled.end());
  for (const auto& open : settled.open) header.blockers.push_back({open.blocker, std::nullopt});
  return success();
}

// Adds the month's correction where there is anything to correct.
Result<void> add_correction(RatedMonth current, const Booked& booked, Seal& seal) {
  MonthCorrection correction{std::move(current), {}};
  correction.booked = booked.month(correction.current.month);
  TRY(const auto lines, correction_lines(correction, seal.header.currency));
  if (!lines.lines.empty()) seal.corrections.push_back(std::move(correction));
  return success();
}

void sort_header(InvoiceHeader& header) {
  std::sort(header.terms.begin(), header.terms.end());
  header.terms.erase(std::unique(header.terms.begin(), header.terms.end()), header.terms.end());
}

bool by_month(const Settled& a, const Settled& b) { return a.month.month < b.month.month; }

}  // namespace

std::string blockers_text(std::span<const OpenBlocker> open, int32_t month) {
  std::string text = format_month(month) + " is blocked by";
  for (const auto& blocker : open)
    text +=
        "\n  " + blocker.id + ": " + blocker.blocker.sentence + "\n    " + how_to_decide(blocker);
  return text;
}

Result<Seal> seal_invoice(FinalizeInput input, std::span<const Invoice> documents) {
  Seal seal;
  seal.header = std::move(input.header);
  auto& header = seal.header;
  header.type = InvoiceType::invoice;
  const Booked booked(documents, header.bill_to.id, header.currency);
  if (const auto number = booked.invoice_of(header.month))
    return refused(format_month(header.month) + " of " + header.bill_to.id + " is finalized as " +
                   invoice_id(header.number_prefix, *number) +
                   "; a correction adds to it, voiding it opens the month again");
  TRY(record_blockers(input.current, header));
  seal.charges = std::move(input.current.month);
  // What was posted for a month whose invoice was voided is taken back where it is invoiced anew.
  TRY(add_correction({header.month, {}}, booked, seal));
  std::sort(input.earlier.begin(), input.earlier.end(), by_month);
  for (auto& earlier : input.earlier) {
    VERIFY(earlier.month.month != header.month, "a month is not its own earlier one");
    TRY(record_blockers(earlier, header));
    TRY(add_correction(std::move(earlier.month), booked, seal));
  }
  sort_header(header);
  seal.usage = std::move(input.usage);
  return seal;
}

Result<Seal> seal_note(InvoiceHeader header, std::vector<Settled> months,
                       std::span<const Invoice> documents) {
  Seal seal;
  seal.header = std::move(header);
  const Booked booked(documents, seal.header.bill_to.id, seal.header.currency);
  seal.charges.month = seal.header.month;
  std::sort(months.begin(), months.end(), by_month);
  for (auto& month : months) {
    if (!booked.invoice_of(month.month.month))
      return refused(format_month(month.month.month) + " of " + seal.header.bill_to.id +
                     " has no invoice to correct");
    TRY(record_blockers(month, seal.header));
    TRY(add_correction(std::move(month.month), booked, seal));
  }
  if (seal.corrections.empty())
    return refused("nothing is to be corrected for " + seal.header.bill_to.id);
  Int128 total = 0;
  for (const auto& correction : seal.corrections)
    total += total_of(correction.current) - correction.booked.total_minor;
  seal.header.type = total > 0 ? InvoiceType::debit_note : InvoiceType::credit_note;
  sort_header(seal.header);
  return seal;
}

Result<Seal> seal_void(const Invoice& voided, InvoiceHeader header,
                       std::span<const Invoice> documents) {
  if (voided.header.voids) return refused(voided.id() + " is itself a void; it cannot be voided");
  if (const auto by = voided_by(documents, voided.number))
    return refused(voided.id() + " is void since " + invoice_id(voided.header.number_prefix, *by));
  Seal seal;
  seal.header = std::move(header);
  seal.header.type = voided.header.type == InvoiceType::credit_note ? InvoiceType::debit_note
                                                                    : InvoiceType::credit_note;
  seal.header.voids = voided.number;
  seal.charges.month = seal.header.month;
  seal.reversed = voided.lines;
  return seal;
}

}  // namespace gauger::billing
