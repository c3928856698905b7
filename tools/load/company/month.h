// A month of the fictional company's traffic, as a directory:
//
//   events/          what was delivered, one file per feed, and a day of one feed sent again
//   stale/           records older than any ledger admits without --backfill
//   price_book.yaml  prices of every model but the one on trial
//   models.yaml      the tier of every model
//   expected.json    what a ledger must show after it took events/ in
//
// The same month and seed write the same bytes.
#pragma once

#include <string>

#include "tools/load/company/expected.h"

namespace gauger::load::company {

// Makes the directory where it is missing; files of earlier runs are replaced.
Result<Expected> write_month(const MonthOptions& options, const std::string& directory);

// The documents of demo/, which the program carries with it.
std::string_view price_book_yaml();
std::string_view models_yaml();

}  // namespace gauger::load::company
