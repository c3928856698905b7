#include "billing/invoices/seal.h"

#include <algorithm>
#include <iterator>

#include "billing/allocation.h"
#include "billing/rerating.h"

namespace gauger::billing {
namespace {

std::vector<Rational> amounts_of(std::span<const InvoiceLine> lines) {
  std::vector<Rational> amounts;
  amounts.reserve(lines.size());
  for (const auto& line : lines) amounts.push_back(line.amount);
  return amounts;
}

Rational sum_of(std::span<const Rational> amounts) {
  Rational sum;
  for (const auto& amount : amounts) sum += amount;
  return sum;
}

void add(std::vector<PostedLine>& lines, LineType type, int32_t month, InvoiceLine charge) {
  lines.push_back({type, month, std::move(charge)});
}

// Exact amounts and minor units must both add up; the difference is a line of its own.
void add_rounding(std::vector<PostedLine>& lines, int32_t month, Int128 total_minor,
                  const Rational& exact, Int128 on_lines, const Currency& currency) {
  InvoiceLine rounding;
  rounding.amount = Rational(currency.from_minor(total_minor)) - exact;
  rounding.amount_minor = total_minor - on_lines;
  rounding.item = "rounding";
  if (rounding.amount.is_zero() && rounding.amount_minor == 0) return;
  add(lines, LineType::rounding, month, std::move(rounding));
}

// What was handed down from above: each line a neighbour of its exact amount.
Result<void> check_allocated(const RatedPart& part, const Currency& currency) {
  const Rational one(currency.pico_per_minor());
  Int128 sum = 0;
  for (const auto& line : part.lines) {
    const auto off = Rational(currency.from_minor(line.amount_minor)) - line.amount;
    if (off >= one || -off >= one)
      return invalid_argument("a line of '" + part.source + "' is " +
                              currency.format_minor(line.amount_minor) + " and exactly " +
                              exact_amount(line.amount));
    sum += line.amount_minor;
  }
  if (sum != part.total_minor)
    return invalid_argument("the lines of '" + part.source + "' do not add up to its total");
  return success();
}

// The part's lines with minor units.
Result<std::vector<InvoiceLine>> rounded_lines(const RatedPart& part, const Currency& currency) {
  auto lines = part.lines;
  if (part.allocated) {
    TRY(check_allocated(part, currency));
    return lines;
  }
  const auto amounts = amounts_of(part.lines);
  if (part.total_minor != round_total(sum_of(amounts), currency))
    return invalid_argument("the total of '" + part.source + "' is not its lines' sum, rounded");
  const auto minor = apportion(amounts, part.total_minor, currency);
  for (size_t i = 0; i < minor.size(); ++i) lines[i].amount_minor = minor[i];
  return lines;
}

Result<std::vector<InvoiceLine>> rounded_lines(const RatedMonth& month, const Currency& currency) {
  std::vector<InvoiceLine> lines;
  for (const auto& part : month.parts) {
    TRY(auto rounded, rounded_lines(part, currency));
    std::move(rounded.begin(), rounded.end(), std::back_inserter(lines));
  }
  return lines;
}

Result<void> add_charges(const Seal& seal, Invoice& invoice) {
  const auto& currency = seal.header.currency;
  TRY(auto lines, rounded_lines(seal.charges, currency));
  Rational exact;
  const auto total = total_of(seal.charges);
  for (auto& line : lines) {
    exact += line.amount;
    add(invoice.lines, LineType::charge, seal.charges.month, std::move(line));
  }
  add_rounding(invoice.lines, seal.charges.month, total, exact, total, currency);
  invoice.total_minor += total;
  return success();
}

void add_reversal(const Seal& seal, Invoice& invoice) {
  for (const auto& line : seal.reversed) {
    auto charge = line.charge;
    charge.quantity = -charge.quantity;
    charge.amount = -charge.amount;
    charge.amount_minor = -charge.amount_minor;
    invoice.total_minor += charge.amount_minor;
    add(invoice.lines, LineType::reversal, line.month, std::move(charge));
  }
}

}  // namespace

RatedPart part_of(const InvoiceDraft& draft, PartBasis basis, std::string source, bool allocated) {
  return {basis, std::move(source), allocated, draft.total_minor, draft.lines};
}

Int128 total_of(const RatedMonth& month) {
  Int128 total = 0;
  for (const auto& part : month.parts) total = checked_add(total, part.total_minor);
  return total;
}

namespace {

// Sums of quantities stay inside 64 bits.
Result<void> check_quantities(std::span<const InvoiceLine> booked,
                              std::span<const InvoiceLine> current) {
  Int128 sum = 0;
  for (const auto& lines : {booked, current})
    for (const auto& line : lines)
      sum += line.quantity < 0 ? -Int128{line.quantity} : line.quantity;
  if (sum > std::numeric_limits<int64_t>::max())
    return invalid_argument("the quantities of a correction leave 64 bits");
  return success();
}

}  // namespace

Result<CorrectionLines> correction_lines(const MonthCorrection& correction,
                                         const Currency& currency) {
  TRY(const auto current, rounded_lines(correction.current, currency));
  TRY(check_quantities(correction.booked.lines, current));
  CorrectionLines result;
  std::vector<InvoiceLine> changed;
  for (auto& difference : diff_lines(correction.booked.lines, current)) {
    auto line = std::move(difference.line);
    line.quantity = difference.quantity_after - difference.quantity_before;
    line.amount = difference.amount_after - difference.amount_before;
    if (line.quantity != 0 || !line.amount.is_zero()) changed.push_back(std::move(line));
  }
  const auto amounts = amounts_of(changed);
  const auto exact = sum_of(amounts);
  const auto on_lines = round_total(exact, currency);
  const auto minor = apportion(amounts, on_lines, currency);
  for (size_t i = 0; i < changed.size(); ++i) {
    changed[i].amount_minor = minor[i];
    add(result.lines, LineType::correction, correction.current.month, std::move(changed[i]));
  }
  result.total_minor = total_of(correction.current) - correction.booked.total_minor;
  if (!result.lines.empty() || result.total_minor != 0)
    add_rounding(result.lines, correction.current.month, result.total_minor, exact, on_lines,
                 currency);
  return result;
}

Result<Invoice> derive(const Seal& seal, std::string_view seal_json, int64_t number,
                       std::string_view previous_hash) {
  Invoice invoice;
  invoice.header = seal.header;
  invoice.number = number;
  TRY(add_charges(seal, invoice));
  for (const auto& correction : seal.corrections) {
    TRY(auto corrected, correction_lines(correction, seal.header.currency));
    std::move(corrected.lines.begin(), corrected.lines.end(), std::back_inserter(invoice.lines));
    invoice.total_minor += corrected.total_minor;
  }
  add_reversal(seal, invoice);
  invoice.seal_hash = sha256_hex(seal_json);
  invoice.previous_hash = previous_hash;
  invoice.content_hash = sha256_hex(content_json(invoice));
  invoice.hash = chain_hash(invoice.previous_hash, invoice.content_hash);
  return invoice;
}

}  // namespace gauger::billing
