#include "exporters/documents/invoice_csv.h"

#include "billing/text_table.h"

namespace gauger::exporters {
namespace {

using billing::Align;
using billing::ChargeKind;
using billing::Invoice;
using billing::LineType;
using billing::TextTable;

std::string unit_price(const billing::InvoiceLine& line) {
  if (line.rule.document.empty()) return {};
  return line.kind == ChargeKind::usage ? price_label(line.rule.price) : line.rule.label;
}

TextTable lines_of(const Invoice& invoice) {
  TextTable table({{"line", Align::right},
                   {"type"},
                   {"month"},
                   {"team"},
                   {"project"},
                   {"provider"},
                   {"model"},
                   {"model_tier"},
                   {"region"},
                   {"service_tier"},
                   {"context_tier"},
                   {"charge"},
                   {"item"},
                   {"quantity", Align::right},
                   {"unit_price"},
                   {"amount_exact", Align::right},
                   {"amount", Align::right},
                   {"price_document"},
                   {"price_version"}});
  size_t number = 0;
  for (const auto& line : invoice.lines) {
    const auto& charge = line.charge;
    const bool rounding = line.type == LineType::rounding;
    table.add({std::to_string(++number), std::string(to_string(line.type)),
               format_month(line.month), charge.team, charge.project, charge.provider, charge.model,
               charge.model_tier, charge.region,
               rounding ? "" : std::string(gauger::to_string(charge.service_tier)),
               charge.context_tier == 0 ? "" : std::to_string(charge.context_tier),
               rounding ? "" : std::string(to_string(charge.kind)), charge.item,
               rounding ? "" : std::to_string(charge.quantity), unit_price(charge),
               billing::exact_amount(charge.amount),
               invoice.header.currency.format_minor(charge.amount_minor), charge.rule.document,
               charge.rule.version});
  }
  return table;
}

std::string blockers_of(const Invoice& invoice) {
  std::string text;
  for (const auto& settled : invoice.header.blockers) {
    text += text.empty() ? "\ndecided\n" : "";
    text += "  " + billing::blocker_id(settled.blocker.kind, settled.blocker.subject) + ": " +
            settled.blocker.sentence;
    if (settled.decision)
      text += "; " + std::string(to_string(settled.decision->action)) + " by " +
              settled.decision->by + ": " + settled.decision->reason;
    else if (invoice.header.forced)
      text += "; forced by " + invoice.header.forced->by + ": " + invoice.header.forced->reason;
    text += "\n";
  }
  return text;
}

}  // namespace

std::string invoice_csv(const Invoice& invoice) { return lines_of(invoice).csv(); }

std::string invoice_table(const Invoice& invoice) {
  const auto& header = invoice.header;
  std::string text = std::string(to_string(header.type)) + " " + invoice.id() + " of " +
                     header.issuer.id + " to " + header.bill_to.id + " for " +
                     format_month(header.month) + " (" + header.zone + "), issued " +
                     format_instant(header.issued_at) + "\n";
  if (header.voids)
    text += "voids " + billing::invoice_id(header.number_prefix, *header.voids) + "\n";
  if (!header.reason.empty()) text += "reason: " + header.reason + "\n";
  text += "\n" + lines_of(invoice).text() + "\ntotal " +
          header.currency.format_minor(invoice.total_minor) + " " + header.currency.code() + "\n" +
          blockers_of(invoice) + "\nhash " + invoice.hash + "\n";
  return text;
}

}  // namespace gauger::exporters
