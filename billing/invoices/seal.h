// The seal of an invoice: everything it is derived from, as it was when it was finalized. Rated
// lines with their prices, what was booked for earlier months, the usage behind it, decisions,
// hashes of all terms. Deriving is pure arithmetic over the seal, so the invoice's bytes come out
// the same after any later change of usage, terms or software, and without a ledger.
//
// Rounding: a part's total is rounded once (half to even) and lines take its minor units by largest
// remainder, or both were allocated from the whole company's; what is left over is a line of type
// rounding. A correction is rate(current) - sum(sealed + posted), so that posting it twice adds
// nothing. Values; no threads.
#pragma once

#include <functional>
#include <map>
#include <span>

#include "billing/invoices/invoice.h"
#include "schemas/usage_table.h"

namespace gauger::billing {

// price_book: a line's amount is its quantity at its price. contract: the same, beside idle,
// discounts and commitment shares. chargeback: with mark-up or shares, or late usage at an average.
enum class PartBasis : uint8_t { price_book, contract, chargeback };
inline constexpr std::array<std::string_view, 3> part_basis_names = {"price_book", "contract",
                                                                     "chargeback"};
constexpr std::string_view to_string(PartBasis basis) {
  return part_basis_names[static_cast<size_t>(basis)];
}

// Lines that were rounded together.
struct RatedPart {
  PartBasis basis = PartBasis::price_book;
  std::string source;      // the price book or contract
  bool allocated = false;  // rounded for the whole company and handed down to these lines
  Int128 total_minor = 0;
  std::vector<InvoiceLine> lines;  // minor units follow from the total, unless they were allocated
};

// One month of one bill-to as it is rated now.
struct RatedMonth {
  int32_t month = 0;
  std::vector<RatedPart> parts;
};

RatedPart part_of(const InvoiceDraft& draft, PartBasis basis, std::string source, bool allocated);

// What documents said about one month so far: lines by identity with their sums, and the minor
// units of all lines, those of rounding included.
struct BookedMonth {
  int32_t month = 0;
  std::vector<InvoiceLine> lines;
  Int128 total_minor = 0;
};

struct MonthCorrection {
  RatedMonth current;
  BookedMonth booked;
};

// Usage of the invoice's own month and bill-to, summed by usage key.
struct SealedUsage {
  std::vector<std::string> strings;  // as UsageTable's
  std::vector<UsageKey> keys;        // ascending by their texts
  struct Row {
    int64_t requests = 0;
    std::map<std::string, int64_t> quantities;  // by item; zeros left out
  };
  std::vector<Row> rows;  // one per key
};

// Sums up the rows whose key `belongs` to the bill-to at the row's time, by key.
using Belongs = std::function<bool(const UsageKey& key, Instant at)>;
SealedUsage seal_usage(const UsageTable& usage, Interval month, const Belongs& belongs);

struct Seal {
  InvoiceHeader header;
  RatedMonth charges;                        // of the header's month; no parts on a note
  std::vector<MonthCorrection> corrections;  // by month
  std::vector<PostedLine> reversed;          // the lines of the document that is voided
  SealedUsage usage;
};

std::string to_json(const Seal& seal);
Result<Seal> parse_seal(std::string_view json, std::string_view file);

// The invoice that the seal says. invalid_argument where its parts cannot be: a total that is no
// neighbour of its lines, a total that was not rounded as the rule says.
Result<Invoice> derive(const Seal& seal, std::string_view seal_json, int64_t number,
                       std::string_view previous_hash);

// What a correction posts; nothing where there is nothing to correct.
struct CorrectionLines {
  std::vector<PostedLine> lines;  // rounding included
  Int128 total_minor = 0;
};
Result<CorrectionLines> correction_lines(const MonthCorrection& correction,
                                         const Currency& currency);

// Total of the parts in minor units.
Int128 total_of(const RatedMonth& month);

}  // namespace gauger::billing
