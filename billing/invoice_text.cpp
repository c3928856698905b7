#include "billing/invoice_text.h"

#include "billing/json_value.h"
#include "billing/text_table.h"

namespace gauger::billing {
namespace {

std::string price_of(const InvoiceLine& line) {
  return line.kind == ChargeKind::usage ? price_label(line.rule.price) : line.rule.label;
}

std::string amount_text(const InvoiceDraft& draft, const InvoiceLine& line) {
  return draft.currency.format_minor(line.amount_minor);
}

TextTable table_of(const InvoiceDraft& draft) {
  TextTable table({{"team"},
                   {"project"},
                   {"provider"},
                   {"model"},
                   {"tier"},
                   {"region"},
                   {"service"},
                   {"context"},
                   {"charge"},
                   {"item"},
                   {"quantity", Align::right},
                   {"unit price"},
                   {"exact", Align::right},
                   {"amount", Align::right},
                   {"price version"}});
  for (const auto& line : draft.lines)
    table.add({line.team, line.project, line.provider, line.model, line.model_tier, line.region,
               std::string(gauger::to_string(line.service_tier)),
               line.context_tier == 0 ? "" : std::to_string(line.context_tier),
               line.kind == ChargeKind::usage ? "" : std::string(to_string(line.kind)), line.item,
               std::to_string(line.quantity), price_of(line), format_amount(line.amount),
               amount_text(draft, line), line.rule.document + " " + line.rule.version});
  return table;
}

}  // namespace

std::string invoice_table(const InvoiceDraft& draft) {
  std::string text = "invoice draft of " + draft.bill_to + " for " + format_month(draft.month) +
                     " (" + draft.zone + ", " + format_instant(draft.period.from) + " to " +
                     format_instant(draft.period.until) + ")\n\n" + table_of(draft).text() +
                     "\ntotal " + draft.currency.format_minor(draft.total_minor) + " " +
                     draft.currency.code() + " (exact " + format_amount(draft.total) + ")\n";
  if (draft.blockers.empty()) return text;
  text += "\nblocked by\n";
  for (const auto& blocker : draft.blockers)
    text += "  " + std::string(to_string(blocker.kind)) + ": " + blocker.sentence + "\n";
  return text;
}

std::string invoice_csv(const InvoiceDraft& draft) { return table_of(draft).csv(); }

std::string invoice_json(const InvoiceDraft& draft) {
  JsonValue root;
  root["kind"] = "invoice_draft";
  root["bill_to"] = draft.bill_to;
  root["month"] = format_month(draft.month);
  root["time_zone"] = draft.zone;
  root["from"] = format_instant(draft.period.from);
  root["until"] = format_instant(draft.period.until);
  root["currency"] = draft.currency.code();
  root["total"] = draft.currency.format_minor(draft.total_minor);
  root["total_exact"] = format_amount(draft.total);
  root["as_of_sequence"] = static_cast<int64_t>(draft.as_of_sequence);
  root["lines"] = JsonValue::Array();
  for (const auto& line : draft.lines) {
    JsonValue item;
    item["team"] = line.team;
    item["project"] = line.project;
    item["provider"] = line.provider;
    item["model"] = line.model;
    item["model_tier"] = line.model_tier;
    item["region"] = line.region;
    item["service_tier"] = gauger::to_string(line.service_tier);
    item["context_tier"] = int64_t{line.context_tier};
    item["charge"] = to_string(line.kind);
    item["item"] = line.item;
    item["quantity"] = line.quantity;
    item["unit_price"] = price_of(line);
    item["amount_exact"] = format_amount(line.amount);
    item["amount"] = amount_text(draft, line);
    item["terms"] = line.rule.document;
    item["version"] = line.rule.version;
    item["rule"] = line.rule.label;
    item["context_above"] = line.rule.context_above;
    root["lines"].push_back(std::move(item));
  }
  root["blockers"] = JsonValue::Array();
  for (const auto& blocker : draft.blockers) {
    JsonValue item;
    item["kind"] = to_string(blocker.kind);
    item["sentence"] = blocker.sentence;
    item["quantity"] = blocker.quantity;
    root["blockers"].push_back(std::move(item));
  }
  return root.canonical() + "\n";
}

}  // namespace gauger::billing
