// FOCUS 1.0 and 1.2: one row per charge. Model, token class and tiers come from x_ columns or from
// SkuPriceDetails; a row that has neither keeps its SKU's name, so that it stays visible.
#include <array>
#include <map>
#include <unordered_map>

#include "billing/document.h"
#include "billing/reconciliation/statements/csv_statement.h"
#include "billing/reconciliation/statements/readers.h"
#include "billing/reconciliation/statements/words.h"

namespace gauger::billing {
namespace {

// Keys of SkuPriceDetails and columns alike.
constexpr std::string_view x_model = "x_Model";
constexpr std::string_view x_token_type = "x_TokenType";
constexpr std::string_view x_service_tier = "x_ServiceTier";
constexpr std::string_view x_context_tier = "x_ContextTier";

class FocusReader {
 public:
  FocusReader(const ReadOptions& options, Statement& statement)
      : options_(options), statement_(statement) {}

  Result<void> heading(const CsvColumns& columns) {
    static constexpr std::array<std::string_view, 4> costs = {"BilledCost", "EffectiveCost",
                                                              "ContractedCost", "ListCost"};
    const auto find = [&](std::string_view name) { return columns.find(name); };
    const auto cost = costs[static_cast<size_t>(options_.cost)];
    cost_ = find(cost);
    category_ = find("ChargeCategory");
    if (!cost_ || !category_)
      return invalid_argument("FOCUS data has the columns ChargeCategory and " + std::string(cost));
    provider_ = find(find("ProviderName") ? "ProviderName" : "ServiceProviderName");
    from_ = find("ChargePeriodStart");
    until_ = find("ChargePeriodEnd");
    bill_from_ = find("BillingPeriodStart");
    bill_until_ = find("BillingPeriodEnd");
    account_ = find("SubAccountId");
    billing_account_ = find("BillingAccountId");
    currency_ = find("BillingCurrency");
    quantity_ = find("ConsumedQuantity");
    unit_ = find("ConsumedUnit");
    details_ = find("SkuPriceDetails");
    for (const auto name : {"SkuMeter", "SkuId", "ServiceName"}) skus_.push_back(find(name));
    description_ = find("ChargeDescription");
    x_columns_ = {find(x_model), find(x_token_type), find(x_service_tier), find(x_context_tier)};
    return success();
  }

  Result<void> row(const CsvRow& row) {
    auto& texts = statement_.texts;
    TRY(check_provider(row.at(provider_)));
    StatementLine line;
    TRY(line.days, read_days(row.at(from_), row.at(until_), options_));
    TRY(cover(row));
    const auto account = row.at(account_);
    line.account = texts.id_of(account.empty() ? row.at(billing_account_) : account);
    line.currency = texts.id_of(row.at(currency_));
    line.description = texts.id_of(row.at(description_));
    const auto category = row.at(category_);
    if (category == "Tax") {
      line.kind = LineKind::tax;
    } else if (category == "Usage") {
      TRY(read_usage(row, line));
    } else {
      line.kind = LineKind::fee;
      line.token_class = texts.id_of(category);
    }
    const bool usage = line.kind == LineKind::usage;
    Rational units(Int128{1});
    if (usage && !row.at(quantity_).empty()) {
      const auto unit = pricing_unit_of(row.at(unit_));
      if (unit) units = Rational(Int128{unit->units});
    }
    TRY(read_numbers(usage ? row.at(quantity_) : std::string_view(), units, row.at(cost_), line));
    statement_.lines.push_back(line);
    return success();
  }

 private:
  Result<void> check_provider(std::string_view name) {
    if (name.empty() || name == provider_name_) return success();
    if (!provider_name_.empty())
      return invalid_argument(
          "rows of '" + provider_name_ + "' and of '" + std::string(name) +
          "' in one statement: choose with --where ProviderName=" + provider_name_);
    provider_name_ = name;
    return success();
  }

  Result<void> cover(const CsvRow& row) {
    const auto from = row.at(bill_from_);
    if (from.empty() || from == covered_) return success();
    covered_ = from;
    TRY(const auto days, read_days(from, row.at(bill_until_), options_));
    statement_.coverage.add(days);
    return success();
  }

  Result<void> read_usage(const CsvRow& row, StatementLine& line) {
    auto& texts = statement_.texts;
    TRY(const auto* details, details_of(row.at(details_)));
    const auto read = [&](size_t index, std::string_view key) {
      const auto cell = row.at(x_columns_[index]);
      if (!cell.empty()) return cell;
      const auto found = details->find(key);
      return found == details->end() ? std::string_view() : std::string_view(found->second);
    };
    line.model = texts.id_of(read(0, x_model));
    auto token_class = std::string(read(1, x_token_type));
    for (const auto& sku : skus_)
      if (token_class.empty()) token_class = std::string(row.at(sku));
    line.token_class = texts.id_of(token_class);
    const auto tier = read(2, x_service_tier);
    line.service_tier = texts.id_of(tier.empty() ? std::string() : tier_of(tier));
    const auto context = read(3, x_context_tier);
    if (!context.empty()) line.context_above = context_above_of(context).value_or(context_not_told);
    return success();
  }

  using Details = std::map<std::string, std::string, std::less<>>;
  // A SKU has one set of details, and many rows.
  Result<const Details*> details_of(std::string_view text) {
    static const Details none;
    if (text.empty() || text == "{}") return &none;
    const auto found = known_details_.find(std::string(text));
    if (found != known_details_.end()) return &found->second;
    TRY(const auto root, parse_json(text, "SkuPriceDetails"));
    Details details;
    for (const auto& member : root.members)
      if (member.value.kind == Node::Kind::scalar) details[member.name] = member.value.text;
    return &known_details_.emplace(std::string(text), std::move(details)).first->second;
  }

  const ReadOptions& options_;
  Statement& statement_;
  using Column = std::optional<size_t>;
  Column cost_, category_, provider_, from_, until_, bill_from_, bill_until_, account_,
      billing_account_, currency_, quantity_, unit_, details_, description_;
  std::vector<Column> skus_;
  std::array<Column, 4> x_columns_{};
  std::unordered_map<std::string, Details> known_details_;
  std::string provider_name_;
  std::string covered_;
};

}  // namespace

Result<void> read_focus(Files files, const ReadOptions& options, Statement& statement) {
  FocusReader reader(options, statement);
  return each_row(
      files, options, ',', [&](const CsvColumns& columns) { return reader.heading(columns); },
      [&](const CsvRow& row) { return reader.row(row); });
}

}  // namespace gauger::billing
