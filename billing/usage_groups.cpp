#include "billing/usage_groups.h"

#include <algorithm>
#include <numeric>

namespace gauger::billing {

Result<uint32_t> UsageGroups::group_of(Instant from, Instant until) {
  if (from == latest_) return latest_group_;
  const auto known = by_period_.find(to_us(from));
  if (known != by_period_.end()) {
    latest_group_ = known->second;
  } else {
    TRY(latest_group_, find(from, until));
    by_period_.emplace(to_us(from), latest_group_);
  }
  latest_ = from;
  return latest_group_;
}

Result<uint32_t> UsageGroups::find(Instant from, Instant until) {
  const auto month = zone_.local_month(from);
  const Interval in_month{zone_.month_begin(month), zone_.month_begin(month + 1)};
  Interval interval = in_month;
  if (grouping_ == Grouping::day) {
    const auto day = zone_.local_day(from);
    interval = {zone_.day_begin(day), zone_.day_begin(day + 1)};
  }
  if (until > interval.until)
    return invalid_argument("the time zone " + zone_.name() + " begins a new " +
                            (grouping_ == Grouping::day ? "day" : "month") + " at " +
                            format_instant(interval.until) +
                            ", inside a usage period: it is off the ledger's grain");
  if (grouping_ == Grouping::period) interval = {from, until};
  const auto [found, added] =
      by_begin_.try_emplace(to_us(interval.from), static_cast<uint32_t>(groups_.size()));
  if (added) groups_.push_back({interval, month});
  return found->second;
}

namespace {

uint64_t mix(uint64_t value) {
  value ^= value >> 32;
  value *= 0xd6e8feb86659fd93ULL;
  value ^= value >> 32;
  value *= 0xd6e8feb86659fd93ULL;
  return value ^ (value >> 32);
}

uint64_t hash_of(uint32_t key, uint32_t choice, uint32_t group) {
  return mix((uint64_t{key} << 32 | choice) ^ mix(group + 1ULL));
}

bool has_tokens(const UsageRow& row) {
  return std::any_of(row.counts.begin(), row.counts.begin() + token_meter_count,
                     [](int64_t count) { return count != 0; });
}

bool add_count(int64_t& sum, int64_t count) { return !__builtin_add_overflow(sum, count, &sum); }

}  // namespace

Result<void> UsageCells::add(const UsageTable& usage, const UsageRow& row, uint32_t choice,
                             uint32_t group) {
  const auto index = find_or_add(row.key, choice, group);
  auto& cell = cells_[index];
  bool fits = add_count(cell.requests, row.requests);
  for (size_t i = 0; i < meter_count; ++i) fits &= add_count(cell.counts[i], row.counts[i]);
  if (row.counts[static_cast<size_t>(Meter::compute_us)] == 0 && has_tokens(row))
    fits &= add_count(cell.requests_untimed, row.requests);
  for (uint32_t i = 0; i < row.extras_count; ++i) {
    const auto& extra = usage.extras[row.extras_begin + i];
    auto& extras = extras_[index];
    const auto same = std::find_if(extras.begin(), extras.end(),
                                   [&](const auto& sum) { return sum.first == extra.name; });
    if (same == extras.end()) {
      extras.emplace_back(extra.name, extra.count);
    } else {
      fits &= add_count(same->second, extra.count);
    }
  }
  if (!fits) return Error{ErrorCode::overflow, "a sum of usage does not fit 64 bits"};
  return success();
}

uint32_t UsageCells::find_or_add(uint32_t key, uint32_t choice, uint32_t group) {
  const auto same = [&](const UsageCell& cell) {
    return cell.key == key && cell.choice == choice && cell.group == group;
  };
  if (!cells_.empty() && same(cells_[latest_])) return latest_;
  if (cells_.size() * 2 >= slots_.size()) grow();
  const auto mask = slots_.size() - 1;
  auto slot = hash_of(key, choice, group) & mask;
  while (slots_[slot] != 0) {
    if (same(cells_[slots_[slot] - 1])) return latest_ = slots_[slot] - 1;
    slot = (slot + 1) & mask;
  }
  cells_.push_back({key, choice, group, 0, 0, {}});
  slots_[slot] = static_cast<uint32_t>(cells_.size());
  return latest_ = slots_[slot] - 1;
}

void UsageCells::grow() {
  slots_.assign(std::max<size_t>(1024, slots_.size() * 4), 0);
  const auto mask = slots_.size() - 1;
  for (size_t i = 0; i < cells_.size(); ++i) {
    auto slot = hash_of(cells_[i].key, cells_[i].choice, cells_[i].group) & mask;
    while (slots_[slot] != 0) slot = (slot + 1) & mask;
    slots_[slot] = static_cast<uint32_t>(i + 1);
  }
}

std::vector<uint32_t> UsageCells::ordered(const UsageGroups& groups) const {
  std::vector<uint32_t> order(cells_.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    const auto& left = cells_[a];
    const auto& right = cells_[b];
    if (left.key != right.key) return left.key < right.key;
    if (left.group != right.group) return groups.begin(left.group) < groups.begin(right.group);
    return left.choice < right.choice;
  });
  return order;
}

std::vector<std::pair<StringId, int64_t>> UsageCells::extras_of(uint32_t index) const {
  const auto found = extras_.find(index);
  if (found == extras_.end()) return {};
  auto extras = found->second;
  std::sort(extras.begin(), extras.end());
  return extras;
}

}  // namespace gauger::billing
