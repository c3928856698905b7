// What a new price book changes against the one in use, with an alarm where a change is not
// plausible: real catalogues have been wrong by a factor of 1000. Accepting turns a proposal into a
// book that may bill. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "billing/price_book.h"

namespace gauger::billing {

struct PriceDifference {
  std::string model;  // provider, model and what else the entry is told apart by
  std::string item;
  int64_t context_above = 0;
  std::optional<Price> before;  // absent: not priced
  std::optional<Price> after;
  std::string alarm;  // why the change is implausible; empty where it is not
};

// Prices of both books as they stand at `at`, or in their last versions without it.
std::vector<PriceDifference> diff_books(const PriceBook& before, const PriceBook& after,
                                        std::optional<Instant> at = {});

std::string diff_table(const std::vector<PriceDifference>& differences);
std::string diff_csv(const std::vector<PriceDifference>& differences);
std::string diff_json(const std::vector<PriceDifference>& differences);

// The proposal as an accepted book. refused where the change against `current` raises an alarm
// and `because` gives no reason.
Result<PriceBook> accept_book(PriceBook proposal, const PriceBook* current, std::string_view by,
                              std::string_view because);

// The book in use with the imported prices from `from` on: what is the same stays, what changed is
// added as a later version, what the catalogue no longer lists is kept. A proposal again.
Result<PriceBook> update_book(const PriceBook& current, const PriceBook& imported, Instant from);

}  // namespace gauger::billing
