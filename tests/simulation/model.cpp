#include "tests/simulation/model.h"

#include <algorithm>

namespace gauger::simulation {
namespace {

using ledger::Disposition;
using ledger::EventKind;

// Half to even, of non-negative pico-units into cents, by hand.
Int128 cents(Int128 pico) {
  const Int128 cent = 10'000'000'000;
  const auto whole = pico / cent;
  const auto twice = (pico % cent) * 2;
  return whole + (twice > cent || (twice == cent && whole % 2 != 0) ? 1 : 0);
}

}  // namespace

std::string team_of(const std::string& id) {
  return id.back() % 3 == 0 ? "research" : std::string(billed_team);
}

int64_t to_minutes(Instant instant) {
  return std::chrono::floor<std::chrono::minutes>(instant.time_since_epoch()).count();
}

std::optional<size_t> month_of_minutes(int64_t minutes) {
  for (size_t month = 0; month < months.size(); ++month)
    if (format_instant(Instant(std::chrono::minutes{minutes})).starts_with(months[month]))
      return month;
  return std::nullopt;
}

Disposition Model::decide(const LogRecord& record) {
  if (record.poison) return Disposition::quarantined;
  const auto& event = record.event;
  if (event.kind == EventKind::usage) {
    const Instant completed_at{std::chrono::minutes{event.time}};
    if (completed_at > block_time + limits::future_tolerance ||
        completed_at < block_time - limits::admission_window)
      return Disposition::quarantined;
  }
  const auto fate = usage.apply(event);
  if (fate == Disposition::accepted && !event.reserves.empty()) use_reservation(event);
  return fate;
}

void Model::use_reservation(const testing::ModelEvent& event) {
  // Use outside of the quota's scope leaves it as it was, but ends the hold.
  const auto used = team_of(event.id) == billed_team ? event.content : 0;
  if (const auto found = held.find(event.reserves); found != held.end()) {
    overrun += std::max<int64_t>(0, used - found->second.tokens);
    ended.insert(event.reserves);
    held.erase(found);
  } else if (ended.contains(event.reserves)) {
    overrun += used;
  }
}

void Model::deliver(const SimulatedSource::Delivered& delivered, Instant now) {
  block_time = std::max(block_time, now);
  const auto [entry, fresh] = positions.try_emplace(delivered.partition);
  auto& position = entry->second;
  if (!fresh) position.gaps += static_cast<uint64_t>(delivered.offset - position.next_offset);
  position.next_offset = delivered.offset + 1;
  ++position.records;
  take(*delivered.record);
}

void Model::deliver(const std::vector<LogRecord>& request, Instant now) {
  block_time = std::max(block_time, now);
  for (const auto& record : request) take(record);
}

void Model::take(const LogRecord& record) {
  const auto fate = decide(record);
  ++records[static_cast<size_t>(fate)];
  if (fate == Disposition::quarantined || fate == Disposition::conflict)
    quarantined.insert(*record.bytes);
}

int64_t Model::tokens_of_quota() const {
  int64_t sum = 0;
  for (const auto& [id, used] : usage.usage())
    if (!used.retracted && team_of(id) == billed_team && month_of_minutes(used.time) == 1)
      sum += used.input;
  return sum;
}

int64_t Model::held_of_quota() const {
  int64_t sum = 0;
  for (const auto& [id, hold] : held) sum += hold.tokens;
  return sum;
}

Int128 Model::cost(size_t month, size_t price_of_month) const {
  Int128 tokens = 0;
  for (const auto& [id, used] : usage.usage())
    if (!used.retracted && team_of(id) == billed_team && month_of_minutes(used.time) == month)
      tokens += used.input;
  return cents(tokens * prices[price_of_month]);
}

std::map<std::pair<std::string, int>, std::pair<int64_t, int64_t>> Model::sums() const {
  std::map<std::pair<std::string, int>, std::pair<int64_t, int64_t>> sums;
  for (const auto& [id, used] : usage.usage()) {
    if (used.retracted) continue;
    auto& [requests, input] = sums[{team_of(id), static_cast<int>(used.outcome)}];
    ++requests;
    input += used.input;
  }
  return sums;
}

}  // namespace gauger::simulation
