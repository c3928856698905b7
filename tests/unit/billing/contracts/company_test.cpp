// Why: a team's invoice comes from several contracts, and what none of them covers must stop it.
#include "billing/contracts/company.h"

#include "tests/catch.h"
#include "tests/unit/billing/usage_builder.h"

using namespace gauger;
using namespace gauger::billing;

namespace {

CompanyTerms terms() {
  CompanyTerms all;
  const auto add = [&](const std::string& provider, const std::string& currency) {
    all.contracts.push_back(
        parse_contract("kind: contract\nid: c-" + provider + "\nversion: 1\nprovider: " + provider +
                           "\ncurrency: " + currency +
                           "\nbegins: 2027-01-01\nends: 2028-01-01\n"
                           "regimes: [{from: 2027-01-01, tokens: {price_book: " +
                           provider + "}}]\n",
                       "c.yaml")
            .value());
    all.books.emplace(provider,
                      parse_price_book("kind: price_book\nid: " + provider +
                                           "\nversion: 1\ncurrency: " + currency +
                                           "\nprices:\n"
                                           "  - {provider: " +
                                           provider + ", model: m, per: unit, output_text: 0.10}\n",
                                       "b.yaml")
                          .value());
  };
  add("one", "USD");
  add("two", "USD");
  add("three", "EUR");
  return all;
}

UsageBuilder& use(UsageBuilder& usage, std::string_view provider, std::string_view team,
                  int64_t count) {
  return usage.add({.at = "2027-01-02T00:00:00Z", .team = team, .provider = provider, .model = "m"},
                   {{Meter::output_text, count}});
}

const auto january = parse_month("2027-01").value();

}  // namespace

TEST_CASE("an invoice gathers the contracts of its currency", "[billing]") {
  UsageBuilder usage;
  use(usage, "one", "a", 10);
  use(usage, "two", "a", 20);
  use(usage, "three", "a", 30);
  use(usage, "one", "b", 40);
  const auto company = rate_company(usage.table(), terms(), january).value();
  const auto drafts = company_invoices(company, usage.table(), {.bill_to = "a", .month = january});
  REQUIRE(drafts.size() == 2);
  CHECK(drafts[0].currency.code() == "EUR");
  CHECK(drafts[0].total_minor == 300);
  CHECK(drafts[1].total_minor == 300);
  CHECK(drafts[1].lines.size() == 2);
  Int128 costs = 0;
  Int128 bills = 0;
  for (const auto& allocation : company.allocations) {
    bills += allocation.total_minor;
    for (const auto& team : allocation.teams) costs += team.total_minor;
  }
  CHECK(costs == bills);
}

TEST_CASE("usage outside every contract blocks whom it touches", "[billing]") {
  UsageBuilder usage;
  use(usage, "one", "a", 10);
  use(usage, "four", "a", 7);
  use(usage, "one", "b", 10);
  const auto company = rate_company(usage.table(), terms(), january).value();
  const auto of = [&](const std::string& team) {
    return company_invoices(company, usage.table(), {.bill_to = team, .month = january});
  };
  REQUIRE(of("a").size() == 1);
  REQUIRE(of("a")[0].blockers.size() == 1);
  CHECK(of("a")[0].blockers[0].sentence ==
        "no price for 7 output_text of four m from 2027-01-02T00:00:00Z (no contract covers the "
        "provider account)");
  CHECK(of("b")[0].blockers.empty());
}

TEST_CASE("contracts that overlap rate nothing", "[billing]") {
  auto all = terms();
  all.contracts.push_back(all.contracts.front());
  all.contracts.back().id = "again";
  UsageBuilder usage;
  CHECK(rate_company(usage.table(), all, january).error().code == ErrorCode::conflict);
}
