#include "billing/reconciliation/statement_reader.h"

#include <algorithm>

#include "billing/document.h"
#include "billing/reconciliation/statements/readers.h"

namespace gauger::billing {
namespace {

std::string_view usual_provider(StatementFormat format) {
  switch (format) {
    case StatementFormat::anthropic_cost:
    case StatementFormat::anthropic_usage: return "anthropic";
    case StatementFormat::openai_costs:
    case StatementFormat::openai_usage: return "openai";
    case StatementFormat::aws_cur: return "bedrock";
    case StatementFormat::focus:
    case StatementFormat::mapped_csv: return {};
  }
  return {};
}

Result<void> read_lines(StatementFormat format, Files files, const ReadOptions& options,
                        Statement& statement) {
  switch (format) {
    case StatementFormat::anthropic_cost: return read_anthropic_cost(files, options, statement);
    case StatementFormat::anthropic_usage: return read_anthropic_usage(files, options, statement);
    case StatementFormat::openai_costs: return read_openai_costs(files, options, statement);
    case StatementFormat::openai_usage: return read_openai_usage(files, options, statement);
    case StatementFormat::aws_cur: return read_aws_cur(files, options, statement);
    case StatementFormat::focus: return read_focus(files, options, statement);
    case StatementFormat::mapped_csv: return read_mapped_csv(files, options, statement);
  }
  return success();
}

// What the options declare goes before what the file shows; lines alone show the least.
Result<void> settle_coverage(const ReadOptions& options, Statement& statement) {
  auto& coverage = statement.coverage;
  coverage.zone = options.zone;
  if (options.days) {
    coverage.days.clear();
    coverage.add(*options.days);
  }
  if (coverage.days.empty())
    for (const auto& line : statement.lines) coverage.add(line.days);
  if (coverage.days.empty()) return invalid_argument("the statement names no days: say --period");
  coverage.accounts = options.accounts;
  for (const auto& tier : options.excluded_tiers) coverage.excluded_tiers.push_back(tier);
  return success();
}

Result<void> settle_currency(const ReadOptions& options, Statement& statement) {
  const auto otherwise = statement.texts.id_of(options.currency);
  for (auto& line : statement.lines) {
    if (!line.has_amount) {
      line.currency = 0;
      continue;
    }
    if (line.currency == 0) line.currency = otherwise;
    if (line.currency == 0) return invalid_argument("an amount without a currency: say --currency");
  }
  std::vector<bool> used(statement.texts.size(), false);
  for (const auto& line : statement.lines) used[line.currency] = true;
  for (TextId id = 1; id < used.size(); ++id)
    if (used[id]) {
      TRY(Currency::find(statement.texts.text(id)));
    }
  return success();
}

std::string_view start_of(std::string_view bytes) {
  const auto begin = bytes.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  return begin == std::string_view::npos ? std::string_view() : bytes.substr(begin, 4096);
}

}  // namespace

Result<Statement> read_statement(StatementFormat format, std::span<const ReportFile> files,
                                 const ReadOptions& options) {
  if (files.empty()) return invalid_argument("a statement has at least one file");
  Statement statement;
  statement.format = format;
  statement.provider =
      options.provider.empty() ? std::string(usual_provider(format)) : options.provider;
  if (statement.provider.empty() && options.mapping != nullptr)
    statement.provider = options.mapping->provider;
  if (statement.provider.empty())
    return invalid_argument("whose statement is this? say --provider, in the ledger's words");
  TRY(read_lines(format, files, options, statement));
  TRY(settle_coverage(options, statement));
  TRY(settle_currency(options, statement));
  return statement;
}

Result<StatementFormat> guess_format(const ReportFile& file) {
  const auto start = start_of(file.bytes);
  const auto has = [&](std::string_view word) {
    return start.find(word) != std::string_view::npos;
  };
  if (!start.empty() && (start.front() == '{' || start.front() == '[')) {
    if (has("\"token_type\"") || has("\"cost_type\"")) return StatementFormat::anthropic_cost;
    if (has("uncached_input_tokens") && has("\"starting_at\""))
      return StatementFormat::anthropic_usage;
    if (has("organization.costs.result")) return StatementFormat::openai_costs;
    if (has("organization.usage.")) return StatementFormat::openai_usage;
    if (has("\"usage\""))
      return document_error(file.name, 0,
                            "this is the usage of single requests, which `gauger ingest` reads, "
                            "and no statement");
  } else {
    if (has("line_item_usage_type")) return StatementFormat::aws_cur;
    if (has("BilledCost") && has("ChargeCategory")) return StatementFormat::focus;
  }
  return document_error(file.name, 0, "what kind of statement is this? say --format");
}

}  // namespace gauger::billing
