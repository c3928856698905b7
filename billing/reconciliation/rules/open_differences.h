// What is not explained yet, cell by cell, and how a rule takes its part of it. Private to
// billing/reconciliation/rules.
#pragma once

#include <unordered_map>
#include <vector>

#include "billing/reconciliation/variance.h"

namespace gauger::billing {

// A cell that differs. The quantity may be taken in pieces, each worth its number times our price;
// the price effect is taken whole.
struct OpenCell {
  uint32_t cell = 0;
  Rational quantity;
  Rational price_effect;
};

class OpenDifferences {
 public:
  OpenDifferences(const Grain& grain, std::span<const Statement> statements, Tolerance tolerance);

  size_t size() const { return open_.size(); }
  const OpenCell& at(size_t index) const { return open_[index]; }
  const Cell& cell(size_t index) const { return grain_.cells[open_[index].cell]; }
  const CellKey& key(size_t index) const { return cell(index).key; }
  const Grain& grain() const { return grain_; }
  std::span<const Statement> statements() const { return statements_; }
  std::span<const CellLine> lines_of(size_t index) const;
  // Left of the cell's difference in money.
  Rational amount(size_t index) const;
  // The amount is too small to matter beside our side of the cell.
  bool is_small(size_t index, const Rational& amount) const;
  // Usage that the statement covers, with some quantity left.
  bool has_quantity(size_t index) const;
  // Positions of cells of which `wanted` holds.
  template <class Wanted>
  std::vector<size_t> select(Wanted&& wanted) const {
    std::vector<size_t> found;
    for (size_t i = 0; i < open_.size(); ++i)
      if (wanted(i)) found.push_back(i);
    return found;
  }

  // A variance is begun, takes parts, and is ended by the next one.
  void begin(VarianceClass variance_class, Evidence evidence, Rational figure = {});
  void take_quantity(size_t index, Rational quantity);
  void take_price(size_t index);
  void take_price(size_t index, Rational effect);
  // All that is left, as one part. For amounts without quantities `as_price` says that it is the
  // price that differs.
  void take_all(size_t index, bool as_price = false);

  Matched finish(uint64_t matched_cells) &&;

 private:
  void add(size_t index, const Rational& quantity, const Rational& quantity_effect,
           const Rational& price_effect);

  const Grain& grain_;
  std::span<const Statement> statements_;
  Tolerance tolerance_;
  std::vector<OpenCell> open_;
  Matched matched_;
};

}  // namespace gauger::billing
