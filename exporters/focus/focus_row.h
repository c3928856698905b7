// One row of FOCUS 1.2, by column. Private to exporters/focus.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "billing/rational.h"

namespace gauger::exporters {

// Empty members are null.
struct FocusRow {
  billing::Rational billed_cost;  // in units of the currency, finite decimals
  std::string charge_category;
  bool correction = false;
  std::string charge_description;
  std::string charge_frequency;
  std::string charge_period_start;
  std::string charge_period_end;
  std::string consumed_quantity;
  std::string consumed_unit;
  std::string unit_price;
  std::string pricing_category;
  std::string pricing_quantity;
  std::string pricing_unit;
  std::string publisher_name;
  std::string region;
  std::string service_name;
  std::string sku_id;
  std::string sku_meter;
  std::string sku_price_details;
  std::string sku_price_id;
  std::string team;
  std::string tags;
  std::vector<std::string> own;  // the x_ columns
};

// What all rows of an invoice share.
struct FocusInvoice {
  std::string billing_account_id;
  std::string billing_account_name;
  std::string currency;
  std::string billing_period_start;
  std::string billing_period_end;
  std::string invoice_id;
  std::string issuer_name;
};

// The row as CSV, in the order of focus_columns(), ending in a line feed.
std::string focus_line(const FocusInvoice& invoice, const FocusRow& row);

// A finite decimal with at least one fraction digit: "5.0".
std::string focus_decimal(const billing::Rational& value);

}  // namespace gauger::exporters
