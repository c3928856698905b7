// Rules whose evidence is repetition.
#include "billing/reconciliation/rules/repeated_lines.h"
#include "billing/reconciliation/rules/rules.h"

namespace gauger::billing {
namespace {

constexpr Int128 times_max = 10;

}  // namespace

void explain_repeated_references(OpenDifferences& open) {
  for (const auto index : open.select([&](size_t i) { return open.has_quantity(i); }))
    for (const auto& [line, times, each] : repeated_lines(open, index)) {
      if (line->reference == 0) continue;
      open.begin(VarianceClass::duplicate, Evidence::repeated_line, Rational(Int128{times}));
      open.take_quantity(index, each * Rational(Int128{times - 1}));
    }
}

void explain_duplicates(OpenDifferences& open) {
  for (const auto index : open.select([&](size_t i) { return open.has_quantity(i); })) {
    const auto& cell = open.cell(index);
    const auto excess = open.at(index).quantity;
    bool explained = false;
    for (const auto& [line, times, each] : repeated_lines(open, index)) {
      if (explained) continue;
      const auto more = excess / each;
      if (!more.is_whole() || more.is_negative() || more >= Rational(Int128{times})) continue;
      open.begin(VarianceClass::duplicate, Evidence::repeated_line, more + Rational(Int128{1}));
      open.take_quantity(index, excess);
      explained = true;
    }
    if (explained || cell.ledger_quantity.is_zero()) continue;
    const auto times = cell.statement_quantity / cell.ledger_quantity;
    if (excess != cell.statement_quantity - cell.ledger_quantity || !times.is_whole() ||
        times < Rational(Int128{2}) || times > Rational(times_max))
      continue;
    open.begin(VarianceClass::duplicate, Evidence::whole_multiple, times);
    open.take_quantity(index, excess);
  }
}

}  // namespace gauger::billing
