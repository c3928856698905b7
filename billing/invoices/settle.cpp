#include "billing/invoices/settle.h"

#include <algorithm>
#include <map>

#include "billing/allocation.h"

namespace gauger::billing {
namespace {

using ByBlocker = std::map<std::string, const Decision*, std::less<>>;

struct Grouped {
  Blocker sum;
  std::vector<const Blocker*> parts;
};

std::map<std::string, Grouped> group(std::span<const Blocker> blockers) {
  std::map<std::string, Grouped> groups;
  for (const auto& blocker : blockers) {
    auto& grouped = groups[blocker_id(blocker.kind, blocker.subject)];
    if (grouped.parts.empty()) {
      grouped.sum = blocker;
      grouped.sum.subject.team.clear();
      grouped.sum.subject.project.clear();
    } else {
      grouped.sum.quantity += blocker.quantity;
    }
    grouped.parts.push_back(&blocker);
  }
  return groups;
}

// Lines that decisions add are rounded with those that were not allocated from above.
RatedPart& open_part(RatedMonth& month) {
  for (auto& part : month.parts)
    if (!part.allocated) return part;
  return month.parts.emplace_back();
}

void add_line(RatedMonth& month, InvoiceLine line, const Currency& currency) {
  auto& part = open_part(month);
  part.lines.push_back(std::move(line));
  Rational exact;
  for (const auto& one : part.lines) exact += one.amount;
  part.total_minor = round_total(exact, currency);
}

void add_provisional(RatedMonth& month, const Grouped& grouped, const Decision& decision,
                     const Currency& currency) {
  std::map<std::pair<std::string, std::string>, InvoiceLine> lines;
  for (const auto* blocker : grouped.parts) {
    auto& line = lines[{blocker->subject.team, blocker->subject.project}];
    const auto quantity = line.quantity + blocker->quantity;
    line = blocker->subject;
    line.quantity = quantity;
  }
  for (auto& [who, line] : lines) {
    line.rule = {.document = "provisional",
                 .version = format_instant(decision.at),
                 .label = "provisional price",
                 .item = line.item,
                 .price = *decision.price};
    line.amount = amount_of(*decision.price, line.quantity);
    add_line(month, std::move(line), currency);
  }
}

// What was waived while it had no price is not charged once it has one.
void take_waived(RatedMonth& month, std::string_view id, int64_t quantity,
                 const Currency& currency) {
  std::vector<InvoiceLine> waived;
  for (const auto& part : month.parts) {
    for (const auto& line : part.lines) {
      if (line.kind != ChargeKind::usage || line.quantity <= 0 || quantity <= 0) continue;
      if (blocker_id(BlockerKind::unpriced, line) != id) continue;
      auto taken = line;
      taken.quantity = std::min(quantity, line.quantity);
      taken.amount = line.amount * Rational::ratio(taken.quantity, line.quantity);
      quantity -= taken.quantity;
      taken.quantity = -taken.quantity;
      taken.amount = -taken.amount;
      taken.rule.label = "waived";
      waived.push_back(std::move(taken));
    }
  }
  for (auto& line : waived) add_line(month, std::move(line), currency);
}

bool covers(const Decision& decision, const Blocker& blocker) {
  return decision.action == DecisionAction::provisional_price ||
         blocker.quantity <= decision.quantity;
}

bool decidable(BlockerKind kind) {
  return kind != BlockerKind::incomplete && kind != BlockerKind::unallocated;
}

}  // namespace

Settled settle(RatedMonth month, std::span<const Blocker> blockers,
               std::span<const Decision> decisions, const Currency& currency) {
  ByBlocker by_blocker;
  for (const auto& decision : decisions) by_blocker[decision.blocker] = &decision;
  Settled settled;
  const auto groups = group(blockers);
  for (const auto& [id, grouped] : groups) {
    auto blocker = grouped.sum;
    const auto found = by_blocker.find(id);
    if (found == by_blocker.end() || !decidable(blocker.kind)) {
      settled.open.push_back({id, std::move(blocker)});
    } else if (!covers(*found->second, blocker)) {
      blocker.sentence += "; " + std::to_string(found->second->quantity) + " were decided, it is " +
                          std::to_string(blocker.quantity) + " now";
      settled.open.push_back({id, std::move(blocker)});
    } else {
      if (found->second->action == DecisionAction::provisional_price)
        add_provisional(month, grouped, *found->second, currency);
      settled.settled.push_back({std::move(blocker), *found->second});
    }
  }
  for (const auto& [id, decision] : by_blocker)
    if (decision->action == DecisionAction::waive)
      take_waived(month, id, decision->quantity, currency);
  settled.month = std::move(month);
  return settled;
}

Result<void> check(const Decision& decision, const OpenBlocker& blocker) {
  const auto kind = blocker.blocker.kind;
  if (!decidable(kind))
    return invalid_argument("'" + blocker.id +
                            "' is settled by time or by closing the month; it cannot be decided");
  if (decision.action == DecisionAction::provisional_price && kind != BlockerKind::unpriced)
    return invalid_argument("a provisional price decides unpriced quantities, not '" + blocker.id +
                            "'");
  if ((decision.action == DecisionAction::provisional_price) != decision.price.has_value())
    return invalid_argument("a price goes with provisional_price, and only there");
  if (decision.reason.empty() || decision.by.empty())
    return invalid_argument("a decision says who decided and why");
  return success();
}

std::string how_to_decide(const OpenBlocker& blocker) {
  const auto decide = "gauger invoice decide --blocker '" + blocker.id + "' --action ";
  switch (blocker.blocker.kind) {
    case BlockerKind::unpriced:
      return decide + "provisional-price --price '5 per million'|defer|waive";
    case BlockerKind::estimated:
    case BlockerKind::missing:
    case BlockerKind::quarantined:
    case BlockerKind::conflicting: return decide + "defer|waive";
    case BlockerKind::incomplete: return "wait for the month's end, or --force --reason";
    case BlockerKind::unallocated: return "gauger allocation close, or --force --reason";
  }
  return {};
}

}  // namespace gauger::billing
