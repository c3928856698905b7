#include "billing/invoices/invoice.h"

#include <array>

#include "billing/invoices/seal_json.h"
#include "ledger/hash.h"
#include "schemas/limits.h"

namespace gauger::billing {

JsonValue posted_json(const PostedLine& line, const Currency& currency) {
  auto object = line_json(line.charge);
  object["type"] = to_string(line.type);
  object["month"] = format_month(line.month);
  object["amount"] = currency.format_minor(line.charge.amount_minor);
  return object;
}

Result<PostedLine> parse_posted(std::string_view file, const Node& node, const Currency& currency) {
  TRY(auto fields, JsonFields::of(file, node, "a line"));
  PostedLine line;
  TRY(line.type, fields.choice<LineType>("type", line_type_names));
  TRY(line.month, fields.month("month"));
  TRY(line.charge, parse_line_json(fields));
  TRY(line.charge.amount_minor, fields.minor("amount", currency));
  TRY(fields.finish());
  return line;
}

namespace {

Result<Invoice> parse_content(std::string_view file, const Node& node) {
  TRY(auto fields, JsonFields::of(file, node, "an invoice"));
  TRY(const auto format, fields.integer("format"));
  if (format != invoice_format)
    return Error{ErrorCode::newer_format, std::string(file) + ": invoice format " +
                                              std::to_string(format) + " is not known"};
  TRY(const auto kind, fields.text("kind"));
  if (kind != "invoice") return fields.error("'kind: " + kind.substr(0, 64) + "' is no invoice");
  Invoice invoice;
  TRY(invoice.header, parse_header(fields));
  TRY(invoice.number, fields.integer("number"));
  if (invoice.number < 1) return fields.error("numbers begin with 1");
  TRY(const auto id, fields.text("id"));
  if (id != invoice.id()) return fields.error("'id' is not prefix and number");
  const auto& currency = invoice.header.currency;
  TRY(invoice.lines, parse_list<PostedLine>(fields, "lines", [&](auto name, const Node& line) {
        return parse_posted(name, line, currency);
      }));
  TRY(invoice.total_minor, fields.minor("total", currency));
  TRY(invoice.seal_hash, fields.text("seal_sha256"));
  TRY(fields.finish());
  return invoice;
}

}  // namespace

std::string sha256_hex(std::string_view bytes) { return ledger::to_hex(ledger::sha256(bytes)); }

std::string chain_hash(std::string_view previous_hash, std::string_view content_hash) {
  return sha256_hex(std::string(previous_hash) + "\n" + std::string(content_hash) + "\n");
}

std::string invoice_id(std::string_view prefix, int64_t number) {
  auto digits = std::to_string(number);
  if (digits.size() < 6) digits.insert(0, 6 - digits.size(), '0');
  return std::string(prefix) + digits;
}

std::string Invoice::id() const { return invoice_id(header.number_prefix, number); }

std::string content_json(const Invoice& invoice) {
  JsonValue content;
  content["kind"] = "invoice";
  content["format"] = int64_t{invoice_format};
  put_header(invoice.header, content);
  content["number"] = invoice.number;
  content["id"] = invoice.id();
  content["lines"] = json_list(invoice.lines, [&](const PostedLine& line) {
    return posted_json(line, invoice.header.currency);
  });
  content["total"] = invoice.header.currency.format_minor(invoice.total_minor);
  content["seal_sha256"] = invoice.seal_hash;
  return content.canonical();
}

std::string to_json(const Invoice& invoice) {
  // Members stand in the order of their names, as in every canonical object.
  return R"({"content":)" + content_json(invoice) + R"(,"content_hash":")" + invoice.content_hash +
         R"(","hash":")" + invoice.hash + R"(","previous_hash":")" + invoice.previous_hash +
         "\"}\n";
}

Result<Invoice> parse_invoice_node(std::string_view file, const Node& node) {
  TRY(auto fields, JsonFields::of(file, node, "a finalized invoice"));
  TRY(const auto* content, fields.object("content"));
  TRY(auto invoice, parse_content(file, *content));
  TRY(invoice.content_hash, fields.text("content_hash"));
  TRY(invoice.hash, fields.text("hash"));
  TRY(invoice.previous_hash, fields.text("previous_hash"));
  TRY(fields.finish());
  return invoice;
}

Result<Invoice> parse_invoice(std::string_view json, std::string_view file) {
  TRY(const auto root, parse_json(json, file));
  TRY(auto invoice, parse_invoice_node(file, root));
  if (to_json(invoice) != json)
    return corruption(std::string(file) + ": " + invoice.id() +
                      " is not in its canonical form: its bytes were changed");
  if (sha256_hex(content_json(invoice)) != invoice.content_hash)
    return corruption(std::string(file) + ": the content of " + invoice.id() +
                      " does not have the hash it states");
  if (chain_hash(invoice.previous_hash, invoice.content_hash) != invoice.hash)
    return corruption(std::string(file) + ": " + invoice.id() +
                      " is not chained to the number before it");
  return invoice;
}

}  // namespace gauger::billing
