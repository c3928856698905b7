// Transfers that meet in one cell, so that no pair of cells conserves the quantity: a set of
// neighbours that together adds up to nothing is explained by what flows between them. And a cell
// that is stated twice after something moved into it or out of it.
#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

#include "billing/reconciliation/rules/repeated_lines.h"
#include "billing/reconciliation/rules/rules.h"
#include "billing/reconciliation/token_class.h"

namespace gauger::billing {
namespace {

// Larger sets explain too much: with enough cells something always adds up to nothing.
constexpr size_t cells_of_a_set_max = 5;
// Neighbours of one cell; a cell with more says nothing about which of them it was.
constexpr size_t neighbours_max = 12;
// Sets looked at in all, so that a statement in which everything differs is answered in time.
constexpr size_t sets_max = 2'000'000;

struct Edge {
  size_t to;  // position in the graph
  VarianceClass variance_class;
};

class TransferGraph {
 public:
  explicit TransferGraph(OpenDifferences& open) : open_(open) {
    nodes_ = open.select([&](size_t i) { return open.has_quantity(i); });
    edges_.resize(nodes_.size());
    for (size_t i = 0; i < nodes_.size(); ++i) index_.emplace(key(i), i);
    for (size_t i = 0; i < nodes_.size(); ++i) add_next_day(i);
    add_groups(
        [](const CellKey& k) { return std::tuple(k.day, k.account, k.model, k.token_class); },
        VarianceClass::tier, [](const CellKey&) { return true; });
    add_groups(
        [](const CellKey& k) {
          return std::tuple(k.day, k.account, k.model, k.service_tier, k.context_above);
        },
        VarianceClass::cache_class,
        [&](const CellKey& k) { return is_input_class(open_.grain().text(k.token_class)); });
  }

  void explain_duplicates() {
    for (size_t node = 0; node < nodes_.size(); ++node)
      if (!explain_repeated(node) && !explain_multiple(node, 2)) explain_multiple(node, 3);
  }

  void explain_flows() {
    // Smaller sets are better evidence.
    for (size_t size = 2; size <= cells_of_a_set_max; ++size)
      for (size_t node = 0; node < nodes_.size(); ++node) {
        if (quantity(node).is_zero()) continue;
        std::vector<size_t> set{node};
        grow(set, size, node);
      }
  }

 private:
  const CellKey& key(size_t node) const { return open_.key(nodes_[node]); }
  const Rational& quantity(size_t node) const { return open_.at(nodes_[node]).quantity; }

  void connect(size_t a, size_t b, VarianceClass variance_class) {
    if (edges_[a].size() >= neighbours_max || edges_[b].size() >= neighbours_max) return;
    edges_[a].push_back({b, variance_class});
    edges_[b].push_back({a, variance_class});
  }

  void add_next_day(size_t node) {
    auto next = key(node);
    ++next.day;
    const auto found = index_.find(next);
    if (found != index_.end()) connect(node, found->second, VarianceClass::cut_off);
  }

  template <class Same, class Wanted>
  void add_groups(Same&& same, VarianceClass variance_class, Wanted&& wanted) {
    std::map<decltype(same(CellKey())), std::vector<size_t>> groups;
    for (size_t i = 0; i < nodes_.size(); ++i)
      if (wanted(key(i))) groups[same(key(i))].push_back(i);
    for (const auto& [what, group] : groups)
      for (size_t i = 0; i < group.size(); ++i)
        for (size_t j = 0; j < i; ++j) connect(group[j], group[i], variance_class);
  }

  const Edge* edge(size_t a, size_t b) const {
    for (const auto& found : edges_[a])
      if (found.to == b) return &found;
    return nullptr;
  }

  // A cell that is stated `times` times, after a neighbour lost or gained what explains the rest.
  bool explain_multiple(size_t node, Int128 times) {
    const auto& cell = open_.cell(nodes_[node]);
    const auto stated = cell.statement_quantity / Rational(times);
    if (stated.is_zero() || quantity(node) != cell.statement_quantity - cell.ledger_quantity)
      return false;
    return explain_duplicate(node, cell.statement_quantity - stated, Evidence::whole_multiple,
                             Rational(times));
  }

  bool explain_repeated(size_t node) {
    for (const auto& [line, times, each] : repeated_lines(open_, nodes_[node]))
      if (explain_duplicate(node, each * Rational(Int128{times - 1}), Evidence::repeated_line,
                            Rational(Int128{times})))
        return true;
    return false;
  }

  bool explain_duplicate(size_t node, const Rational& excess, Evidence evidence,
                         const Rational& times) {
    const auto moved = quantity(node) - excess;
    if (moved.is_zero()) return false;
    for (const auto& neighbour : edges_[node]) {
      if (quantity(neighbour.to) != -moved) continue;
      open_.begin(VarianceClass::duplicate, evidence, times);
      open_.take_quantity(nodes_[node], excess);
      flow(neighbour.to, node, neighbour.variance_class, moved);
      return true;
    }
    return false;
  }

  void flow(size_t from, size_t to, VarianceClass variance_class, const Rational& moved) {
    if (moved.is_zero()) return;
    const bool back = moved.is_negative();
    open_.begin(variance_class, Evidence::conserved, back ? -moved : moved);
    open_.take_quantity(nodes_[from], -moved);
    open_.take_quantity(nodes_[to], moved);
  }

  // Connected sets of `size` cells around the first, of which it has the lowest position.
  bool grow(std::vector<size_t>& set, size_t size, size_t first) {
    if (set.size() == size) return explain_set(set);
    for (size_t member = 0; member < set.size(); ++member)
      for (const auto& found : edges_[set[member]]) {
        if (found.to <= first || quantity(found.to).is_zero() ||
            std::find(set.begin(), set.end(), found.to) != set.end())
          continue;
        if (++sets_ > sets_max) return true;
        set.push_back(found.to);
        if (grow(set, size, first)) return true;
        set.pop_back();
      }
    return false;
  }

  // In a tree over the set, an edge carries what lies beyond it.
  bool explain_set(const std::vector<size_t>& set) {
    Rational sum;
    for (const auto node : set) sum += quantity(node);
    if (!sum.is_zero()) return false;
    struct Branch {
      size_t node;
      size_t parent;
      VarianceClass variance_class;
      Rational beyond;
    };
    std::vector<Branch> tree{{set.front(), set.front(), VarianceClass::quantity, {}}};
    for (size_t i = 0; i < tree.size(); ++i)
      for (const auto node : set) {
        if (std::any_of(tree.begin(), tree.end(), [&](const auto& b) { return b.node == node; }))
          continue;
        if (const auto* found = edge(tree[i].node, node))
          tree.push_back({node, i, found->variance_class, {}});
      }
    if (tree.size() != set.size()) return false;
    for (auto& branch : tree) branch.beyond = quantity(branch.node);
    for (size_t i = tree.size() - 1; i > 0; --i) tree[tree[i].parent].beyond += tree[i].beyond;
    for (size_t i = 1; i < tree.size(); ++i)
      flow(tree[tree[i].parent].node, tree[i].node, tree[i].variance_class, tree[i].beyond);
    return true;
  }

  OpenDifferences& open_;
  std::vector<size_t> nodes_;
  std::vector<std::vector<Edge>> edges_;
  std::map<CellKey, size_t> index_;
  size_t sets_ = 0;
};

}  // namespace

void explain_overlaps(OpenDifferences& open) {
  TransferGraph graph(open);
  graph.explain_duplicates();
  graph.explain_flows();
}

}  // namespace gauger::billing
