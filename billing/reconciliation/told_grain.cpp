#include "billing/reconciliation/told_grain.h"

#include <algorithm>

#include "billing/reconciliation/token_class.h"

namespace gauger::billing {
namespace {

ToldDimensions both(ToldDimensions a, ToldDimensions b) {
  return {a.day && b.day, a.account && b.account, a.model && b.model,
          a.service_tier && b.service_tier, a.context_tier && b.context_tier};
}

// Of two classes that become one: told where either tells, but days only where both do.
ToldDimensions either(ToldDimensions a, ToldDimensions b) {
  return {a.day && b.day, a.account || b.account, a.model || b.model,
          a.service_tier || b.service_tier, a.context_tier || b.context_tier};
}

constexpr ToldDimensions nothing_yet{.day = true};
constexpr ToldDimensions everything_told{true, true, true, true, true};

}  // namespace

ToldGrain::OfStatement ToldGrain::read_statement(const Statement& statement) {
  OfStatement told;
  for (const auto& name : statement.coverage.token_classes) told.classes.insert(name);
  // By id first: there are many lines and few classes.
  std::map<TextId, ToldDimensions> by_id;
  for (const auto& line : statement.lines) {
    if (line.kind != LineKind::usage) continue;
    auto& dimensions = by_id.try_emplace(line.token_class, nothing_yet).first->second;
    dimensions.day = dimensions.day && line.days.until - line.days.from == 1;
    dimensions.account = dimensions.account || line.account != 0;
    dimensions.model = dimensions.model || line.model != 0;
    dimensions.service_tier = dimensions.service_tier || line.service_tier != 0;
    dimensions.context_tier = dimensions.context_tier || line.context_above != context_not_told;
  }
  for (const auto& [id, dimensions] : by_id) {
    const auto name = std::string(statement.texts.text(id));
    told.classes.insert(name);
    told.dimensions.emplace(name, dimensions);
  }
  return told;
}

void ToldGrain::read(const GrainInput& input, std::vector<std::string>& notes) {
  for (const auto& statement : input.statements) statements_.push_back(read_statement(statement));
  otherwise_ = everything_told;
  std::map<std::string, ToldDimensions, std::less<>> by_class;
  for (const auto& told : statements_) {
    if (told.dimensions.empty()) continue;
    auto all = nothing_yet;
    std::map<std::string, ToldDimensions, std::less<>> folded;
    for (const auto& [name, dimensions] : told.dimensions) {
      auto& of_class = folded.try_emplace(std::string(fold(name)), nothing_yet).first->second;
      of_class = either(of_class, dimensions);
      all = either(all, dimensions);
    }
    for (const auto& [name, dimensions] : folded) {
      auto& of_class = by_class.try_emplace(name, everything_told).first->second;
      of_class = both(of_class, dimensions);
    }
    otherwise_ = both(otherwise_, all);
  }
  by_class_ = std::move(by_class);
  account_told_ = false;
  for (const auto& rated : input.rated)
    for (const auto& key : rated.keys)
      account_told_ = account_told_ || (key.provider_account.value != 0 &&
                                        rated.text(key.provider) == input.provider);
  if (!account_told_ && otherwise_.account)
    notes.emplace_back("the ledger names no accounts of this provider: they are not told apart");
  read_context(input, notes);
}

void ToldGrain::read_context(const GrainInput& input, std::vector<std::string>& notes) {
  const auto& kept = input.context_boundaries;
  cuts_.insert(0);
  for (const auto& statement : input.statements) {
    bool told = false;
    for (const auto& line : statement.lines)
      if (line.context_above != context_not_told) {
        cuts_.insert(line.context_above);
        told = true;
      }
    if (!told) continue;
    const bool anthropic = statement.format == StatementFormat::anthropic_cost ||
                           statement.format == StatementFormat::anthropic_usage;
    // Anthropic's windows are two; everybody else repeats the boundaries that we have.
    if (anthropic)
      cuts_.insert(200'000);
    else
      cuts_.insert(kept.begin(), kept.end());
  }
  for (const auto cut : cuts_) {
    if (cut == 0 || std::find(kept.begin(), kept.end(), cut) != kept.end()) continue;
    context_told_ = false;
    notes.push_back("the statement has a context boundary of " + std::to_string(cut) +
                    " tokens, which the ledger does not keep: context tiers are not told apart");
    return;
  }
}

std::string_view ToldGrain::fold(std::string_view token_class) const {
  const auto known = folded_.find(token_class);
  if (known != folded_.end()) return known->second;
  std::string folded(token_class);
  for (const auto& told : statements_)
    folded = std::string(
        told_class(folded, [&](std::string_view name) { return told.classes.contains(name); }));
  return folded_.emplace(std::string(token_class), folded).first->second;
}

ToldDimensions ToldGrain::of(std::string_view folded_class) const {
  const auto found = by_class_.find(folded_class);
  auto told = found == by_class_.end() ? otherwise_ : found->second;
  told.account = told.account && account_told_;
  told.context_tier = told.context_tier && context_told_;
  return told;
}

int64_t ToldGrain::fold_context(int64_t context_above) const {
  return *std::prev(cuts_.upper_bound(context_above));
}

}  // namespace gauger::billing
