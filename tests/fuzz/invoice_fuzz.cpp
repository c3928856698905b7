// What leaves as an invoice and comes back from others: whatever the bytes, checking a bundle
// answers or refuses; documents that were read are canonical.
#include "billing/contracts/closed_month.h"
#include "billing/invoices/decision_text.h"
#include "billing/invoices/issuer.h"
#include "billing/invoices/verify_bundle.h"
#include "billing/reconciliation/posting.h"
#include "billing/reconciliation/sign_off.h"
#include "tests/fuzz/fuzz_input.h"

using namespace gauger;
using namespace gauger::billing;
using gauger::ingest::require;

// The first byte chooses the document.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const auto text = gauger::ingest::view(data + 1, size - 1);
  switch (data[0] % 8) {
    case 0: {
      const auto report = verify_bundle(text, "fuzz");
      if (report.has_value() && report.value().findings.empty())
        require(parse_invoice(to_json(report.value().invoice), "again").has_value(),
                "an invoice that holds cannot be read back");
      break;
    }
    case 1: {
      const auto seal = parse_seal(text, "fuzz");
      if (seal.has_value()) {
        require(to_json(seal.value()) == text, "a seal was read that is not canonical");
        static_cast<void>(derive(seal.value(), text, 1, first_previous_hash));
      }
      break;
    }
    case 2: {
      const auto invoice = parse_invoice(text, "fuzz");
      if (invoice.has_value())
        require(to_json(invoice.value()) == text, "an invoice was read that is not canonical");
      break;
    }
    case 3: static_cast<void>(parse_decision_text(text, "fuzz")); break;
    case 4: static_cast<void>(parse_review_text(text, "fuzz")); break;
    case 5: static_cast<void>(parse_issuer(text, "fuzz")); break;
    case 6: static_cast<void>(parse_correction(text, "fuzz")); break;
    default:
      static_cast<void>(parse_posting(text, "fuzz"));
      static_cast<void>(parse_sign_off(text, "fuzz"));
  }
  return 0;
}
