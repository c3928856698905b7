// An invoice as it leaves the house, or a note that corrects one: numbered, hashed, final.
//
// Lines add up to the total twice: their rounded amounts in minor units, and their exact amounts
// in pico-units, since what rounding left over is a line of its own. A line names the month whose
// usage it charges; `correction` lines add to an earlier month what it now costs more or less.
// Nothing here is ever edited: a correction is another document (billing/README.md).
//
// Numbers have no gap per issuer. `content_hash` is the SHA-256 of the content's canonical JSON;
// `hash` chains it: SHA-256 of "<hash of the number before>\n<content_hash>\n", in hex. Anybody
// can check both with common tools. Values; no threads.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "billing/chargeback/exchange_rates.h"
#include "billing/invoice_draft.h"
#include "billing/terms_reference.h"

namespace gauger::billing {

// A debit note corrects upwards where no invoice follows, a credit note downwards.
enum class InvoiceType : uint8_t { invoice, credit_note, debit_note };
inline constexpr std::array<std::string_view, 3> invoice_type_names = {"invoice", "credit_note",
                                                                       "debit_note"};
constexpr std::string_view to_string(InvoiceType type) {
  return invoice_type_names[static_cast<size_t>(type)];
}

// charge: the invoice's own month. correction: what a month invoiced before now costs more or
// less. reversal: takes a line of a voided document back. rounding: what rounding left over.
enum class LineType : uint8_t { charge, correction, reversal, rounding };
inline constexpr std::array<std::string_view, 4> line_type_names = {"charge", "correction",
                                                                    "reversal", "rounding"};
constexpr std::string_view to_string(LineType type) {
  return line_type_names[static_cast<size_t>(type)];
}

struct PostedLine {
  LineType type = LineType::charge;
  int32_t month = 0;   // whose usage it is about, as TimeZone counts months
  InvoiceLine charge;  // who, what, how much, at which price of which version
};

struct Party {
  std::string id;  // of the issuer's documents; a bill-to of the organisation
  std::string name;
  std::vector<std::string> address;
  std::string tax_id;
  bool operator==(const Party&) const = default;
};

enum class DecisionAction : uint8_t {
  provisional_price,  // charged at a price that a later one corrects
  defer,              // not charged yet; comes as a correction
  waive,              // goes out as it stands; an unpriced quantity is never charged
};
inline constexpr std::array<std::string_view, 3> decision_action_names = {"provisional_price",
                                                                          "defer", "waive"};
constexpr std::string_view to_string(DecisionAction action) {
  return decision_action_names[static_cast<size_t>(action)];
}

// What was decided about a blocker, by whom and why. It covers the quantity that was seen; more
// of it blocks again.
struct Decision {
  std::string blocker;  // blocker_id()
  std::string bill_to;
  int32_t month = 0;
  DecisionAction action = DecisionAction::waive;
  int64_t quantity = 0;
  std::optional<Price> price;  // of a provisional price
  std::string by;
  std::string reason;
  Instant at;
};

// What stood in the way and was decided, or overridden by force.
struct SettledBlocker {
  Blocker blocker;
  std::optional<Decision> decision;  // none: forced
};

struct Forced {
  std::string by;
  std::string reason;
};

// What an invoice says beside its lines; the seal holds the same.
struct InvoiceHeader {
  InvoiceType type = InvoiceType::invoice;
  Party issuer;
  Party bill_to;
  std::string number_prefix;
  std::string payment_terms;
  int32_t month = 0;
  std::string zone;
  Interval period;  // the month in UTC
  Currency currency;
  Instant issued_at;
  std::optional<int64_t> voids;  // the number that a credit note takes back in full
  std::string reason;            // of a note
  int64_t grain_minutes = 0;     // of the rated usage
  std::vector<int64_t> context_boundaries;
  uint64_t as_of_sequence = 0;        // the journal block that the usage is complete to
  std::vector<TermsReference> terms;  // by kind, id and version
  std::vector<FrozenRate> rates;      // that amounts were converted with
  std::vector<SettledBlocker> blockers;
  std::optional<Forced> forced;
};

struct Invoice {
  InvoiceHeader header;
  int64_t number = 0;  // from 1, without a gap per issuer
  std::vector<PostedLine> lines;
  Int128 total_minor = 0;
  std::string seal_hash;  // of what it was derived from
  // SHA-256, hex.
  std::string content_hash;
  std::string previous_hash;  // of the number before; zeros for the first
  std::string hash;

  // What people call it: the prefix and six digits or more, "LF-000042".
  std::string id() const;
};

inline constexpr int invoice_format = 1;
// The hash before the first number.
inline const std::string first_previous_hash(64, '0');

std::string sha256_hex(std::string_view bytes);
std::string chain_hash(std::string_view previous_hash, std::string_view content_hash);
// "LF-000042".
std::string invoice_id(std::string_view prefix, int64_t number);

// The canonical JSON of the content, which content_hash is taken of.
std::string content_json(const Invoice& invoice);
// {"content": ..., "content_hash", "hash", "previous_hash"}, canonical, ending in a line feed.
std::string to_json(const Invoice& invoice);
// Reads to_json() back. corruption where a hash does not fit or the bytes are not canonical,
// newer_format, invalid_argument with the member that cannot be meant.
Result<Invoice> parse_invoice(std::string_view json, std::string_view file);

}  // namespace gauger::billing
