// Sentences about variances.
#include "billing/reconciliation/exact_number.h"
#include "billing/reconciliation/variance.h"

namespace gauger::billing {
namespace {

std::string short_number(const Rational& value) {
  // Quotients may have no end; six digits are enough for a sentence.
  const auto micro = (value * Rational(Int128{1'000'000})).rounded(Rounding::half_even);
  return (micro % 1'000'000 == 0 || value.is_whole() ? "" : "about ") + format_decimal(micro, 6);
}

std::string_view reason_of(Outside outside) {
  switch (outside) {
    case Outside::no: return "";
    case Outside::day: return "the day is not covered";
    case Outside::account: return "the account is not covered";
    case Outside::service_tier: return "the service tier is left out of this report";
    case Outside::token_class: return "the report does not cover this class";
  }
  return "";
}

std::string per_million(const Rational& price) {
  return short_number(price * Rational::ratio(1'000'000, pico_per_unit)) + " per million";
}

std::string conserved(const Grain& grain, std::span<const VariancePart> parts,
                      const Variance& variance) {
  return short_number(variance.figure) + " units that we have at " +
         cell_label(grain, grain.cells[parts[0].cell].key) + " stand at " +
         cell_label(grain, grain.cells[parts[1].cell].key);
}

std::string unit_price(const Grain& grain, const Cell& cell) {
  if (cell.statement_quantity.is_zero())
    return "billed at nothing, ours is " + per_million(cell.price);
  return "theirs is " + per_million(cell.statement_amount / cell.statement_quantity) + ", ours " +
         per_million(cell.price) + " " + grain.currency.code();
}

}  // namespace

std::string evidence_sentence(const Grain& grain, const Matched& matched,
                              const Variance& variance) {
  const auto parts = matched.parts_of(variance);
  const auto& cell = grain.cells[parts.front().cell];
  switch (variance.evidence) {
    case Evidence::declared:
      if (cell.key.outside != Outside::no) return std::string(reason_of(cell.key.outside));
      return cell.key.kind == LineKind::tax
                 ? "the line is a tax"
                 : "the line is a fee or credit: " + std::string(grain.text(cell.key.token_class));
    case Evidence::other_currency: return "stated in another currency";
    case Evidence::conserved: return conserved(grain, parts, variance);
    case Evidence::repeated_line:
      return "one line stands there " + short_number(variance.figure) + " times";
    case Evidence::whole_multiple:
      return "theirs is " + short_number(variance.figure) + " times ours";
    case Evidence::tolerance: return "within the tolerance";
    case Evidence::absent:
      return variance.variance_class == VarianceClass::missing_in_ledger
                 ? "the ledger has no such usage"
                 : "no line of the statement speaks of it";
    case Evidence::unit_price: return unit_price(grain, cell);
    case Evidence::constant_ratio:
      return "the amounts of " + std::to_string(parts.size()) + " cells are all " +
             short_number(variance.figure) + " times ours";
    case Evidence::unpriced: return "we have no price for it";
    case Evidence::not_metered: return "the ledger meters no such thing";
    case Evidence::nothing_else:
      return "theirs is " + short_number(cell.statement_quantity) + ", ours " +
             short_number(cell.ledger_quantity) + "; no rule explains it";
  }
  return {};
}

}  // namespace gauger::billing
