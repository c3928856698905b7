// Anthropic's usage report of messages: quantities only. Its input is what was not cached, so its
// counts are as disjoint as the ledger's.
#include <array>
#include <utility>

#include "billing/reconciliation/statements/readers.h"
#include "billing/reconciliation/statements/report_pages.h"
#include "billing/reconciliation/statements/words.h"

namespace gauger::billing {
namespace {

using Name = std::pair<std::string_view, std::string_view>;  // theirs, ours

Result<void> add_counts(const ReportBucket& bucket, const Node& counts, std::span<const Name> names,
                        const StatementLine& like, Statement& statement) {
  for (const auto& [theirs, ours] : names) {
    TRY(const auto count, count_at(bucket.file, counts, theirs));
    if (!count || count->is_zero()) continue;
    auto line = like;
    line.token_class = statement.texts.id_of(ours);
    line.has_quantity = true;
    line.quantity = *count;
    statement.lines.push_back(line);
  }
  return success();
}

}  // namespace

Result<void> read_anthropic_usage(Files files, const ReadOptions& options, Statement& statement) {
  static constexpr std::array<Name, 3> tokens = {Name{"uncached_input_tokens", "input_uncached"},
                                                 {"cache_read_input_tokens", "cache_read"},
                                                 {"output_tokens", "output_text"}};
  static constexpr std::array<Name, 2> cache = {Name{"ephemeral_5m_input_tokens", "cache_write_5m"},
                                                {"ephemeral_1h_input_tokens", "cache_write_1h"}};
  static constexpr std::array<Name, 1> tools = {Name{"web_search_requests", "web_searches"}};
  ReportPages pages;
  TRY(pages.read(files, options, statement));
  statement.coverage.token_classes = {"input_uncached", "cache_read",     "output_text",
                                      "cache_write_5m", "cache_write_1h", "web_searches"};
  auto& texts = statement.texts;
  return pages.each([&](const ReportBucket& bucket, const Node& result) -> Result<void> {
    StatementLine line;
    line.days = bucket.days;
    line.account = texts.id_of(text_at(result, "workspace_id"));
    line.api_key = texts.id_of(text_at(result, "api_key_id"));
    line.model = texts.id_of(text_at(result, "model"));
    const auto tier = text_at(result, "service_tier");
    line.service_tier = texts.id_of(tier.empty() ? std::string() : tier_of(tier));
    const auto window = text_at(result, "context_window");
    if (!window.empty()) line.context_above = context_above_of(window).value_or(context_not_told);
    TRY(add_counts(bucket, result, tokens, line, statement));
    if (const auto* node = result.find("cache_creation")) {
      TRY(add_counts(bucket, *node, cache, line, statement));
    }
    if (const auto* node = result.find("server_tool_use")) {
      TRY(add_counts(bucket, *node, tools, line, statement));
    }
    return success();
  });
}

}  // namespace gauger::billing
