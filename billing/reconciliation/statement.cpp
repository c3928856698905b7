#include "billing/reconciliation/statement.h"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "schemas/verify.h"

namespace gauger::billing {

TextId Texts::id_of(std::string_view text) {
  const auto found = ids_.find(text);
  if (found != ids_.end()) return found->second;
  const auto id = static_cast<TextId>(texts_.size());
  texts_.emplace_back(text);
  ids_.emplace(std::string(text), id);
  return id;
}

std::optional<TextId> Texts::find(std::string_view text) const {
  const auto found = ids_.find(text);
  if (found == ids_.end()) return std::nullopt;
  return found->second;
}

bool Coverage::covers_day(int32_t day) const {
  return std::any_of(days.begin(), days.end(),
                     [day](const DayRange& range) { return range.contains(day); });
}

DayRange Coverage::whole() const {
  return days.empty() ? DayRange{} : DayRange{days.front().from, days.back().until};
}

void Coverage::add(DayRange range) {
  if (range.from >= range.until) return;
  // Reports come in order: most days touch the last range.
  if (!days.empty() && days.back().from <= range.from && range.from <= days.back().until) {
    days.back().until = std::max(days.back().until, range.until);
    return;
  }
  days.push_back(range);
  std::sort(days.begin(), days.end());
  std::vector<DayRange> joined;
  for (const auto& next : days) {
    if (joined.empty() || joined.back().until < next.from)
      joined.push_back(next);
    else
      joined.back().until = std::max(joined.back().until, next.until);
  }
  days = std::move(joined);
}

bool Statement::tells_quantities() const {
  return std::any_of(lines.begin(), lines.end(), [](const auto& line) {
    return line.kind == LineKind::usage && line.has_quantity;
  });
}

bool Statement::tells_amounts() const {
  return std::any_of(lines.begin(), lines.end(), [](const auto& line) { return line.has_amount; });
}

std::string Statement::id() const {
  return provider + "/" + std::string(to_string(format)) + "/" + format_day(coverage.whole().from);
}

}  // namespace gauger::billing
