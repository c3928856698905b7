// What an invoice and its seal say alike: issuer, bill-to, month, terms, decisions.
#include "billing/invoices/line_json.h"
#include "schemas/limits.h"
#include "schemas/time_zone.h"

namespace gauger::billing {
namespace {

JsonValue party_json(const Party& party) {
  JsonValue object;
  object["id"] = party.id;
  object["name"] = party.name;
  object["address"] = json_list(party.address, [](const auto& row) { return JsonValue(row); });
  object["tax_id"] = party.tax_id;
  return object;
}

Result<Party> parse_party(std::string_view file, const Node& node) {
  TRY(auto fields, JsonFields::of(file, node, "a party"));
  Party party;
  TRY(party.id, fields.text("id"));
  TRY(party.name, fields.text("name"));
  TRY(const auto rows, fields.list("address"));
  for (const auto& row : rows) party.address.push_back(row.text);
  TRY(party.tax_id, fields.text("tax_id"));
  TRY(fields.finish());
  return party;
}

JsonValue terms_json(const TermsReference& terms) {
  JsonValue object;
  object["kind"] = terms.kind;
  object["id"] = terms.id;
  object["version"] = terms.version;
  object["content_hash"] = terms.content_hash;
  return object;
}

Result<TermsReference> parse_terms(std::string_view file, const Node& node) {
  TRY(auto fields, JsonFields::of(file, node, "terms"));
  TermsReference terms;
  TRY(terms.kind, fields.text("kind"));
  TRY(terms.id, fields.text("id"));
  TRY(terms.version, fields.text("version"));
  TRY(terms.content_hash, fields.text("content_hash"));
  TRY(fields.finish());
  return terms;
}

JsonValue rate_json(const FrozenRate& rate) {
  JsonValue object;
  object["from"] = rate.from.code();
  object["to"] = rate.to.code();
  object["rate"] = rate.rate.numerator() + "/" + rate.rate.denominator();
  object["date"] = format_instant(rate.date);
  object["document"] = rate.document;
  object["version"] = rate.version;
  return object;
}

Result<FrozenRate> parse_rate(std::string_view file, const Node& node) {
  TRY(auto fields, JsonFields::of(file, node, "an exchange rate"));
  FrozenRate rate;
  TRY(rate.from, fields.currency("from"));
  TRY(rate.to, fields.currency("to"));
  TRY(const auto fraction, fields.text("rate"));
  const auto slash = fraction.find('/');
  if (slash == std::string::npos) return fields.error("'rate' is a fraction");
  TRY(rate.rate, Rational::parse(std::string_view(fraction).substr(0, slash),
                                 std::string_view(fraction).substr(slash + 1)));
  TRY(rate.date, fields.instant("date"));
  TRY(rate.document, fields.text("document"));
  TRY(rate.version, fields.text("version"));
  TRY(fields.finish());
  return rate;
}

JsonValue settled_json(const SettledBlocker& settled) {
  const auto& blocker = settled.blocker;
  JsonValue object;
  object["blocker"] = blocker_id(blocker.kind, blocker.subject);
  object["kind"] = to_string(blocker.kind);
  object["sentence"] = blocker.sentence;
  object["quantity"] = std::to_string(blocker.quantity);
  object["subject"] = line_json(blocker.subject);
  if (settled.decision) object["decision"] = decision_json(*settled.decision);
  return object;
}

Result<SettledBlocker> parse_settled(std::string_view file, const Node& node) {
  TRY(auto fields, JsonFields::of(file, node, "a blocker"));
  SettledBlocker settled;
  TRY(settled.blocker.kind, fields.choice<BlockerKind>("kind", blocker_kind_names));
  TRY(settled.blocker.sentence, fields.text("sentence"));
  TRY(settled.blocker.quantity, fields.quantity("quantity"));
  TRY(const auto* subject, fields.object("subject"));
  TRY(auto subject_fields, JsonFields::of(file, *subject, "a subject"));
  TRY(settled.blocker.subject, parse_line_json(subject_fields));
  TRY(subject_fields.finish());
  TRY(const auto id, fields.text("blocker"));
  if (id != blocker_id(settled.blocker.kind, settled.blocker.subject))
    return fields.error("'blocker' does not name its subject");
  const auto* decision = fields.optional("decision");
  if (decision != nullptr) {
    TRY(settled.decision, parse_decision(file, *decision));
  }
  TRY(fields.finish());
  return settled;
}

Result<std::vector<int64_t>> parse_boundaries(JsonFields& fields) {
  TRY(const auto nodes, fields.list("context_boundaries"));
  std::vector<int64_t> boundaries;
  for (const auto& node : nodes) {
    TRY(const auto boundary, read_integer(fields.file(), node, 1, limits::count_max));
    boundaries.push_back(boundary);
  }
  return boundaries;
}

Result<void> parse_period(JsonFields& fields, InvoiceHeader& header) {
  TRY(header.month, fields.month("month"));
  TRY(header.zone, fields.text("time_zone"));
  TRY(header.period.from, fields.instant("from"));
  TRY(header.period.until, fields.instant("until"));
  if (header.period.from >= header.period.until)
    return fields.error("a month ends after its begin");
  return success();
}

}  // namespace

JsonValue decision_json(const Decision& decision) {
  JsonValue object;
  object["blocker"] = decision.blocker;
  object["bill_to"] = decision.bill_to;
  object["month"] = format_month(decision.month);
  object["action"] = to_string(decision.action);
  object["quantity"] = std::to_string(decision.quantity);
  if (decision.price) object["price"] = price_json(*decision.price);
  object["by"] = decision.by;
  object["reason"] = decision.reason;
  object["at"] = format_instant(decision.at);
  return object;
}

Result<Decision> parse_decision(std::string_view file, const Node& node) {
  TRY(auto fields, JsonFields::of(file, node, "a decision"));
  Decision decision;
  TRY(decision.blocker, fields.text("blocker"));
  TRY(decision.bill_to, fields.text("bill_to"));
  TRY(decision.month, fields.month("month"));
  TRY(decision.action, fields.choice<DecisionAction>("action", decision_action_names));
  TRY(decision.quantity, fields.quantity("quantity"));
  const auto* price = fields.optional("price");
  if (price != nullptr) {
    TRY(decision.price, parse_price_json(file, *price));
  }
  TRY(decision.by, fields.text("by"));
  TRY(decision.reason, fields.text("reason"));
  TRY(decision.at, fields.instant("at"));
  TRY(fields.finish());
  if (decision.price.has_value() != (decision.action == DecisionAction::provisional_price))
    return fields.error("'price' stands with a provisional price, and only there");
  return decision;
}

void put_header(const InvoiceHeader& header, JsonValue& object) {
  object["type"] = to_string(header.type);
  object["issuer"] = party_json(header.issuer);
  object["bill_to"] = party_json(header.bill_to);
  object["number_prefix"] = header.number_prefix;
  object["payment_terms"] = header.payment_terms;
  object["month"] = format_month(header.month);
  object["time_zone"] = header.zone;
  object["from"] = format_instant(header.period.from);
  object["until"] = format_instant(header.period.until);
  object["currency"] = header.currency.code();
  object["issued_at"] = format_instant(header.issued_at);
  if (header.voids) object["voids"] = *header.voids;
  object["reason"] = header.reason;
  object["grain_minutes"] = header.grain_minutes;
  object["context_boundaries"] =
      json_list(header.context_boundaries, [](int64_t boundary) { return JsonValue(boundary); });
  object["as_of_sequence"] = static_cast<int64_t>(header.as_of_sequence);
  object["terms"] = json_list(header.terms, terms_json);
  object["exchange_rates"] = json_list(header.rates, rate_json);
  object["blockers"] = json_list(header.blockers, settled_json);
  if (!header.forced) return;
  JsonValue forced;
  forced["by"] = header.forced->by;
  forced["reason"] = header.forced->reason;
  object["forced"] = std::move(forced);
}

Result<InvoiceHeader> parse_header(JsonFields& fields) {
  InvoiceHeader header;
  const auto file = fields.file();
  TRY(header.type, fields.choice<InvoiceType>("type", invoice_type_names));
  TRY(const auto* issuer, fields.object("issuer"));
  TRY(header.issuer, parse_party(file, *issuer));
  TRY(const auto* bill_to, fields.object("bill_to"));
  TRY(header.bill_to, parse_party(file, *bill_to));
  TRY(header.number_prefix, fields.text("number_prefix"));
  TRY(header.payment_terms, fields.text("payment_terms"));
  TRY(parse_period(fields, header));
  TRY(header.currency, fields.currency("currency"));
  TRY(header.issued_at, fields.instant("issued_at"));
  if (fields.has("voids")) {
    TRY(header.voids, fields.integer("voids"));
  }
  TRY(header.reason, fields.text("reason"));
  TRY(header.grain_minutes, fields.integer("grain_minutes"));
  TRY(header.context_boundaries, parse_boundaries(fields));
  TRY(const auto as_of, fields.integer("as_of_sequence"));
  header.as_of_sequence = static_cast<uint64_t>(as_of);
  TRY(header.terms, parse_list<TermsReference>(fields, "terms", parse_terms));
  TRY(header.rates, parse_list<FrozenRate>(fields, "exchange_rates", parse_rate));
  TRY(header.blockers, parse_list<SettledBlocker>(fields, "blockers", parse_settled));
  const auto* forced = fields.optional("forced");
  if (forced == nullptr) return header;
  TRY(auto forced_fields, JsonFields::of(file, *forced, "a forced finalizing"));
  header.forced.emplace();
  TRY(header.forced->by, forced_fields.text("by"));
  TRY(header.forced->reason, forced_fields.text("reason"));
  TRY(forced_fields.finish());
  return header;
}

}  // namespace gauger::billing
