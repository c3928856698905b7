#include "exporters/focus/focus_row.h"

#include "billing/text_table.h"
#include "exporters/focus/focus.h"
#include "schemas/verify.h"

namespace gauger::exporters {
namespace {

using Column = std::string (*)(const FocusInvoice&, const FocusRow&);

std::string null_value(const FocusInvoice&, const FocusRow&) { return {}; }
std::string cost(const FocusInvoice&, const FocusRow& row) {
  return focus_decimal(row.billed_cost);
}

#define INVOICE(member) [](const FocusInvoice& i, const FocusRow&) { return i.member; }
#define ROW(member) [](const FocusInvoice&, const FocusRow& r) { return r.member; }

// Name and value of every column of the specification, in its order.
struct NamedColumn {
  std::string_view name;
  Column value;
};
const NamedColumn columns[] = {
    {"AvailabilityZone", null_value},
    {"BilledCost", cost},
    {"BillingAccountId", INVOICE(billing_account_id)},
    {"BillingAccountName", INVOICE(billing_account_name)},
    {"BillingAccountType",
     [](const FocusInvoice&, const FocusRow&) { return std::string("Bill-to"); }},
    {"BillingCurrency", INVOICE(currency)},
    {"BillingPeriodEnd", INVOICE(billing_period_end)},
    {"BillingPeriodStart", INVOICE(billing_period_start)},
    {"CapacityReservationId", null_value},
    {"CapacityReservationStatus", null_value},
    {"ChargeCategory", ROW(charge_category)},
    {"ChargeClass",
     [](const FocusInvoice&, const FocusRow& r) {
       return std::string(r.correction ? "Correction" : "");
     }},
    {"ChargeDescription", ROW(charge_description)},
    {"ChargeFrequency", ROW(charge_frequency)},
    {"ChargePeriodEnd", ROW(charge_period_end)},
    {"ChargePeriodStart", ROW(charge_period_start)},
    {"CommitmentDiscountCategory", null_value},
    {"CommitmentDiscountId", null_value},
    {"CommitmentDiscountName", null_value},
    {"CommitmentDiscountQuantity", null_value},
    {"CommitmentDiscountStatus", null_value},
    {"CommitmentDiscountType", null_value},
    {"CommitmentDiscountUnit", null_value},
    {"ConsumedQuantity", ROW(consumed_quantity)},
    {"ConsumedUnit", ROW(consumed_unit)},
    {"ContractedCost", cost},
    {"ContractedUnitPrice", ROW(unit_price)},
    {"EffectiveCost", cost},
    {"InvoiceId", INVOICE(invoice_id)},
    {"InvoiceIssuerName", INVOICE(issuer_name)},
    {"ListCost", cost},
    {"ListUnitPrice", ROW(unit_price)},
    {"PricingCategory", ROW(pricing_category)},
    {"PricingCurrency", INVOICE(currency)},
    {"PricingCurrencyContractedUnitPrice", ROW(unit_price)},
    {"PricingCurrencyEffectiveCost", cost},
    {"PricingCurrencyListUnitPrice", ROW(unit_price)},
    {"PricingQuantity", ROW(pricing_quantity)},
    {"PricingUnit", ROW(pricing_unit)},
    {"ProviderName", INVOICE(issuer_name)},
    {"PublisherName", ROW(publisher_name)},
    {"RegionId", ROW(region)},
    {"RegionName", ROW(region)},
    {"ResourceId", null_value},
    {"ResourceName", null_value},
    {"ResourceType", null_value},
    {"ServiceCategory",
     [](const FocusInvoice&, const FocusRow&) { return std::string("AI and Machine Learning"); }},
    {"ServiceName", ROW(service_name)},
    {"ServiceSubcategory",
     [](const FocusInvoice&, const FocusRow&) { return std::string("Generative AI"); }},
    {"SkuId", ROW(sku_id)},
    {"SkuMeter", ROW(sku_meter)},
    {"SkuPriceDetails", ROW(sku_price_details)},
    {"SkuPriceId", ROW(sku_price_id)},
    {"SubAccountId", ROW(team)},
    {"SubAccountName", ROW(team)},
    {"SubAccountType", [](const FocusInvoice&,
                          const FocusRow& r) { return std::string(r.team.empty() ? "" : "Team"); }},
    {"Tags", ROW(tags)},
};

#undef INVOICE
#undef ROW

constexpr std::string_view own_columns[] = {
    "x_LineNumber",  "x_LineType",    "x_ChargedMonth",  "x_ChargeKind",
    "x_Project",     "x_Provider",    "x_Model",         "x_ModelTier",
    "x_ServiceTier", "x_ContextTier", "x_TokenClass",    "x_Quantity",
    "x_AmountExact", "x_Amount",      "x_PriceDocument", "x_PriceVersion",
};

}  // namespace

const std::vector<std::string_view>& focus_columns() {
  static const auto names = [] {
    std::vector<std::string_view> all;
    for (const auto& column : columns) all.push_back(column.name);
    all.insert(all.end(), std::begin(own_columns), std::end(own_columns));
    return all;
  }();
  return names;
}

std::string focus_line(const FocusInvoice& invoice, const FocusRow& row) {
  VERIFY(row.own.size() == std::size(own_columns), "every column of ours has a value");
  std::string line;
  for (const auto& column : columns) {
    if (&column != columns) line += ',';
    line += billing::csv_field(column.value(invoice, row));
  }
  for (const auto& value : row.own) line += "," + billing::csv_field(value);
  return line + "\n";
}

std::string focus_decimal(const billing::Rational& value) {
  auto scaled = value * billing::Rational(Int128{10});
  for (int digits = 1; digits <= 30; ++digits) {
    if (scaled.is_whole())
      return format_decimal(scaled.rounded(billing::Rounding::floor), digits, 1);
    scaled = scaled * billing::Rational(Int128{10});
  }
  VERIFY(false, "costs of rows are finite decimals");
}

}  // namespace gauger::exporters
