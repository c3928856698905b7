#include "billing/invoices/json_fields.h"

#include "schemas/money.h"
#include "schemas/time_zone.h"

namespace gauger::billing {
namespace {

// Beyond this a sum in pico-units could leave 128 bits.
constexpr int64_t minor_max = 1'000'000'000'000'000'000;

Error named(const JsonFields& fields, std::string_view name, const Error& error) {
  return {error.code,
          std::string(fields.file()) + ": '" + std::string(name) + "': " + error.sentence};
}

}  // namespace

Result<JsonFields> JsonFields::of(std::string_view file, const Node& node, std::string_view what) {
  TRY(auto fields, Fields::of(file, node, what));
  return JsonFields(std::move(fields));
}

Result<std::string_view> JsonFields::scalar(std::string_view name, bool quoted) {
  TRY(const auto* node, fields_.required(name));
  if (node->kind != Node::Kind::scalar || node->quoted != quoted)
    return fields_.error("'" + std::string(name) + "' is a " + (quoted ? "text" : "number"));
  return std::string_view(node->text);
}

Result<std::string> JsonFields::text(std::string_view name) {
  TRY(const auto text, scalar(name, true));
  return std::string(text);
}

Result<int64_t> JsonFields::integer(std::string_view name) {
  TRY(const auto text, scalar(name, false));
  const auto value = parse_decimal(text, 0);
  if (!value.has_value()) return named(*this, name, value.error());
  if (value.value() > std::numeric_limits<int64_t>::max() ||
      value.value() < std::numeric_limits<int64_t>::min())
    return fields_.error("'" + std::string(name) + "' leaves 64 bits");
  return static_cast<int64_t>(value.value());
}

Result<int64_t> JsonFields::quantity(std::string_view name) {
  TRY(const auto text, scalar(name, true));
  const auto value = parse_decimal(text, 0);
  if (!value.has_value()) return named(*this, name, value.error());
  if (value.value() > std::numeric_limits<int64_t>::max() ||
      value.value() < -std::numeric_limits<int64_t>::max())
    return fields_.error("'" + std::string(name) + "' leaves 64 bits");
  return static_cast<int64_t>(value.value());
}

Result<bool> JsonFields::truth(std::string_view name) {
  TRY(const auto text, scalar(name, false));
  if (text != "true" && text != "false")
    return fields_.error("'" + std::string(name) + "' is true or false");
  return text == "true";
}

Result<Instant> JsonFields::instant(std::string_view name) {
  TRY(const auto text, scalar(name, true));
  const auto value = parse_instant(text);
  if (!value.has_value()) return named(*this, name, value.error());
  return value.value();
}

Result<Rational> JsonFields::exact(std::string_view name) {
  TRY(const auto text, scalar(name, true));
  auto value = parse_exact(text);
  if (!value.has_value()) return named(*this, name, value.error());
  // Sums of as many as fit into a document stay far inside 128 bits.
  static const Rational exact_max(checked_multiply(pico_per_unit, Int128{minor_max}));
  if (value.value() > exact_max || value.value() < -exact_max)
    return fields_.error("'" + std::string(name) + "' is too large");
  return std::move(value.value());
}

Result<Int128> JsonFields::minor(std::string_view name, const Currency& currency) {
  TRY(const auto text, scalar(name, true));
  const auto value = parse_decimal(text, currency.minor_digits());
  if (!value.has_value()) return named(*this, name, value.error());
  if (value.value() > minor_max || value.value() < -minor_max)
    return fields_.error("'" + std::string(name) + "' is too large");
  return value.value();
}

Result<Currency> JsonFields::currency(std::string_view name) {
  TRY(const auto text, scalar(name, true));
  auto value = Currency::find(text);
  if (!value.has_value()) return named(*this, name, value.error());
  return std::move(value.value());
}

Result<int32_t> JsonFields::month(std::string_view name) {
  TRY(const auto text, scalar(name, true));
  const auto value = parse_month(text);
  if (!value.has_value()) return named(*this, name, value.error());
  return value.value();
}

Result<std::span<const Node>> JsonFields::list(std::string_view name) {
  TRY(fields_.required(name));
  return fields_.list(name);
}

Result<const Node*> JsonFields::object(std::string_view name) {
  TRY(const auto* node, fields_.required(name));
  if (node->kind != Node::Kind::map)
    return fields_.error("'" + std::string(name) + "' is an object");
  return node;
}

}  // namespace gauger::billing
