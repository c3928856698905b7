// Why: a catalogue that is wrong by a factor of 1000 must not reach a bill unseen.
#include "billing/catalogs/catalog_diff.h"

#include <zlib.h>

#include <map>

#include "billing/text_table.h"
#include "tests/catch.h"
#include "tests/shared_data.h"

using namespace gauger;
using namespace gauger::billing;

namespace {

PriceBook book(const std::string& entries) {
  return parse_price_book(
             "kind: price_book\nid: list\nversion: v\ncurrency: USD\nprices:\n" + entries, "b.yaml")
      .value();
}

std::string gunzipped(const std::string& path) {
  gzFile file = gzopen(path.c_str(), "rb");
  REQUIRE(file != nullptr);
  std::string text;
  std::array<char, 65'536> buffer{};
  for (int count = 0; (count = gzread(file, buffer.data(), buffer.size())) > 0;)
    text.append(buffer.data(), static_cast<size_t>(count));
  gzclose(file);
  return text;
}

const std::string before =
    "  - {provider: a, model: m, per: million, input_uncached: 5, images: 2}\n"
    "  - {provider: a, model: gone, per: unit, images: 1}\n";

}  // namespace

TEST_CASE("differences name model, item, both prices and what is implausible", "[billing]") {
  const auto differences = diff_books(
      book(before), book("  - {provider: a, model: m, per: million, input_uncached: 0.005,\n"
                         "     context_above: {1000: {input_uncached: 4}}}\n"
                         "  - {provider: a, model: new, per: unit, images: 1}\n"));
  CHECK(diff_csv(differences) ==
        "model,item,above,before,after,alarm\n"
        "a gone,images,,1 per unit,unpriced,\n"
        "a m,input_uncached,,5 per million,0.005 per million,falls to a tenth or less\n"
        "a m,images,,2 per million,unpriced,\n"
        "a m,input_uncached,1000,5 per million,4 per million,\n"
        "a m,images,1000,2 per million,unpriced,\n"
        "a new,images,,unpriced,1 per unit,\n");
  CHECK(diff_books(book(before), book(before)).empty());
}

TEST_CASE("a proposal is accepted by somebody, and against an alarm with a reason", "[billing]") {
  const auto current = book(before);
  auto proposal = book("  - {provider: a, model: m, per: million, input_uncached: 50}\n");
  proposal.status = BookStatus::proposed;
  CHECK(accept_book(proposal, &current, "", "").error().code == ErrorCode::invalid_argument);
  CHECK(accept_book(proposal, &current, "ann", "").error().sentence ==
        "the price of a m input_uncached rises 10 times or more (5 per million -> 50 per million): "
        "accepting such a change needs a reason");
  const auto accepted = accept_book(proposal, &current, "ann", "new list").value();
  CHECK(accepted.status == BookStatus::accepted);
  const auto again = parse_price_book(to_yaml(accepted), "b.yaml").value();
  CHECK(again.accepted_by == "ann");
  CHECK(again.accepted_because == "new list");
}

TEST_CASE("an update keeps what was in use until its day", "[billing]") {
  const auto day = parse_instant("2026-06-01").value();
  const auto updated =
      update_book(book(before),
                  book("  - {provider: a, model: m, per: million, input_uncached: 4, images: 2}\n"
                       "  - {provider: a, model: same, per: unit, images: 1}\n"),
                  day)
          .value();
  REQUIRE(updated.entries.size() == 4);
  CHECK(updated.entries[2].from == day);
  CHECK(updated.entries[3].from == day);
  CHECK(updated.status == BookStatus::proposed);
  CHECK(diff_books(book(before), updated, parse_instant("2026-05-31").value()).empty());
  const auto unchanged = update_book(book(before), book(before), day).value();
  CHECK(unchanged.entries.size() == 2);
}

// 18 months of a real catalogue's changes; the one of 2025-02-07 corrects prices that were
// 1000 times too high.
TEST_CASE("the mistakes of a real catalogue raise the alarm", "[billing]") {
  const auto rows = parse_csv(gunzipped(gauger::tests::shared_data(
                                  "prices/litellm_price_changes_2025-02_2026-07.csv.gz")),
                              "changes.csv")
                        .value();
  size_t compared = 0;
  size_t alarms = 0;
  bool corrected = false;
  for (size_t i = 1; i < rows.size(); ++i) {
    const auto& row = rows[i];
    if (row[2] != "input_cost_per_token" || row[3].empty() || row[4].empty()) continue;
    const auto one = [&](const std::string& price) {
      return parse_price_book(
          "kind: price_book\nid: l\nversion: v\ncurrency: USD\nprices:\n"
          "  - {provider: l, model: {exact: " +
              yaml_text(row[1]) + "}, per: unit, input_uncached: " + price + "}\n",
          "b.yaml");
    };
    const auto old_book = one(row[3]);
    const auto new_book = one(row[4]);
    if (!old_book.has_value() || !new_book.has_value()) continue;
    const auto differences = diff_books(old_book.value(), new_book.value());
    ++compared;
    const bool alarm = !differences.empty() && !differences[0].alarm.empty();
    if (alarm) ++alarms;
    if (row[1] == "gemini-2.0-flash-001" && row[0].starts_with("2025-02-07")) corrected = alarm;
  }
  CHECK(compared > 100);
  CHECK(corrected);
  CHECK(alarms < compared);
}
