#include "billing/reconciliation/statement_reader.h"

#include <fstream>
#include <sstream>

#include "billing/reconciliation/exact_number.h"
#include "billing/reconciliation/statement_diff.h"
#include "tests/catch.h"
#include "tests/shared_data.h"

using namespace gauger;
using namespace gauger::billing;

namespace {

std::string read_shared(std::string_view file) {
  std::ifstream stream(tests::shared_data(file), std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

Result<Statement> read(StatementFormat format, std::string_view text, ReadOptions options = {}) {
  const ReportFile file{"report", text};
  return read_statement(format, std::span(&file, 1), options);
}

DayRange month(std::string_view text) {
  const auto number = parse_month(text).value();
  const auto utc = TimeZone::utc();
  return {utc.local_day(utc.month_begin(number)), utc.local_day(utc.month_begin(number + 1))};
}

std::string quantity_of(const Statement& statement, std::string_view token_class) {
  Rational sum;
  for (const auto& line : statement.lines)
    if (statement.texts.text(line.token_class) == token_class) sum += line.quantity;
  return exact_text(sum);
}

std::string amount_of(const StatementLine& line) { return exact_text(line.amount, money_digits); }

// What is stored says the same.
void check_stored(const Statement& statement) {
  const auto text = statement_text(statement);
  const auto again = parse_statement_text(text, "stored").value();
  CHECK(statement_text(again) == text);
  CHECK(again.lines.size() == statement.lines.size());
  CHECK(diff_statements(statement, again).empty());
}

std::string usage_page(std::string_view day, std::string_view tokens, bool more) {
  return R"({"data": [{"starting_at": "2026-08-)" + std::string(day) +
         R"(T00:00:00Z", "ending_at": "2026-08-0)" +
         std::to_string(std::stoi(std::string(day)) + 1) +
         R"(T00:00:00Z", "results": [{"uncached_input_tokens": )" + std::string(tokens) +
         R"(, "model": "m", "workspace_id": null, "service_tier": "standard"}]}], "has_more": )" +
         (more ? "true" : "false") + R"(, "next_page": "page_2"})";
}

}  // namespace

TEST_CASE("Anthropic's cost report is read in cents", "[billing]") {
  const auto text = read_shared("provider_reports/anthropic_cost_report.json");
  CHECK(guess_format({"f", text}).value() == StatementFormat::anthropic_cost);
  const auto statement = read(StatementFormat::anthropic_cost, text).value();
  REQUIRE(statement.lines.size() == 1);
  const auto& line = statement.lines[0];
  CHECK(amount_of(line) == "1.2378912");
  CHECK(statement.texts.text(line.currency) == "USD");
  CHECK(statement.texts.text(line.token_class) == "input_uncached");
  CHECK(statement.texts.text(line.service_tier) == "standard");
  CHECK(line.context_above == 0);
  CHECK(format_day(line.days.from) == "2025-08-01");
  CHECK(statement.coverage.excluded_tiers == std::vector<std::string>{"priority"});
  CHECK(statement.id() == "anthropic/anthropic_cost/2025-08-01");
  CHECK_FALSE(statement.tells_quantities());
  check_stored(statement);
}

TEST_CASE("Anthropic's usage report says on which page it goes on", "[billing]") {
  const auto text = read_shared("provider_reports/anthropic_usage_report_messages.json");
  CHECK(guess_format({"f", text}).value() == StatementFormat::anthropic_usage);
  const auto statement = read(StatementFormat::anthropic_usage, text).value();
  CHECK(quantity_of(statement, "input_uncached") == "1500");
  CHECK(quantity_of(statement, "cache_write_1h") == "1000");
  CHECK(quantity_of(statement, "cache_write_5m") == "500");
  CHECK(quantity_of(statement, "cache_read") == "200");
  CHECK(quantity_of(statement, "output_text") == "500");
  CHECK(quantity_of(statement, "web_searches") == "10");
  CHECK_FALSE(statement.tells_amounts());
  REQUIRE(statement.notes.size() == 1);
  CHECK(statement.notes[0].find("page_MjAy") != std::string::npos);
  check_stored(statement);
}

TEST_CASE("OpenAI's costs are read from the text of their numbers", "[billing]") {
  const auto text = read_shared("provider_reports/openai_organization_costs.json");
  CHECK(guess_format({"f", text}).value() == StatementFormat::openai_costs);
  const auto statement = read(StatementFormat::openai_costs, text).value();
  REQUIRE(statement.lines.size() == 1);
  CHECK(amount_of(statement.lines[0]) == "0.06");
  CHECK(statement.texts.text(statement.lines[0].currency) == "USD");
  CHECK(statement.texts.text(statement.lines[0].token_class) == "everything");
  CHECK(format_day(statement.lines[0].days.from) == "2024-11-01");
  check_stored(statement);
  // Thirty digits are kept; a model stands inside its line item.
  const auto exact =
      read(StatementFormat::openai_costs,
           R"({"data": [{"start_time": 1730419200, "end_time": 1730505600, "results": [
               {"object": "organization.costs.result",
                "amount": {"value": 0.001234567890123456789012345678, "currency": "usd"},
                "line_item": "gpt-4o-2024-08-06, cached input", "project_id": "proj_a",
                "quantity": 12, "quantity_unit": "1000_tokens"}]}], "has_more": false})")
          .value();
  const auto& line = exact.lines.at(0);
  CHECK(amount_of(line) == "0.001234567890123456789012345678");
  CHECK(exact.texts.text(line.model) == "gpt-4o-2024-08-06");
  CHECK(exact.texts.text(line.token_class) == "cache_read");
  CHECK(exact_text(line.quantity) == "12000");
  check_stored(exact);
}

TEST_CASE("OpenAI's usage becomes disjoint or is refused with both numbers", "[billing]") {
  const auto text = read_shared("provider_reports/openai_organization_usage_completions.json");
  CHECK(guess_format({"f", text}).value() == StatementFormat::openai_usage);
  const auto statement = read(StatementFormat::openai_usage, text).value();
  CHECK(quantity_of(statement, "input_uncached") == "400");
  CHECK(quantity_of(statement, "cache_read") == "400");
  CHECK(quantity_of(statement, "cache_write") == "100");
  CHECK(quantity_of(statement, "input_audio") == "50");
  CHECK(quantity_of(statement, "input_image") == "50");
  CHECK(quantity_of(statement, "output_text") == "400");
  CHECK(quantity_of(statement, "output_audio") == "50");
  CHECK(quantity_of(statement, "output_image") == "50");
  check_stored(statement);
  const auto refused = read(StatementFormat::openai_usage,
                            R"({"data": [{"start_time": 1730419200, "end_time": 1730505600,
      "results": [{"input_tokens": 100, "input_cached_tokens": 40, "input_audio_tokens": 70}]}]})");
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().sentence.find("70") != std::string::npos);
  CHECK(refused.error().sentence.find("60") != std::string::npos);
}

TEST_CASE("results without a bucket need somebody to say their days", "[billing]") {
  const auto text = read_shared("provider_reports/openai_result_objects_grouped.json");
  const auto refused = read(StatementFormat::openai_usage, text);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().sentence.find("--period") != std::string::npos);
  ReadOptions options;
  options.days = month("2026-08");
  const auto usage = read(StatementFormat::openai_usage, text, options).value();
  CHECK(quantity_of(usage, "characters") == "45");
  CHECK(quantity_of(usage, "web_searches") == "2");
  CHECK(quantity_of(usage, "file_searches") == "2");
  CHECK(quantity_of(usage, "images") == "2");
  CHECK(quantity_of(usage, "input_uncached") == "2540");
  check_stored(usage);
  const auto costs = read(StatementFormat::openai_costs, text, options).value();
  REQUIRE(costs.lines.size() == 1);
  CHECK(costs.texts.text(costs.lines[0].token_class) == "input_uncached");
  CHECK(exact_text(costs.lines[0].quantity) == "10000");
}

TEST_CASE("a Bedrock export is read by the words of its usage types", "[billing]") {
  const auto text = read_shared("provider_reports/aws_cur2_bedrock_iam_principal_example.csv");
  CHECK(guess_format({"f", text}).value() == StatementFormat::aws_cur);
  const auto silent = read(StatementFormat::aws_cur, text);
  REQUIRE_FALSE(silent.has_value());
  CHECK(silent.error().sentence.find("--period") != std::string::npos);
  ReadOptions options;
  options.days = month("2026-04");
  options.currency = "USD";
  const auto statement = read(StatementFormat::aws_cur, text, options).value();
  REQUIRE(statement.lines.size() == 4);
  CHECK(statement.texts.text(statement.lines[0].model) == "Claude4.6Sonnet");
  CHECK(statement.texts.text(statement.lines[0].token_class) == "input_uncached");
  CHECK(statement.texts.text(statement.lines[1].token_class) == "output");
  CHECK(statement.texts.text(statement.lines[3].api_key) == "arn:aws:iam::123456789012:user/bob");
  CHECK(amount_of(statement.lines[3]) == "0.99");
  check_stored(statement);
  // An export of a month without usage has columns only.
  const auto empty = read_shared("provider_reports/aws_cur2_columns.csv");
  CHECK(read(StatementFormat::aws_cur, empty, options).value().lines.empty());
}

TEST_CASE("units of a Bedrock export are thousands or millions as it says", "[billing]") {
  const std::string heading =
      "line_item_usage_type,line_item_unblended_cost,line_item_usage_amount,pricing_unit,"
      "line_item_line_item_type,line_item_usage_start_date,line_item_currency_code,"
      "line_item_product_code\n";
  const auto statement =
      read(StatementFormat::aws_cur,
           heading +
               "USE1-Claude4.6Sonnet-cache-read-input-token-count-batch,0.5,1.25,1K tokens,Usage,"
               "2026-04-02 05:00:00,USD,AmazonBedrock\n"
               "Claude4.6Sonnet-input-tokens,3,2.5,1M tokens,Usage,2026-04-02T06:00:00Z,USD,"
               "AmazonBedrock\n"
               ",1.9,,,Tax,2026-04-01T00:00:00Z,USD,AmazonBedrock\n"
               ",-7,,,Credit,2026-04-01T00:00:00Z,USD,AmazonBedrock\n"
               "BoxUsage,99,1,Hrs,Usage,2026-04-01T00:00:00Z,USD,AmazonEC2\n")
          .value();
  REQUIRE(statement.lines.size() == 4);
  CHECK(exact_text(statement.lines[0].quantity) == "1250");
  CHECK(statement.texts.text(statement.lines[0].service_tier) == "batch");
  CHECK(statement.texts.text(statement.lines[0].token_class) == "cache_read");
  CHECK(exact_text(statement.lines[1].quantity) == "2500000");
  CHECK(statement.lines[2].kind == LineKind::tax);
  CHECK(statement.lines[3].kind == LineKind::fee);
  CHECK(amount_of(statement.lines[3]) == "-7");
  CHECK(statement.notes == std::vector<std::string>{"1 lines of other products left out"});
  const auto no_unit = read(StatementFormat::aws_cur,
                            heading + "Claude-input-tokens,3,2.5,,Usage,2026-04-02,USD,Bedrock\n");
  REQUIRE_FALSE(no_unit.has_value());
  CHECK(no_unit.error().sentence.find("pricing_unit") != std::string::npos);
}

TEST_CASE("FOCUS data of 1.0 and 1.2 is read", "[billing]") {
  ReadOptions options;
  options.provider = "aws";
  const auto text = read_shared("focus/example_aws_focus_1_2_100rows.csv");
  CHECK(guess_format({"f", text}).value() == StatementFormat::focus);
  const auto statement = read(StatementFormat::focus, text, options).value();
  CHECK(statement.lines.size() == 100);
  Rational total;
  for (const auto& line : statement.lines) total += line.amount;
  CHECK_FALSE(total.is_zero());
  check_stored(statement);
  const auto own = read(StatementFormat::focus,
                        "BilledCost,ChargeCategory,ChargePeriodStart,ChargePeriodEnd,"
                        "BillingCurrency,ConsumedQuantity,ConsumedUnit,SubAccountId,"
                        "SkuPriceDetails\n"
                        "1.5,Usage,2026-08-03T00:00:00Z,2026-08-04T00:00:00Z,USD,2000,"
                        "1000 Tokens,acct,\"{\"\"x_Model\"\":\"\"opus\"\",\"\"x_TokenType\"\":"
                        "\"\"output_text\"\",\"\"x_ServiceTier\"\":\"\"batch\"\"}\"\n"
                        "0.3,Tax,2026-08-01 00:00:00,2026-09-01 00:00:00,USD,NULL,NULL,acct,\n",
                        options)
                       .value();
  REQUIRE(own.lines.size() == 2);
  CHECK(own.texts.text(own.lines[0].model) == "opus");
  CHECK(own.texts.text(own.lines[0].service_tier) == "batch");
  CHECK(exact_text(own.lines[0].quantity) == "2000000");
  CHECK(own.lines[1].kind == LineKind::tax);
}

TEST_CASE("a CSV of any shape is read by its mapping", "[billing]") {
  const auto mapping = parse_statement_mapping(R"(kind: statement_mapping
id: edge
version: 1
provider: edge
csv:
  delimiter: ";"
  per: 1000
  columns: {Date: day, Key: api_key, Model: model, Prompt: quantity.input_uncached, Answer: quantity.output_text, Cost: amount.everything}
  constants: {currency: EUR, service_tier: default}
)",
                                               "mapping.yaml")
                           .value();
  ReadOptions options;
  options.mapping = &mapping;
  options.zone = TimeZone::find("Europe/Berlin").value();
  const auto statement = read(StatementFormat::mapped_csv,
                              "Date;Key;Model;Prompt;Answer;Cost\n"
                              "2026-08-03;k1;m;1.5;2;0.25\n",
                              options)
                             .value();
  CHECK(statement.provider == "edge");
  CHECK(statement.lines.size() == 3);
  CHECK(quantity_of(statement, "input_uncached") == "1500");
  CHECK(quantity_of(statement, "output_text") == "2000");
  CHECK(format_day(statement.lines[0].days.from) == "2026-08-03");
  CHECK(statement.texts.text(statement.lines[0].service_tier) == "standard");
  check_stored(statement);
  const auto missing = read(StatementFormat::mapped_csv, "Date;Model\n", options);
  REQUIRE_FALSE(missing.has_value());
  CHECK(missing.error().sentence.find("'Key'") != std::string::npos);
}

TEST_CASE("pages join in any order and one that comes twice counts once", "[billing]") {
  const auto first = usage_page("01", "100", true);
  const auto second = usage_page("02", "200", false);
  const std::array<ReportFile, 3> files = {ReportFile{"b", second}, {"a", first}, {"c", first}};
  const auto joined = read_statement(StatementFormat::anthropic_usage, files, {}).value();
  CHECK(quantity_of(joined, "input_uncached") == "300");
  CHECK(joined.notes.empty());
  CHECK(joined.coverage.days.size() == 1);
  const std::array<ReportFile, 2> ordered = {ReportFile{"a", first}, {"b", second}};
  CHECK(statement_text(read_statement(StatementFormat::anthropic_usage, ordered, {}).value()) ==
        statement_text(joined));
  // A page of another version of the report.
  const auto other = usage_page("01", "101", true);
  const std::array<ReportFile, 2> apart = {ReportFile{"a", first}, {"b", other}};
  const auto refused = read_statement(StatementFormat::anthropic_usage, apart, {});
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == ErrorCode::conflict);
}

TEST_CASE("a restated report differs by the lines that changed", "[billing]") {
  const auto before =
      read(StatementFormat::anthropic_usage, usage_page("01", "100", false)).value();
  const auto after = read(StatementFormat::anthropic_usage, usage_page("01", "140", false)).value();
  CHECK(before.id() == after.id());
  const auto changes = diff_statements(before, after);
  REQUIRE(changes.size() == 1);
  CHECK(exact_text(changes[0].quantity_before) == "100");
  CHECK(exact_text(changes[0].quantity_after) == "140");
  CHECK(statement_diff_table(changes, 10).starts_with("1 lines changed"));
}

TEST_CASE("what cannot be a statement is refused with a sentence", "[billing]") {
  const auto sentence = [](StatementFormat format, std::string_view text,
                           ReadOptions options = {}) {
    const auto statement = read(format, text, options);
    REQUIRE_FALSE(statement.has_value());
    return statement.error().sentence;
  };
  CHECK(sentence(StatementFormat::focus, "BilledCost,ChargeCategory\n").find("--provider") !=
        std::string::npos);
  CHECK(sentence(StatementFormat::aws_cur, "lineItem/UsageType\nx\n").find("legacy") !=
        std::string::npos);
  ReadOptions berlin;
  berlin.zone = TimeZone::find("Europe/Berlin").value();
  CHECK(sentence(StatementFormat::anthropic_usage, usage_page("01", "1", false), berlin)
            .find("is no day of Europe/Berlin") != std::string::npos);
  CHECK(sentence(StatementFormat::anthropic_cost, R"({"data": [{"starting_at": "2026-08-01",
      "ending_at": "2026-08-02", "results": [{"amount": "1e99", "currency": "USD"}]}]})")
            .find("amount") != std::string::npos);
  CHECK(sentence(StatementFormat::anthropic_cost, R"({"data": [{"starting_at": "2026-08-01",
      "ending_at": "2026-08-02", "results": [{"amount": "1"}]}]})")
            .find("--currency") != std::string::npos);
  const auto requests = read_shared("provider_reports/usage_objects_with_peer_prices.jsonl");
  const auto guessed = guess_format({"f", requests});
  REQUIRE_FALSE(guessed.has_value());
  CHECK(guessed.error().sentence.find("gauger ingest") != std::string::npos);
}
