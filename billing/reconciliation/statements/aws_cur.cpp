// AWS Cost and Usage Report 2.0 for Bedrock: token class and tier are words of the usage type,
// quantities count thousands or millions as pricing_unit says. Rows of other products are left
// out and counted.
#include <unordered_map>

#include "billing/reconciliation/statements/csv_statement.h"
#include "billing/reconciliation/statements/readers.h"
#include "billing/reconciliation/statements/words.h"

namespace gauger::billing {
namespace {

class CurReader {
 public:
  CurReader(const ReadOptions& options, Statement& statement)
      : options_(options), statement_(statement) {}

  Result<void> heading(const CsvColumns& columns) {
    const auto find = [&](std::string_view name) { return columns.find(name); };
    usage_type_ = find("line_item_usage_type");
    cost_ = find("line_item_unblended_cost");
    if (!usage_type_ || !cost_)
      return invalid_argument(
          "a CUR 2.0 export has line_item_usage_type and line_item_unblended_cost; legacy names "
          "such as lineItem/UsageType are not read");
    type_ = find("line_item_line_item_type");
    product_ = find("line_item_product_code");
    from_ = find("line_item_usage_start_date");
    until_ = find("line_item_usage_end_date");
    account_ = find("line_item_usage_account_id");
    principal_ = find("line_item_iam_principal");
    amount_ = find("line_item_usage_amount");
    unit_ = find("pricing_unit");
    currency_ = find("line_item_currency_code");
    description_ = find("line_item_line_item_description");
    reference_ = find("identity_line_item_id");
    bill_from_ = find("bill_billing_period_start_date");
    bill_until_ = find("bill_billing_period_end_date");
    return success();
  }

  Result<void> row(const CsvRow& row) {
    const auto product = row.at(product_);
    if (product_ && product.find("Bedrock") == std::string_view::npos) {
      ++others_;
      return success();
    }
    auto& texts = statement_.texts;
    StatementLine line;
    TRY(line.days, read_days(row.at(from_), row.at(until_), options_));
    TRY(cover(row));
    line.account = texts.id_of(row.at(account_));
    line.api_key = texts.id_of(row.at(principal_));
    line.currency = texts.id_of(row.at(currency_));
    line.description = texts.id_of(type_ && !is_usage(row.at(type_)) && row.at(description_).empty()
                                       ? row.at(type_)
                                       : row.at(description_));
    line.reference = texts.id_of(row.at(reference_));
    if (row.at(type_) == "Tax") {
      line.kind = LineKind::tax;
      return add(line, {}, Rational(), row.at(cost_));
    }
    if (!is_usage(row.at(type_))) {
      line.kind = LineKind::fee;
      line.token_class = texts.id_of(row.at(type_));
      return add(line, {}, Rational(), row.at(cost_));
    }
    TRY(const auto* words, words_of(row.at(usage_type_)));
    line.model = words->model;
    line.token_class = words->token_class;
    line.service_tier = words->service_tier;
    TRY(const auto units, units_of(row.at(unit_), row.at(amount_)));
    return add(line, row.at(amount_), units, row.at(cost_));
  }

  void finish() const {
    if (others_ != 0)
      statement_.notes.push_back(std::to_string(others_) + " lines of other products left out");
  }

 private:
  struct LineWords {
    TextId model;
    TextId token_class;
    TextId service_tier;
  };

  static bool is_usage(std::string_view type) {
    return type.empty() || type == "Usage" || type == "DiscountedUsage";
  }

  // The billing period is what an export covers, whether or not there was usage on a day.
  Result<void> cover(const CsvRow& row) {
    const auto from = row.at(bill_from_);
    if (from.empty() || from == covered_) return success();
    covered_ = from;
    TRY(const auto days, read_days(from, row.at(bill_until_), options_));
    statement_.coverage.add(days);
    return success();
  }

  // There are few usage types, and many lines of each.
  Result<const LineWords*> words_of(std::string_view usage_type) {
    const auto found = words_.find(std::string(usage_type));
    if (found != words_.end()) return &found->second;
    const auto words = usage_type_words(usage_type);
    auto& texts = statement_.texts;
    const auto& known = words.token_class;
    const LineWords ids{texts.id_of(words.model), texts.id_of(known.empty() ? usage_type : known),
                        texts.id_of(words.service_tier)};
    return &words_.emplace(std::string(usage_type), ids).first->second;
  }

  Result<Rational> units_of(std::string_view unit, std::string_view quantity) {
    if (quantity.empty()) return Rational(Int128{1});
    if (unit.empty())
      return invalid_argument(
          "the line has a quantity and no pricing_unit: thousands and millions of tokens both "
          "occur");
    if (unit != latest_unit_) {
      const auto read = pricing_unit_of(unit);
      if (!read)
        return invalid_argument("the pricing unit '" + std::string(unit.substr(0, 64)) +
                                "' is not one such as '1K tokens'");
      latest_unit_ = unit;
      latest_units_ = Rational(Int128{read->units});
    }
    return latest_units_;
  }

  Result<void> add(StatementLine& line, std::string_view quantity, const Rational& units,
                   std::string_view amount) {
    TRY(read_numbers(quantity, units, amount, line));
    statement_.lines.push_back(line);
    return success();
  }

  const ReadOptions& options_;
  Statement& statement_;
  using Column = std::optional<size_t>;
  Column usage_type_, cost_, type_, product_, from_, until_, account_, principal_, amount_, unit_,
      currency_, description_, reference_, bill_from_, bill_until_;
  std::unordered_map<std::string, LineWords> words_;
  std::string latest_unit_;
  Rational latest_units_;
  std::string covered_;
  int64_t others_ = 0;
};

}  // namespace

Result<void> read_aws_cur(Files files, const ReadOptions& options, Statement& statement) {
  CurReader reader(options, statement);
  TRY(each_row(
      files, options, ',', [&](const CsvColumns& columns) { return reader.heading(columns); },
      [&](const CsvRow& row) { return reader.row(row); }));
  reader.finish();
  return success();
}

}  // namespace gauger::billing
