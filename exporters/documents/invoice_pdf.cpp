#include "exporters/documents/invoice_pdf.h"

#include "exporters/documents/pdf_page.h"
#include "schemas/time_zone.h"

namespace gauger::exporters {
namespace {

using billing::ChargeKind;
using billing::Invoice;
using billing::InvoiceType;
using billing::LineType;

std::string title_of(const Invoice& invoice) {
  switch (invoice.header.type) {
    case InvoiceType::invoice: return "Invoice " + invoice.id();
    case InvoiceType::credit_note: return "Credit note " + invoice.id();
    case InvoiceType::debit_note: return "Debit note " + invoice.id();
  }
  return {};
}

// "1,234,567".
std::string grouped(std::string digits) {
  const size_t first = digits.starts_with('-') ? 1 : 0;
  for (size_t end = std::min(digits.find('.'), digits.size()); end > first + 3; end -= 3)
    digits.insert(end - 3, ",");
  return digits;
}

std::vector<std::string> party_rows(std::string_view role, const billing::Party& party) {
  std::vector<std::string> rows = {std::string(role), party.name.empty() ? party.id : party.name};
  rows.insert(rows.end(), party.address.begin(), party.address.end());
  if (!party.tax_id.empty()) rows.push_back("Tax id " + party.tax_id);
  return rows;
}

std::string what_of(const billing::PostedLine& line) {
  const auto& charge = line.charge;
  if (line.type == LineType::rounding) return "rounding";
  auto text = charge.provider + " " + charge.model;
  if (!charge.model_tier.empty() && charge.model_tier != "unclassified")
    text += ", " + charge.model_tier;
  if (charge.service_tier != ServiceTier::standard)
    text += ", " + std::string(gauger::to_string(charge.service_tier));
  if (charge.context_tier != 0) text += ", context tier " + std::to_string(charge.context_tier);
  if (!charge.region.empty()) text += ", " + charge.region;
  return text;
}

std::string class_of(const billing::PostedLine& line) {
  std::string text;
  if (line.type == LineType::correction) text = "correction: ";
  if (line.type == LineType::reversal) text = "reversal: ";
  if (line.charge.kind != ChargeKind::usage) text += std::string(to_string(line.charge.kind)) + " ";
  return line.type == LineType::rounding ? "" : text + line.charge.item;
}

std::vector<std::string> row_of(const billing::PostedLine& line, size_t number,
                                const billing::Currency& currency) {
  const auto& charge = line.charge;
  const bool rounding = line.type == LineType::rounding;
  const auto owner = charge.project.empty() ? charge.team : charge.team + " / " + charge.project;
  const auto price = charge.rule.document.empty()       ? ""
                     : charge.kind == ChargeKind::usage ? price_label(charge.rule.price)
                                                        : charge.rule.label;
  const auto version =
      charge.rule.document.empty() ? "" : charge.rule.document + " " + charge.rule.version;
  return {std::to_string(number),
          format_month(line.month),
          owner,
          what_of(line),
          class_of(line),
          rounding ? "" : grouped(std::to_string(charge.quantity)),
          price,
          version,
          billing::exact_amount(charge.amount),
          grouped(currency.format_minor(charge.amount_minor))};
}

const std::vector<PdfColumn>& columns() {
  static const std::vector<PdfColumn> all = {{"#", 24, PdfAlign::right},
                                             {"Month", 40},
                                             {"Team / project", 96},
                                             {"Model", 150},
                                             {"Class", 88},
                                             {"Quantity", 76, PdfAlign::right},
                                             {"Unit price", 76},
                                             {"Price version", 78},
                                             {"Exact amount", 76, PdfAlign::right},
                                             {"Amount", 66, PdfAlign::right}};
  return all;
}

std::vector<std::string> facts_of(const Invoice& invoice, const TimeZone& zone) {
  const auto& header = invoice.header;
  std::vector<std::string> rows = {
      "Number " + invoice.id(), "Issued " + format_day(zone.local_day(header.issued_at)),
      "Period " + format_month(header.month) + ", " + format_instant(header.period.from) + " to " +
          format_instant(header.period.until) + " (" + header.zone + ")",
      "Currency " + header.currency.code()};
  if (!header.payment_terms.empty()) rows.push_back("Terms of payment " + header.payment_terms);
  if (header.voids)
    rows.push_back("Voids " + billing::invoice_id(header.number_prefix, *header.voids));
  if (!header.reason.empty()) rows.push_back("Reason " + header.reason);
  return rows;
}

void put_decisions(const Invoice& invoice, PdfDocument& pdf) {
  if (invoice.header.blockers.empty()) return;
  pdf.space(8);
  pdf.text("Decided before it was issued", 9, PdfFont::bold);
  for (const auto& settled : invoice.header.blockers) {
    auto text = settled.blocker.sentence;
    if (settled.decision)
      text += "; " + std::string(to_string(settled.decision->action)) + " by " +
              settled.decision->by + ": " + settled.decision->reason;
    else if (invoice.header.forced)
      text += "; forced by " + invoice.header.forced->by + ": " + invoice.header.forced->reason;
    pdf.text(text, 7);
  }
}

void put_terms(const Invoice& invoice, PdfDocument& pdf) {
  pdf.space(8);
  for (const auto& terms : invoice.header.terms)
    pdf.text("Priced by " + terms.kind + " " + terms.id + " " + terms.version + " (SHA-256 " +
                 terms.content_hash.substr(0, 16) + ")",
             7);
  for (const auto& rate : invoice.header.rates)
    pdf.text("Converted from " + rate.from.code() + " at " + rate.rate.numerator() + "/" +
                 rate.rate.denominator() + " of " + format_instant(rate.date),
             7);
}

}  // namespace

Result<std::string> invoice_pdf(const Invoice& invoice) {
  const auto& header = invoice.header;
  TRY(const auto zone, TimeZone::find(header.zone));
  TRY(auto pdf, PdfDocument::open(title_of(invoice), header.issuer.name, header.issued_at,
                                  needs_unicode(content_json(invoice))));
  pdf.text(title_of(invoice), 16, PdfFont::bold);
  pdf.space(8);
  pdf.two_columns(party_rows("From", header.issuer), party_rows("To", header.bill_to));
  pdf.space(8);
  pdf.two_columns(facts_of(invoice, zone), {});
  pdf.space(8);
  std::vector<std::vector<std::string>> rows;
  for (const auto& line : invoice.lines)
    rows.push_back(row_of(line, rows.size() + 1, header.currency));
  pdf.table(columns(), rows);
  pdf.figure("Total " + header.currency.code(),
             grouped(header.currency.format_minor(invoice.total_minor)), PdfFont::bold);
  put_decisions(invoice, pdf);
  put_terms(invoice, pdf);
  return pdf.finish(invoice.id() + "  SHA-256 " + invoice.hash);
}

}  // namespace gauger::exporters
