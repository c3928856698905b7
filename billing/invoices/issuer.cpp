#include "billing/invoices/issuer.h"

#include "billing/document.h"

namespace gauger::billing {
namespace {

Result<Party> read_party(Fields& fields) {
  Party party;
  TRY(party.id, fields.text("id"));
  TRY(party.name, fields.text_or("name", party.id));
  TRY(party.tax_id, fields.text_or("tax_id", ""));
  TRY(const auto rows, fields.list("address"));
  for (const auto& row : rows) {
    TRY(auto text, read_text(fields.file(), row, "address"));
    party.address.push_back(std::move(text));
  }
  return party;
}

}  // namespace

Party Issuer::bill_to(std::string_view id) const {
  const auto found = bill_tos.find(id);
  if (found != bill_tos.end()) return found->second;
  return {std::string(id), std::string(id), {}, ""};
}

Result<Issuer> parse_issuer(std::string_view text, std::string_view file) {
  TRY(const auto root, parse_yaml(text, file));
  TRY(auto fields, Fields::of(file, root, "an issuer"));
  TRY(const auto kind, fields.text("kind"));
  if (kind != "issuer") return fields.error("'kind: " + kind + "' is not an issuer");
  TRY(fields.text("version"));
  Issuer issuer;
  TRY(issuer.party, read_party(fields));
  TRY(const auto zone, fields.text_or("time_zone", "UTC"));
  TRY(issuer.zone, TimeZone::find(zone));
  TRY(issuer.number_prefix, fields.text_or("number_prefix", issuer.party.id + "-"));
  TRY(issuer.payment_terms, fields.text_or("payment_terms", ""));
  TRY(const auto bill_tos, fields.list("bill_to"));
  for (const auto& node : bill_tos) {
    TRY(auto bill_to, Fields::of(file, node, "a bill-to"));
    TRY(auto party, read_party(bill_to));
    TRY(bill_to.finish());
    const auto id = party.id;
    if (!issuer.bill_tos.emplace(id, std::move(party)).second)
      return bill_to.error("the bill-to '" + id + "' stands twice");
  }
  TRY(fields.finish());
  return issuer;
}

}  // namespace gauger::billing
