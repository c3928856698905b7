// OpenAI's costs: by day, dollars as a JSON number, the model hidden inside the line item.
#include <cctype>

#include "billing/reconciliation/exact_number.h"
#include "billing/reconciliation/statements/readers.h"
#include "billing/reconciliation/statements/report_pages.h"
#include "billing/reconciliation/statements/words.h"
#include "billing/reconciliation/token_class.h"

namespace gauger::billing {
namespace {

std::string upper(std::string_view text) {
  std::string out(text);
  for (auto& c : out) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

int64_t units_of(std::string_view quantity_unit) {
  return quantity_unit == "1000_tokens" ? 1'000 : 1;
}

// Results of the usage endpoints stand beside costs where an API's description lists them all.
bool is_cost(const Node& result) {
  const auto object = text_at(result, "object");
  return object.empty() || object == "organization.costs.result";
}

}  // namespace

Result<void> read_openai_costs(Files files, const ReadOptions& options, Statement& statement) {
  ReportPages pages;
  TRY(pages.read(files, options, statement));
  auto& texts = statement.texts;
  int64_t others = 0;
  TRY(pages.each([&](const ReportBucket& bucket, const Node& result) -> Result<void> {
    if (!is_cost(result)) {
      ++others;
      return success();
    }
    StatementLine line;
    line.days = bucket.days;
    const auto* amount = result.find("amount");
    if (amount == nullptr || amount->kind != Node::Kind::map)
      return document_error(bucket.file, 0, "a cost has an 'amount' with 'value' and 'currency'");
    const auto value = read_exact(text_at(*amount, "value"), money_digits);
    if (!value.has_value())
      return document_error(bucket.file, 0, "'amount.value': " + value.error().sentence);
    line.amount = value.value();
    line.has_amount = true;
    line.currency = texts.id_of(upper(text_at(*amount, "currency")));
    line.account = texts.id_of(text_at(result, "project_id"));
    line.api_key = texts.id_of(text_at(result, "api_key_id"));
    const auto item = text_at(result, "line_item");
    const auto words = line_item_words(item);
    line.model = texts.id_of(words.model);
    line.service_tier = texts.id_of(words.service_tier);
    line.token_class = texts.id_of(!words.token_class.empty() ? std::string_view(words.token_class)
                                   : item.empty()             ? class_everything
                                                              : item);
    line.description = texts.id_of(item);
    TRY(const auto quantity, count_at(bucket.file, result, "quantity"));
    if (quantity) {
      line.has_quantity = true;
      line.quantity = *quantity * Rational(Int128{units_of(text_at(result, "quantity_unit"))});
    }
    statement.lines.push_back(line);
    return success();
  }));
  if (others != 0)
    statement.notes.push_back(std::to_string(others) + " results are of usage, not costs; " +
                              "--format openai_usage reads them");
  return success();
}

}  // namespace gauger::billing
