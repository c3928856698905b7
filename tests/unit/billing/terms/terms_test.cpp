// Why: a bill is as right as the terms that were in force; which those are must not depend on
// the order of files or on luck.
#include "billing/terms/terms.h"

#include "tests/catch.h"

using namespace gauger;
using namespace gauger::billing;

namespace {

const std::string book =
    "kind: price_book\nid: list\nversion: 1\ncurrency: USD\nprices:\n"
    "  - {provider: p, model: m, per: million, input_uncached: 5}\n";
const std::string contract =
    "kind: contract\nid: c\nversion: 1\nprovider: p\ncurrency: USD\nbegins: 2027-01-01\n"
    "regimes: [{from: 2027-01-01, tokens: {price_book: list}}]\n";

std::vector<TermsDocument> documents(const std::vector<std::string>& texts) {
  std::vector<TermsDocument> parsed;
  for (const auto& text : texts) parsed.push_back(parse_terms(text, "t.yaml").value());
  return parsed;
}

std::string refusal(const std::vector<std::string>& texts) {
  return gather_terms(documents(texts)).error().sentence;
}

Instant day(std::string_view text) { return parse_instant(text).value(); }

}  // namespace

TEST_CASE("the version known last among those that apply is in force", "[billing]") {
  const auto march = parse_month("2027-03").value();
  const std::vector<TermsVersion> versions = {
      {{}, 1}, {day("2027-03-01"), 5}, {day("2027-05-01"), 7}, {day("2027-02-01"), 9}};
  const auto first = [&](size_t count) {
    return version_in_force(std::span(versions).first(count), march);
  };
  CHECK_FALSE(first(0));
  CHECK(first(1) == 0u);
  CHECK(first(2) == 1u);
  CHECK(first(3) == 1u);
  // Known later, it stands for everything from its own month on.
  CHECK(first(4) == 3u);
  CHECK(version_in_force(versions, march - 2) == 0u);
  CHECK_FALSE(version_in_force(std::span(versions).subspan(1, 1), march - 1));
}

TEST_CASE("every kind of terms is read by its key kind", "[billing]") {
  const auto parsed = parse_terms(book, "b.yaml").value();
  CHECK(parsed.kind() == TermsKind::price_book);
  CHECK(parsed.id() == "list");
  CHECK(parsed.summary() == "1 price entries in USD");
  CHECK(parsed.content_hash.size() == 64);
  CHECK_FALSE(parsed.applies_from());
  const auto alternative = parse_terms(
                               "kind: alternative\nid: a\nversion: 1\nprice_book: list\n"
                               "from: {provider: p, model: m}\nto: {provider: q, model: n}\n"
                               "ratios: [{input: 1.05, output: 0.9}]\n",
                               "a.yaml")
                               .value();
  CHECK(alternative.summary() == "n of q in place of m of p");
  CHECK_FALSE(alternative.applies_from());
  CHECK(parse_terms(book + "applies_from: 2027-02-01\n", "b.yaml").value().applies_from() ==
        day("2027-02-01"));
  CHECK(parse_terms("kind: prices\n", "x.yaml")
            .error()
            .sentence.starts_with(
                "x.yaml:1: 'kind: prices' is none of price_book, model_catalog, contract"));
  CHECK(parse_terms(book + "applies_from: 2027-02-02\n", "b.yaml")
            .error()
            .sentence.find("first day of a month") != std::string::npos);
}

TEST_CASE("terms that contradict each other are not gathered", "[billing]") {
  CHECK(gather_terms(documents({book, contract})).value().references.size() == 2);
  CHECK(refusal({contract}) ==
        "t.yaml:7: the price book 'list' of the contract c is not among the terms");
  CHECK(refusal({book, book}) == "t.yaml:2: the price_book 'list' stands twice, also in t.yaml");
  auto euro = contract;
  euro.replace(euro.find("USD"), 3, "EUR");
  CHECK(refusal({book, euro}) == "t.yaml:7: the contract is in EUR, the price book list in USD");
  auto other = contract;
  other.replace(other.find("id: c"), 5, "id: d");
  CHECK(refusal({book, contract, other}) ==
        "t.yaml:4: the contracts c and d both cover every account of p");
  const std::string policy =
      "kind: chargeback_policy\nid: x\nversion: 1\nbasis: rate_card\nrate_card: none\n";
  CHECK(refusal({policy}) ==
        "t.yaml:5: the rate card 'none' of the policy x is not among the terms");
  const std::string models =
      "kind: model_catalog\nid: one\nversion: 1\nmodels: [{provider: p, model: m, tier: t}]\n";
  auto second = models;
  second.replace(second.find("one"), 3, "two");
  CHECK(refusal({models, second}).find("a second model catalogue") != std::string::npos);
}

TEST_CASE("a ledger refuses terms that it cannot tell apart", "[billing]") {
  const std::vector<int64_t> boundaries = {200'000};
  const auto refused = [&](const std::string& entry, int grain) -> std::string {
    const auto terms = gather_terms(documents(
        {"kind: price_book\nid: list\nversion: 1\ncurrency: USD\nprices:\n  - " + entry + "\n"}));
    const auto checked = check_ledger_keeps(terms.value(), boundaries, std::chrono::minutes{grain});
    return checked.has_value() ? "" : checked.error().sentence;
  };
  const std::string plain = "{provider: p, model: m, per: million, input_uncached: 5}";
  CHECK(refused(plain, 60).empty());
  CHECK(refused("{provider: p, model: m, per: million, input_uncached: 5, context_above: "
                "{272000: {input_uncached: 6}}}",
                60) ==
        "t.yaml:6: 'p m' changes above 272000 tokens, a context boundary that the ledger does not "
        "keep");
  const std::string window =
      "{provider: p, model: m, hours: {from: \"16:30\", until: \"00:30\"}, per: million, "
      "input_uncached: 5}";
  CHECK(refused(window, 30).empty());
  CHECK(refused(window, 60).find("off the ledger's grain of 60 minutes") != std::string::npos);
  // Nepal lies 5:45 from UTC: its months begin on quarters of an hour.
  const auto nepal = gather_terms(documents({book, contract + "time_zone: Asia/Kathmandu\n"}));
  CHECK(check_ledger_keeps(nepal.value(), boundaries, std::chrono::minutes{15}).has_value());
  CHECK(check_ledger_keeps(nepal.value(), boundaries, std::chrono::minutes{30})
            .error()
            .sentence.find("the month of Asia/Kathmandu changes at") != std::string::npos);
}

TEST_CASE("a contract rests on its own documents and on the model catalogue", "[billing]") {
  const std::string foreign =
      "kind: price_book\nid: other\nversion: 1\ncurrency: USD\nprices:\n"
      "  - {provider: q, model: m, per: million, input_uncached: 5}\n";
  const auto terms = gather_terms(documents({foreign, contract, book})).value();
  const auto references = references_of(terms, terms.company.contracts.front());
  REQUIRE(references.size() == 2);
  CHECK(references[0].kind == "contract");
  CHECK(references[1].id == "list");
  CHECK(find_policy(terms, "").value().id == "pass_through");
  CHECK(find_policy(terms, "x").error().code == ErrorCode::not_found);
}
