#include "exporters/focus/focus.h"

#include "billing/json_value.h"
#include "exporters/focus/focus_row.h"
#include "schemas/money.h"
#include "schemas/time_zone.h"

namespace gauger::exporters {
namespace {

using billing::ChargeKind;
using billing::Invoice;
using billing::LineType;
using billing::Per;
using billing::PostedLine;
using billing::Rational;
using billing::Rounding;
using billing::Schedule;

constexpr int decimals = 12;

Rational power_of_ten(int digits) {
  Int128 power = 1;
  for (int i = 0; i < digits; ++i) power *= 10;
  return Rational(power);
}

// Cut to at most 12 decimals, towards minus infinity; what is cut becomes an adjustment.
Rational cut(const Rational& value) {
  static const Rational scale = power_of_ten(decimals);
  return Rational((value * scale).rounded(Rounding::floor)) / scale;
}

Rational in_units(const Rational& pico) { return pico / Rational(Int128{pico_per_unit}); }

// What is counted, as a capitalized plural.
std::string noun(const std::string& item) {
  const auto meter = find_meter(item);
  if (meter && static_cast<size_t>(*meter) < token_meter_count) return "Tokens";
  if (meter == Meter::web_searches) return "Searches";
  if (meter == Meter::images) return "Images";
  if (item == billing::requests_item) return "Requests";
  return "Units";
}

struct Pricing {
  Rational unit_price;  // in units of the currency, at most 12 decimals
  Rational quantity;    // of pricing units, at most 12 decimals
  std::string unit;
};

// The first price of a schedule; what later tiers change is an adjustment.
const billing::UnitPrice& first_price(const billing::Price& price) {
  return price.tiers.empty() ? price.unit : price.tiers.front().price;
}

Pricing pricing_of(const billing::InvoiceLine& line, bool converted) {
  const bool hours = line.item == to_string(Meter::compute_us);
  const auto per = hours ? Per::hour : line.rule.price.per;
  const Rational units(billing::units_of(per));
  Pricing pricing;
  pricing.quantity = cut(Rational(Int128{line.quantity}) / units);
  const auto count =
      billing::units_of(per) == 1 ? "" : std::to_string(billing::units_of(per)) + " ";
  pricing.unit = hours ? "Accelerator-Hours" : count + noun(line.item);
  const auto& price = first_price(line.rule.price);
  auto pico = Rational(Int128{price.pico}) * units / Rational(Int128{price.units});
  if (line.rule.price.schedule == Schedule::package)
    pico = pico / Rational(Int128{line.rule.price.package_size});
  // Prices are in the contract's currency; the amount that was converted tells them in this one.
  if (converted && line.quantity != 0) pico = line.amount / Rational(Int128{line.quantity}) * units;
  pricing.unit_price = cut(in_units(pico));
  if (pricing.unit_price.is_negative()) pricing.unit_price = Rational();
  return pricing;
}

std::string description(const PostedLine& line) {
  const auto& charge = line.charge;
  std::string text;
  if (line.type == LineType::correction) text = "correction of " + format_month(line.month) + ": ";
  if (line.type == LineType::reversal) text = "reversal of " + format_month(line.month) + ": ";
  if (line.type == LineType::rounding) return "rounding of " + format_month(line.month);
  if (charge.kind != ChargeKind::usage)
    return text + std::string(to_string(charge.kind)) + (charge.model.empty() ? "" : " of ") +
           charge.model;
  return text + charge.item + " of " + charge.provider + " " + charge.model;
}

std::string json_of(std::initializer_list<std::pair<std::string_view, std::string>> members) {
  billing::JsonValue object;
  for (const auto& [name, value] : members)
    if (!value.empty()) object[name] = value;
  return object.canonical();
}

class Writer {
 public:
  Writer(const Invoice& invoice, const TimeZone& zone, std::string& out)
      : invoice_(invoice), zone_(zone), out_(out) {
    const auto& header = invoice.header;
    head_ = {header.bill_to.id,
             header.bill_to.name.empty() ? header.bill_to.id : header.bill_to.name,
             header.currency.code(),
             format_instant(header.period.from),
             format_instant(header.period.until),
             invoice.id(),
             header.issuer.name.empty() ? header.issuer.id : header.issuer.name};
  }

  void write() {
    for (size_t i = 0; i < invoice_.lines.size(); ++i)
      if (invoice_.lines[i].type != LineType::rounding) write(invoice_.lines[i], i + 1);
    const Rational total(invoice_.header.currency.from_minor(invoice_.total_minor));
    const auto rest = in_units(total) - written_;
    if (rest.is_zero()) return;
    PostedLine rounding{LineType::rounding, invoice_.header.month, {}};
    rounding.charge.item = "rounding";
    adjust(rounding, 0, rest);
  }

 private:
  bool corrects(const PostedLine& line) const {
    return line.type != LineType::charge && line.type != LineType::rounding;
  }

  FocusRow row_of(const PostedLine& line, size_t number) const {
    const auto& charge = line.charge;
    FocusRow row;
    row.correction = corrects(line);
    row.charge_description = description(line);
    row.charge_period_start = format_instant(zone_.month_begin(line.month));
    row.charge_period_end = format_instant(zone_.month_begin(line.month + 1));
    row.publisher_name = charge.provider.empty() ? head_.issuer_name : charge.provider;
    row.service_name = charge.provider.empty() ? "Billing" : charge.provider;
    row.region = charge.region;
    row.team = charge.team;
    if (!charge.project.empty()) row.tags = json_of({{"project", charge.project}});
    const bool rounding = line.type == LineType::rounding;
    row.own = {number == 0 ? "" : std::to_string(number),
               std::string(to_string(line.type)),
               format_month(line.month),
               rounding ? "" : std::string(to_string(charge.kind)),
               charge.project,
               charge.provider,
               charge.model,
               charge.model_tier,
               rounding ? "" : std::string(gauger::to_string(charge.service_tier)),
               rounding ? "" : std::to_string(charge.context_tier),
               charge.item,
               rounding ? "" : std::to_string(charge.quantity),
               rounding ? "" : billing::exact_amount(charge.amount),
               rounding ? "" : invoice_.header.currency.format_minor(charge.amount_minor),
               charge.rule.document,
               charge.rule.version};
    return row;
  }

  void put(const FocusRow& row) {
    written_ += row.billed_cost;
    out_ += focus_line(head_, row);
  }

  void write(const PostedLine& line, size_t number) {
    const auto amount = in_units(line.charge.amount);
    if (line.charge.kind != ChargeKind::usage || line.charge.rule.document.empty()) {
      adjust(line, number, cut(amount));
      return;
    }
    const auto pricing = pricing_of(line.charge, !invoice_.header.rates.empty());
    auto row = row_of(line, number);
    row.charge_category = "Usage";
    row.charge_frequency = "Usage-Based";
    row.pricing_category = "Standard";
    row.pricing_quantity = focus_decimal(pricing.quantity);
    row.pricing_unit = pricing.unit;
    row.unit_price = focus_decimal(pricing.unit_price);
    const bool hours = pricing.unit == "Accelerator-Hours";
    row.consumed_quantity =
        hours ? row.pricing_quantity : focus_decimal(Rational(Int128{line.charge.quantity}));
    row.consumed_unit = hours ? pricing.unit : noun(line.charge.item);
    put_sku(line.charge, row);
    row.billed_cost = pricing.unit_price * pricing.quantity;
    put(row);
    const auto rest = cut(amount - row.billed_cost);
    if (!rest.is_zero()) adjust(line, number, rest);
  }

  static void put_sku(const billing::InvoiceLine& charge, FocusRow& row) {
    row.sku_id = charge.provider + "/" + charge.model + "/" + charge.item;
    row.sku_meter = charge.item;
    const auto tier = std::string(gauger::to_string(charge.service_tier));
    row.sku_price_id = row.sku_id + "/" + tier + "/" + std::to_string(charge.context_tier) + "/" +
                       charge.region + "/" + charge.rule.document + "/" + charge.rule.version +
                       "/" + std::to_string(charge.rule.line);
    row.sku_price_details = json_of({{"x_ContextTier", std::to_string(charge.context_tier)},
                                     {"x_Model", charge.model},
                                     {"x_ServiceTier", tier},
                                     {"x_TokenType", charge.item}});
  }

  void adjust(const PostedLine& line, size_t number, const Rational& amount) {
    auto row = row_of(line, number);
    row.charge_category = "Adjustment";
    row.charge_frequency = "One-Time";
    if (line.charge.kind == ChargeKind::usage && line.type != LineType::rounding)
      row.charge_description += ", beside quantity times unit price";
    // One unit of no price: the validator wants a quantity on every row.
    row.pricing_quantity = "1.0";
    row.pricing_unit = "Units";
    row.billed_cost = amount;
    put(row);
  }

  const Invoice& invoice_;
  const TimeZone& zone_;
  std::string& out_;
  FocusInvoice head_;
  Rational written_;
};

}  // namespace

Result<std::string> focus_csv(std::span<const Invoice> invoices) {
  std::string out;
  for (const auto& name : focus_columns()) out += (out.empty() ? "" : ",") + std::string(name);
  out += "\n";
  for (const auto& invoice : invoices) {
    TRY(const auto zone, TimeZone::find(invoice.header.zone));
    Writer(invoice, zone, out).write();
  }
  return out;
}

}  // namespace gauger::exporters
