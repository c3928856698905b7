#include "billing/invoices/seal_json.h"

#include "billing/json_value.h"

namespace gauger::billing {
namespace {

JsonValue lines_json(const std::vector<InvoiceLine>& lines) { return json_list(lines, line_json); }

// With its minor units where `allocated` names their currency.
Result<InvoiceLine> parse_part_line(std::string_view file, const Node& node,
                                    const Currency* allocated) {
  TRY(auto fields, JsonFields::of(file, node, "a rated line"));
  TRY(auto line, parse_line_json(fields));
  if (allocated != nullptr) {
    TRY(line.amount_minor, fields.minor("amount", *allocated));
  }
  TRY(fields.finish());
  return line;
}

Result<InvoiceLine> parse_line(std::string_view file, const Node& node) {
  return parse_part_line(file, node, nullptr);
}

JsonValue part_json(const RatedPart& part, const Currency& currency) {
  JsonValue object;
  object["basis"] = to_string(part.basis);
  object["source"] = part.source;
  object["allocated"] = part.allocated;
  object["total"] = currency.format_minor(part.total_minor);
  object["lines"] = json_list(part.lines, [&](const InvoiceLine& line) {
    auto item = line_json(line);
    if (part.allocated) item["amount"] = currency.format_minor(line.amount_minor);
    return item;
  });
  return object;
}

Result<RatedPart> parse_part(std::string_view file, const Node& node, const Currency& currency) {
  TRY(auto fields, JsonFields::of(file, node, "a part"));
  RatedPart part;
  TRY(part.basis, fields.choice<PartBasis>("basis", part_basis_names));
  TRY(part.source, fields.text("source"));
  TRY(part.allocated, fields.truth("allocated"));
  TRY(part.total_minor, fields.minor("total", currency));
  TRY(part.lines, parse_list<InvoiceLine>(fields, "lines", [&](auto name, const Node& item) {
        return parse_part_line(name, item, part.allocated ? &currency : nullptr);
      }));
  TRY(fields.finish());
  return part;
}

JsonValue parts_json(const RatedMonth& month, const Currency& currency) {
  return json_list(month.parts, [&](const RatedPart& part) { return part_json(part, currency); });
}

Result<std::vector<RatedPart>> parse_parts(JsonFields& fields, std::string_view name,
                                           const Currency& currency) {
  return parse_list<RatedPart>(
      fields, name, [&](auto file, const Node& node) { return parse_part(file, node, currency); });
}

JsonValue correction_json(const MonthCorrection& correction, const Currency& currency) {
  JsonValue object;
  object["month"] = format_month(correction.current.month);
  object["current"] = parts_json(correction.current, currency);
  object["booked"] = lines_json(correction.booked.lines);
  object["booked_total"] = currency.format_minor(correction.booked.total_minor);
  return object;
}

Result<MonthCorrection> parse_correction(std::string_view file, const Node& node,
                                         const Currency& currency) {
  TRY(auto fields, JsonFields::of(file, node, "a correction"));
  MonthCorrection correction;
  TRY(correction.current.month, fields.month("month"));
  correction.booked.month = correction.current.month;
  TRY(correction.current.parts, parse_parts(fields, "current", currency));
  TRY(correction.booked.lines, parse_list<InvoiceLine>(fields, "booked", parse_line));
  TRY(correction.booked.total_minor, fields.minor("booked_total", currency));
  TRY(fields.finish());
  return correction;
}

}  // namespace

std::string to_json(const Seal& seal) {
  const auto& currency = seal.header.currency;
  JsonValue root;
  root["kind"] = "invoice_seal";
  root["format"] = int64_t{invoice_format};
  put_header(seal.header, root);
  root["charges"] = parts_json(seal.charges, currency);
  root["corrections"] = json_list(seal.corrections, [&](const MonthCorrection& correction) {
    return correction_json(correction, currency);
  });
  root["reversed"] =
      json_list(seal.reversed, [&](const PostedLine& line) { return posted_json(line, currency); });
  root["usage"] = usage_json(seal.usage);
  return root.canonical() + "\n";
}

Result<Seal> parse_seal_node(std::string_view file, const Node& node) {
  TRY(auto fields, JsonFields::of(file, node, "a seal"));
  TRY(const auto format, fields.integer("format"));
  if (format != invoice_format)
    return Error{ErrorCode::newer_format,
                 std::string(file) + ": seal format " + std::to_string(format) + " is not known"};
  TRY(const auto kind, fields.text("kind"));
  if (kind != "invoice_seal") return fields.error("'kind: " + kind.substr(0, 64) + "' is no seal");
  Seal seal;
  TRY(seal.header, parse_header(fields));
  const auto& currency = seal.header.currency;
  seal.charges.month = seal.header.month;
  TRY(seal.charges.parts, parse_parts(fields, "charges", currency));
  TRY(seal.corrections,
      parse_list<MonthCorrection>(fields, "corrections", [&](auto name, const Node& item) {
        return parse_correction(name, item, currency);
      }));
  TRY(seal.reversed, parse_list<PostedLine>(fields, "reversed", [&](auto name, const Node& item) {
        return parse_posted(name, item, currency);
      }));
  TRY(seal.usage, parse_usage(fields));
  TRY(fields.finish());
  return seal;
}

Result<Seal> parse_seal(std::string_view json, std::string_view file) {
  TRY(const auto root, parse_json(json, file));
  TRY(auto seal, parse_seal_node(file, root));
  if (to_json(seal) != json)
    return corruption(std::string(file) + ": the seal is not in its canonical form");
  return seal;
}

}  // namespace gauger::billing
