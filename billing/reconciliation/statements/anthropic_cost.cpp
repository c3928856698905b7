// Anthropic's cost report: amounts only, by day, as decimal strings in cents. It leaves out what
// the priority tier costs.
#include <algorithm>
#include <cctype>

#include "billing/reconciliation/exact_number.h"
#include "billing/reconciliation/statements/readers.h"
#include "billing/reconciliation/statements/report_pages.h"
#include "billing/reconciliation/statements/words.h"
#include "billing/reconciliation/token_class.h"

namespace gauger::billing {
namespace {

constexpr int cent_digits = money_digits - 2;

std::string class_of(std::string_view cost_type, std::string_view token_type,
                     std::string_view description) {
  if (token_type == "uncached_input_tokens") return "input_uncached";
  if (token_type == "output_tokens") return "output_text";
  if (token_type == "cache_read_input_tokens") return "cache_read";
  if (token_type == "cache_creation.ephemeral_1h_input_tokens") return "cache_write_1h";
  if (token_type == "cache_creation.ephemeral_5m_input_tokens") return "cache_write_5m";
  if (!token_type.empty()) return std::string(token_type);
  if (cost_type == "web_search") return "web_searches";
  if (cost_type == "tokens") return std::string(class_tokens);
  if (!cost_type.empty()) return std::string(cost_type);
  return std::string(description.empty() ? class_everything : description);
}

}  // namespace

Result<void> read_anthropic_cost(Files files, const ReadOptions& options, Statement& statement) {
  ReportPages pages;
  TRY(pages.read(files, options, statement));
  statement.coverage.excluded_tiers.emplace_back("priority");
  auto& texts = statement.texts;
  return pages.each([&](const ReportBucket& bucket, const Node& result) -> Result<void> {
    StatementLine line;
    line.days = bucket.days;
    const auto amount = text_at(result, "amount");
    const auto cents = read_exact(amount, cent_digits);
    if (!cents.has_value())
      return document_error(bucket.file, 0, "'amount': " + cents.error().sentence);
    line.amount = cents.value();
    line.has_amount = true;
    line.currency = texts.id_of(text_at(result, "currency"));
    line.account = texts.id_of(text_at(result, "workspace_id"));
    line.model = texts.id_of(text_at(result, "model"));
    const auto tier = text_at(result, "service_tier");
    line.service_tier = texts.id_of(tier.empty() ? std::string() : tier_of(tier));
    line.token_class =
        texts.id_of(class_of(text_at(result, "cost_type"), text_at(result, "token_type"),
                             text_at(result, "description")));
    line.description = texts.id_of(text_at(result, "description"));
    const auto window = text_at(result, "context_window");
    if (!window.empty()) line.context_above = context_above_of(window).value_or(context_not_told);
    statement.lines.push_back(line);
    return success();
  });
}

}  // namespace gauger::billing
