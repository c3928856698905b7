// Documents of terms: whatever the bytes, reading answers or refuses, and a price book that was
// read is the same book after it was written and read again.
#include "billing/catalogs/catalog_import.h"
#include "billing/chargeback/chargeback.h"
#include "billing/chargeback/exchange_rates.h"
#include "billing/chargeback/organisation.h"
#include "billing/contracts/allocation_document.h"
#include "billing/contracts/contract.h"
#include "billing/model_catalog.h"
#include "billing/quotas/quota_document.h"
#include "billing/quote.h"
#include "billing/reattribution.h"
#include "billing/savings/program.h"
#include "billing/terms/terms.h"
#include "billing/text_table.h"
#include "tests/fuzz/fuzz_input.h"

using namespace gauger;
using namespace gauger::billing;
using gauger::ingest::require;

namespace {

void check_book(const PriceBook& book) {
  const auto text = to_yaml(book);
  const auto again = parse_price_book(text, "again");
  require(again.has_value(), "a book that was written cannot be read: " +
                                 (again.has_value() ? "" : again.error().sentence));
  require(to_yaml(again.value()) == text, "a book reads back as another one");
}

void import(CatalogFormat format, std::string_view text) {
  const auto imported = import_catalog(
      format, text, {.file = "fuzz", .id = "fuzz", .version = "1", .effective_from = {}});
  if (imported.has_value()) check_book(imported.value().book);
}

}  // namespace

// The first byte chooses the document.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const auto text = gauger::ingest::view(data + 1, size - 1);
  switch (data[0] % 15) {
    case 0: {
      const auto book = parse_price_book(text, "fuzz");
      if (book.has_value()) check_book(book.value());
      break;
    }
    case 1: static_cast<void>(parse_model_catalog(text, "fuzz")); break;
    case 2: static_cast<void>(parse_contract(text, "fuzz")); break;
    case 3: static_cast<void>(parse_capacity_records(text, "fuzz")); break;
    case 4: static_cast<void>(parse_chargeback_policy(text, "fuzz")); break;
    case 5: static_cast<void>(parse_exchange_rates(text, "fuzz")); break;
    case 6: static_cast<void>(parse_organisation(text, "fuzz")); break;
    case 7: import(CatalogFormat::litellm, text); break;
    case 8: import(CatalogFormat::genai_prices, text); break;
    case 9: static_cast<void>(parse_terms(text, "fuzz")); break;
    case 10: {
      const auto allocation = parse_allocation(text, "fuzz");
      if (allocation.has_value())
        require(parse_allocation(allocation_json(allocation.value()), "again").has_value(),
                "an allocation cannot be read back");
      break;
    }
    case 11: static_cast<void>(parse_program(text, "fuzz")); break;
    case 12: static_cast<void>(parse_quota(text, "fuzz")); break;
    case 13: static_cast<void>(parse_reattribution(text, "fuzz")); break;
    default: import(CatalogFormat::models_dev, text); break;
  }
  static_cast<void>(parse_csv(text, "fuzz"));
  return 0;
}
