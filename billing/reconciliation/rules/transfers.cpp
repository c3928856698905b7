// Rules whose evidence is conservation: what one cell lacks, its neighbour has, to the last token.
#include <algorithm>
#include <map>
#include <tuple>

#include "billing/reconciliation/rules/rules.h"
#include "billing/reconciliation/token_class.h"

namespace gauger::billing {
namespace {

// The part of a key that stays the same in a transfer of each kind.
auto other_days(const CellKey& key) {
  return std::tuple(key.account, key.model, key.service_tier, key.token_class, key.context_above);
}
auto other_tiers(const CellKey& key) {
  return std::tuple(key.day, key.account, key.model, key.token_class);
}
auto other_classes(const CellKey& key) {
  return std::tuple(key.day, key.account, key.model, key.service_tier, key.context_above);
}

void transfer(OpenDifferences& open, VarianceClass variance_class, size_t from, size_t to,
              const Rational& quantity) {
  open.begin(variance_class, Evidence::conserved, quantity);
  open.take_quantity(from, -quantity);
  open.take_quantity(to, quantity);
}

// Cells in groups of those that `same` maps to one value, in order within the group.
template <class Same, class Less>
std::vector<std::vector<size_t>> groups_of(const OpenDifferences& open, std::vector<size_t> cells,
                                           Same&& same, Less&& less) {
  std::sort(cells.begin(), cells.end(), [&](size_t a, size_t b) {
    const auto x = same(open.key(a));
    const auto y = same(open.key(b));
    return x != y ? x < y : less(open.key(a), open.key(b));
  });
  std::vector<std::vector<size_t>> groups;
  for (const auto index : cells) {
    if (groups.empty() || same(open.key(groups.back().front())) != same(open.key(index)))
      groups.emplace_back();
    groups.back().push_back(index);
  }
  return groups;
}

// Within a run of neighbouring days, the shortest stretches that add up to nothing: prefix sums
// that come back to a value they had. What flows from day to day is the sum so far.
void explain_run(OpenDifferences& open, std::span<const size_t> run) {
  std::map<Rational, size_t> seen;  // prefix sum -> how many cells it sums
  Rational sum;
  seen.emplace(sum, 0);
  for (size_t i = 0; i < run.size(); ++i) {
    sum += open.at(run[i]).quantity;
    const auto before = seen.find(sum);
    if (before == seen.end()) {
      seen.emplace(sum, i + 1);
      continue;
    }
    const auto first = before->second;
    for (size_t j = first; j < i; ++j) {
      const auto left = open.at(run[j]).quantity;
      transfer(open, VarianceClass::cut_off, run[j], run[j + 1], -left);
    }
    // Stretches do not overlap: begin anew after this one.
    seen.clear();
    seen.emplace(sum, i + 1);
  }
}

// Pairs of a group of which one lacks exactly what the other has.
void explain_pairs(OpenDifferences& open, VarianceClass variance_class,
                   std::span<const size_t> group) {
  std::multimap<Rational, size_t> lacking;
  for (const auto index : group)
    if (open.at(index).quantity.is_negative()) lacking.emplace(-open.at(index).quantity, index);
  for (const auto index : group) {
    const auto quantity = open.at(index).quantity;
    if (quantity.is_negative() || quantity.is_zero()) continue;
    const auto found = lacking.find(quantity);
    if (found == lacking.end()) continue;
    transfer(open, variance_class, found->second, index, quantity);
    lacking.erase(found);
  }
}

std::vector<size_t> with_quantity(const OpenDifferences& open) {
  return open.select([&](size_t i) { return open.has_quantity(i); });
}

}  // namespace

void explain_cut_off(OpenDifferences& open) {
  const auto by_day = [](const CellKey& a, const CellKey& b) { return a.day < b.day; };
  for (const auto& group : groups_of(open, with_quantity(open), other_days, by_day))
    for (size_t begin = 0; begin < group.size();) {
      auto end = begin + 1;
      while (end < group.size() && open.key(group[end]).day == open.key(group[end - 1]).day + 1)
        ++end;
      if (end - begin > 1) explain_run(open, std::span(group).subspan(begin, end - begin));
      begin = end;
    }
}

void explain_tiers(OpenDifferences& open) {
  for (const auto& group : groups_of(open, with_quantity(open), other_tiers, std::less<>()))
    if (group.size() > 1) explain_pairs(open, VarianceClass::tier, group);
}

void explain_cache_classes(OpenDifferences& open) {
  const auto& grain = open.grain();
  std::map<TextId, bool> input;
  auto cells = open.select([&](size_t i) {
    if (!open.has_quantity(i)) return false;
    const auto id = open.key(i).token_class;
    const auto found = input.find(id);
    if (found != input.end()) return found->second;
    return input.emplace(id, is_input_class(grain.text(id))).first->second;
  });
  for (const auto& group : groups_of(open, std::move(cells), other_classes, std::less<>()))
    if (group.size() > 1) explain_pairs(open, VarianceClass::cache_class, group);
}

}  // namespace gauger::billing
