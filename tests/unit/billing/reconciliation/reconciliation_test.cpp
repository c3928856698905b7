#include "billing/reconciliation/reconciliation.h"

#include "billing/reconciliation/exact_number.h"
#include "billing/reconciliation/ledger_side.h"
#include "billing/reconciliation/posting.h"
#include "billing/reconciliation/sign_off.h"
#include "tests/catch.h"
#include "tests/unit/billing/usage_builder.h"

using namespace gauger;
using namespace gauger::billing;

namespace {

constexpr std::string_view prices = R"(kind: price_book
id: list
version: v1
currency: USD
prices:
  - {provider: anthropic, model: opus, per: million, input_uncached: 5, cache_read: 0.50, output_text: 25, output_reasoning: 25, cache_write_5m: 6.25, cache_write_1h: 10}
  - {provider: anthropic, model: opus, service_tier: batch, per: million, input_uncached: 2.50, output_text: 12.50}
  - {provider: anthropic, model: opus, service_tier: priority, per: million, input_uncached: 10, output_text: 50}
)";

const int32_t august = TimeZone::utc().local_day(parse_instant("2026-08-01").value());

// Lines as "day account model tier class quantity amount", '-' where a line does not tell.
Statement statement_of(std::initializer_list<std::string_view> rows,
                       std::string_view currency = "USD") {
  Statement statement;
  statement.provider = "anthropic";
  statement.coverage.add({august, august + 31});
  auto& texts = statement.texts;
  for (const auto row : rows) {
    std::vector<std::string> cells;
    for (size_t begin = 0; begin <= row.size();) {
      const auto end = std::min(row.find(' ', begin), row.size());
      cells.emplace_back(row.substr(begin, end - begin));
      if (cells.back() == "-") cells.back().clear();
      begin = end + 1;
    }
    StatementLine line;
    line.days.from = august + std::stoi(cells.at(0)) - 1;
    line.days.until = line.days.from + 1;
    line.account = texts.id_of(cells.at(1));
    line.model = texts.id_of(cells.at(2));
    line.service_tier = texts.id_of(cells.at(3));
    line.token_class = texts.id_of(cells.at(4));
    if (cells[4] == "tax") line.kind = LineKind::tax;
    if (cells[4] == "support") line.kind = LineKind::fee;
    line.has_quantity = !cells.at(5).empty();
    if (line.has_quantity) line.quantity = read_exact(cells[5]).value();
    line.has_amount = !cells.at(6).empty();
    if (line.has_amount) {
      line.amount = read_exact(cells[6], money_digits).value();
      line.currency = texts.id_of(currency);
    }
    statement.lines.push_back(line);
  }
  return statement;
}

struct Made {
  std::vector<Statement> statements;
  std::vector<Rated> rated;
  StatementMapping mapping;
  ExchangeRates rates;
  GrainInput input;
};

std::unique_ptr<Made> make(const UsageTable& usage, std::vector<Statement> statements) {
  auto made = std::make_unique<Made>();
  made->statements = std::move(statements);
  LedgerTerms terms;
  terms.books.emplace("list", parse_price_book(prices, "list.yaml").value());
  const auto& zone = made->statements.front().coverage.zone;
  made->input.days = {august, august + 31};
  made->rated = rate_by_day(usage, "anthropic", zone, made->input.days, terms).value();
  made->mapping.tolerance = {};
  made->input.provider = "anthropic";
  made->input.statements = made->statements;
  made->input.rated = made->rated;
  made->input.context_boundaries = usage.context_boundaries;
  made->input.grain = usage.grain;
  made->input.mapping = &made->mapping;
  return made;
}

std::vector<std::string> classes_of(const Reconciliation& result) {
  std::vector<std::string> classes;
  for (const auto& total : result.classes)
    classes.push_back(std::string(to_string(total.variance_class)) + " " +
                      format_amount(total.amount()));
  return classes;
}

using Classes = std::vector<std::string>;

UsageBuilder one_day(std::string_view at = "2026-08-03T10:00:00Z") {
  UsageBuilder usage;
  usage.add({.at = at, .account = "prod", .model = "opus"},
            {{Meter::input_uncached, 1'000'000}, {Meter::output_text, 100'000}});
  return usage;
}

}  // namespace

TEST_CASE("a report of quantities and one of amounts complete each other", "[billing]") {
  auto usage = one_day();
  usage.add({.at = "2026-08-03T11:00:00Z", .account = "prod", .model = "opus"},
            {{Meter::output_reasoning, 20'000}});
  // Reasoning is part of the provider's output; its cost does not tell the tier.
  const auto made =
      make(usage.table(),
           {statement_of({"3 prod opus standard input_uncached 1000000 -",
                          "3 prod opus standard output_text 119000 -"}),
            statement_of({"3 prod opus - input_uncached - 5", "3 prod opus - output - 2.975"})});
  const auto result = reconcile(made->input).value();
  CHECK(result.ledger_total == Rational(Int128{8} * pico_per_unit));
  CHECK(classes_of(result) == Classes{"quantity -0.025"});
  CHECK(result.grain.cells.size() == 2);
}

TEST_CASE("what a report declares to leave out is not missing", "[billing]") {
  auto usage = one_day();
  usage.add({.at = "2026-08-03T10:00:00Z",
             .account = "prod",
             .model = "opus",
             .service_tier = ServiceTier::priority},
            {{Meter::input_uncached, 100'000}});
  auto statement = statement_of(
      {"3 prod opus standard input_uncached - 5", "3 prod opus standard output_text - 2.5"});
  statement.coverage.excluded_tiers = {"priority"};
  const auto made = make(usage.table(), {statement});
  CHECK(classes_of(reconcile(made->input).value()) == Classes{"outside_coverage -1"});
}

TEST_CASE("usage without a price is a rate that we lack", "[billing]") {
  auto usage = one_day();
  usage.add({.at = "2026-08-03T10:00:00Z", .account = "prod", .model = "haiku"},
            {{Meter::output_text, 10}});
  const auto made =
      make(usage.table(), {statement_of({"3 prod opus standard input_uncached 1000000 5",
                                         "3 prod opus standard output_text 100000 2.5",
                                         "3 prod haiku standard output_text 10 0.5"})});
  const auto result = reconcile(made->input).value();
  CHECK(classes_of(result) == Classes{"rate 0.5"});
  CHECK(evidence_sentence(result.grain, result.matched, result.matched.variances[0]) ==
        "we have no price for it");
}

TEST_CASE("amounts of another currency are converted or listed apart", "[billing]") {
  const auto usage = one_day();
  const auto made =
      make(usage.table(), {statement_of({"3 prod opus standard input_uncached 1000000 4.5",
                                         "3 prod opus standard output_text 100000 2.25"},
                                        "EUR")});
  const auto apart = reconcile(made->input).value();
  CHECK(classes_of(apart) == Classes{"currency -7.5"});
  CHECK(format_amount(apart.grain.foreign.at("EUR")) == "6.75");
  made->rates.rates.push_back({0, parse_instant("2026-08-01").value(),
                               Currency::find("EUR").value(), Currency::find("USD").value(),
                               Rational::ratio(11, 10)});
  made->input.exchange_rates = &made->rates;
  const auto converted = reconcile(made->input).value();
  CHECK(classes_of(converted) == Classes{"currency -0.075"});
  CHECK(converted.grain.foreign.empty());
}

TEST_CASE("names of the provider become the ledger's by the dated mapping", "[billing]") {
  const auto usage = one_day();
  const auto made =
      make(usage.table(), {statement_of({"3 wrk_1 Opus4 standard input_uncached 1000000 5",
                                         "3 wrk_1 Opus4 standard output_text 100000 2.5"})});
  CHECK(reconcile(made->input).value().matched.variances.size() == 4);
  made->mapping = parse_statement_mapping(R"(kind: statement_mapping
id: a
version: 1
provider: anthropic
accounts: [{statement: wrk_1, account: prod, from: 2026-08-01, until: 2026-09-01}]
models: [{statement: "Opus*", model: opus}]
)",
                                          "m.yaml")
                      .value();
  CHECK(reconcile(made->input).value().matched.variances.empty());
}

TEST_CASE("days follow the statement's zone and zones off the grain are refused", "[billing]") {
  // 23:00 in UTC is the next day in Berlin.
  const auto usage = one_day("2026-08-02T23:00:00Z");
  auto berlin = statement_of({"3 prod opus standard input_uncached 1000000 5",
                              "3 prod opus standard output_text 100000 2.5"});
  berlin.coverage.zone = TimeZone::find("Europe/Berlin").value();
  CHECK(reconcile(make(usage.table(), {berlin})->input).value().matched.variances.empty());
  berlin.coverage.zone = TimeZone::utc();
  const auto cut = reconcile(make(usage.table(), {berlin})->input).value();
  CHECK(classes_of(cut) == Classes{"cut_off 0"});
  // Kathmandu's midnight lies at 18:15 UTC.
  const auto made = make(usage.table(), {berlin});
  made->statements[0].coverage.zone = TimeZone::find("Asia/Kathmandu").value();
  made->input.statements = made->statements;
  const auto refused = reconcile(made->input);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().sentence.find("off the ledger's grain") != std::string::npos);
}

TEST_CASE("two statements that bill one day are refused", "[billing]") {
  const auto usage = one_day();
  const auto statement = statement_of({"3 prod opus standard input_uncached 1000000 5"});
  const auto refused = reconcile(make(usage.table(), {statement, statement})->input);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == ErrorCode::conflict);
  CHECK(refused.error().sentence.find("amounts of 2026-08-01") != std::string::npos);
}

TEST_CASE("a report without any breakdown is compared day by day", "[billing]") {
  auto usage = one_day();
  usage.add({.at = "2026-08-04T10:00:00Z", .account = "prod", .model = "opus"},
            {{Meter::output_text, 200'000}});
  const auto made =
      make(usage.table(), {statement_of({"3 - - - everything - 7.5", "4 - - - everything - 6"})});
  const auto result = reconcile(made->input).value();
  CHECK(result.grain.cells.size() == 2);
  CHECK(classes_of(result) == Classes{"quantity 1"});
}

TEST_CASE("a remainder is posted so that teams and tax add up to the bill", "[billing]") {
  UsageBuilder usage;
  usage.add({.at = "2026-08-03T10:00:00Z", .team = "search", .account = "prod", .model = "opus"},
            {{Meter::output_text, 200'000}});
  usage.add({.at = "2026-08-03T12:00:00Z", .team = "support", .account = "prod", .model = "opus"},
            {{Meter::output_text, 100'000}});
  const auto made =
      make(usage.table(), {statement_of({"3 prod opus standard output_text 300000 7.51",
                                         "4 lab opus standard output_text 10000 0.25",
                                         "1 - - - support - 20", "1 - - - tax - 1.9"})});
  const auto result = reconcile(made->input).value();
  CHECK(classes_of(result) ==
        Classes{"missing_in_ledger 0.25", "rate 0.01", "provider_only_fee 20", "tax 1.9"});
  const PostingRules rules = {{VarianceClass::rate, PostingRule::by_use},
                              {VarianceClass::provider_only_fee, PostingRule::by_use},
                              {VarianceClass::missing_in_ledger, PostingRule::by_account}};
  const TeamOf team_of = [](std::string_view account, std::string_view, int32_t) {
    return std::string(account == "lab" ? "research" : "");
  };
  const auto posting = make_posting(result, made->input, rules, team_of);
  Int128 sum = posting.charged_minor + posting.elsewhere_minor + posting.tax_minor;
  for (const auto& line : posting.lines) sum += line.amount_minor;
  CHECK(sum == posting.bill_minor);
  CHECK(posting.bill_minor == 2966);
  const std::vector<PostingLine> lines = {{"research", "missing_in_ledger", 25},
                                          {"search", "rate", 1},
                                          {"search", "provider_only_fee", 1333},
                                          {"support", "provider_only_fee", 667}};
  CHECK(posting.lines == lines);
  const auto again = parse_posting(posting_json(posting), "stored").value();
  CHECK(posting_json(again) == posting_json(posting));
  CHECK(posting_change(again, posting).empty());
  // Nobody named: all of it to unallocated.
  const auto plain = make_posting(result, made->input, {}, {});
  for (const auto& line : plain.lines) CHECK(line.team.empty());
}

TEST_CASE("a sign-off keeps what was seen and knows when it has changed", "[billing]") {
  const auto usage = one_day();
  const auto first = statement_of({"3 prod opus standard input_uncached 1000000 5"});
  const auto seen = reconcile(make(usage.table(), {first})->input).value();
  const auto stored = sign_off_json(seen, {{first.id(), 1, "ab"}});
  const auto signed_off = parse_sign_off(stored, "stored").value();
  CHECK(signed_off.difference == "-2.5");
  CHECK(signed_off.explained_share == "0.0000 %");
  CHECK(signed_off.report_hash == reconciliation_hash(seen));
  const auto restated = statement_of({"3 prod opus standard input_uncached 1000001 5.000005"});
  const auto later = reconcile(make(usage.table(), {restated})->input).value();
  CHECK(reconciliation_hash(later) != signed_off.report_hash);
}

TEST_CASE("a contract is reconciled with its discounts and what it does not cover", "[billing]") {
  auto usage = one_day();
  usage.add({.at = "2026-08-05T10:00:00Z", .account = "lab", .model = "opus"},
            {{Meter::output_text, 7}});
  const auto contract = parse_contract(R"(kind: contract
id: c
version: 1
provider: anthropic
accounts: [prod]
currency: USD
begins: 2026-01-01
ends: 2027-01-01
regimes: [{from: 2026-01-01, tokens: {price_book: list, discounts: [{percent: 10, model: "*"}]}}]
)",
                                       "c.yaml")
                            .value();
  LedgerTerms terms;
  terms.contracts = std::span(&contract, 1);
  terms.books.emplace("list", parse_price_book(prices, "list.yaml").value());
  const auto made =
      make(usage.table(), {statement_of({"3 prod opus standard input_uncached 1000000 4.5",
                                         "3 prod opus standard output_text 100000 2.25"})});
  made->rated =
      rate_by_day(usage.table(), "anthropic", TimeZone::utc(), made->input.days, terms).value();
  made->input.rated = made->rated;
  const auto result = reconcile(made->input).value();
  CHECK(result.ledger_total == Rational(Int128{675} * (pico_per_unit / 100)));
  CHECK(classes_of(result) == Classes{"missing_on_statement 0"});
  auto zone = TimeZone::find("Europe/Berlin").value();
  const auto refused = rate_by_day(usage.table(), "anthropic", zone, made->input.days, terms);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().sentence.find("counts months of UTC") != std::string::npos);
}
