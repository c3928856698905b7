#include "ledger/reservation_book.h"

#include <algorithm>

#include "ledger/bytes.h"
#include "schemas/limits.h"

namespace gauger::ledger {
namespace {

// How many forgotten reservations a write may remove: a little at a time, behind the traffic.
constexpr size_t forgotten_per_write_max = 64;

std::string name_of(std::string_view name_space, std::string_view id) {
  std::string name(name_space);
  name += '\0';
  name += id;
  return name;
}
std::string name_of(const Reservation& reservation) {
  return name_of(reservation.name_space, reservation.id);
}

std::string expiry_key(const Reservation& reservation) {
  std::string key = "X";
  put_key_u64(key, static_cast<uint64_t>(to_us(reservation.expires_at)));
  return key + name_of(reservation);
}

std::string side_key(std::string_view name_space, std::string_view quota, uint32_t period) {
  auto key = "S" + name_of(name_space, quota) + '\0';
  put_key_u32(key, period);
  return key;
}

Result<QuotaSide> decode_side(std::string_view key, std::string_view value) {
  const auto damaged = [] { return corruption("a quota's side balance is damaged"); };
  const auto first = key.find('\0');
  const auto second = first == key.npos ? key.npos : key.find('\0', first + 1);
  if (second == key.npos || key.size() - second != 1 + sizeof(uint32_t)) return damaged();
  QuotaSide side;
  side.name_space = std::string(key.substr(1, first - 1));
  side.quota = std::string(key.substr(first + 1, second - first - 1));
  side.period = ByteReader(key.substr(second + 1)).get_key_u32();
  ByteReader reader(value);
  side.moved = reader.get<Int128>();
  side.overrun = reader.get<Int128>();
  if (!reader.complete()) return damaged();
  return side;
}

}  // namespace

Result<void> ReservationBook::load(const Store& store, std::chrono::minutes grain) {
  grain_ = grain;
  TRY(store.scan(Family::reservations, "L", "M",
                 [&](std::string_view, std::string_view value) -> Result<bool> {
                   TRY(auto reservation, decode_reservation(value));
                   by_expiry_[{reservation.expires_at, name_of(reservation)}] = true;
                   auto name = name_of(reservation);
                   live_.emplace(std::move(name), std::move(reservation));
                   return true;
                 }));
  return store.scan(Family::reservations, "S", "T",
                    [&](std::string_view key, std::string_view value) -> Result<bool> {
                      TRY(const auto side, decode_side(key, value));
                      sides_[std::string(key)] = {side.moved, side.overrun};
                      return true;
                    });
}

const Reservation* ReservationBook::live(std::string_view name_space, std::string_view id) const {
  const auto found = live_.find(name_of(name_space, id));
  return found == live_.end() ? nullptr : &found->second;
}

std::vector<const Reservation*> ReservationBook::live() const {
  std::vector<const Reservation*> all;
  for (const auto& [name, reservation] : live_) all.push_back(&reservation);
  return all;
}

std::vector<QuotaSide> ReservationBook::sides() const {
  std::vector<QuotaSide> all;
  for (const auto& [key, side] : sides_) {
    std::string value;
    put(value, side.moved);
    put(value, side.overrun);
    all.push_back(decode_side(key, value).value());
  }
  return all;
}

Result<std::optional<Reservation>> ReservationBook::ended(const Store& store,
                                                          std::string_view name_space,
                                                          std::string_view id) const {
  const auto name = name_of(name_space, id);
  if (const auto found = ended_.find(name); found != ended_.end())
    return std::optional(found->second.reservation);
  TRY(const auto value, store.get(Family::reservations, "E" + name));
  if (!value) return std::optional<Reservation>();
  TRY(auto reservation, decode_reservation(*value));
  return std::optional(std::move(reservation));
}

ReservationRecord ReservationBook::grant(Reservation reservation) {
  ReservationRecord record;
  record.step = ReservationStep::grant;
  record.reservation = reservation;
  by_expiry_[{reservation.expires_at, name_of(reservation)}] = true;
  auto name = name_of(reservation);
  live_.emplace(std::move(name), std::move(reservation));
  return record;
}

ReservationRecord ReservationBook::settle(const Reservation& live, std::vector<Int128> amounts) {
  ReservationRecord record;
  record.step = ReservationStep::settle;
  auto& reservation = live_.at(name_of(live));
  for (size_t i = 0; i < reservation.holds.size(); ++i) {
    record.before.push_back(reservation.holds[i].amount);
    reservation.holds[i].amount = amounts[i];
  }
  record.reservation = reservation;
  return record;
}

ReservationRecord ReservationBook::end(ReservationStep step, const Reservation& live) {
  ReservationRecord record;
  record.step = step;
  auto name = name_of(live);
  record.reservation = std::move(live_.at(name));
  live_.erase(name);
  by_expiry_.erase({record.reservation.expires_at, name});
  ended_.insert_or_assign(std::move(name), Ended{record.reservation, UINT64_MAX});
  return record;
}

Result<std::optional<ReservationRecord>> ReservationBook::use(const Store& store,
                                                              const ReservedUsage& usage) {
  std::optional<ReservationRecord> record;
  if (const auto* found = live(usage.name_space, usage.reservation)) {
    record = end(ReservationStep::use, *found);
  } else {
    TRY(auto gone, ended(store, usage.name_space, usage.reservation));
    if (!gone) return record;
    record.emplace();
    record->step = ReservationStep::late;
    record->reservation = std::move(*gone);
  }
  record->event_period = usage.period;
  const bool in_time = record->step == ReservationStep::use;
  for (const auto& hold : record->reservation.holds) {
    const auto used = usage.used(hold).value_or(0);
    const auto over = in_time ? std::max<Int128>(0, used - hold.amount) : used;
    record->uses.push_back({used, over});
  }
  note_sides(*record);
  return record;
}

void ReservationBook::replay(const ReservationRecord& record) {
  const auto name = name_of(record.reservation);
  switch (record.step) {
    case ReservationStep::grant:
    case ReservationStep::settle:
      by_expiry_[{record.reservation.expires_at, name}] = true;
      live_.insert_or_assign(name, record.reservation);
      break;
    case ReservationStep::cancel:
    case ReservationStep::expire:
    case ReservationStep::use:
      live_.erase(name);
      by_expiry_.erase({record.reservation.expires_at, name});
      break;
    case ReservationStep::late: break;
  }
  if (!record.uses.empty()) note_sides(record);
}

ReservationBook::Side& ReservationBook::side_of(const Reservation& reservation, const Hold& hold,
                                                uint32_t period) {
  return sides_[side_key(reservation.name_space, hold.quota, period)];
}

void ReservationBook::note_sides(const ReservationRecord& record) {
  const auto& reservation = record.reservation;
  const auto add = [&](const Hold& hold, uint32_t period, const Side& change) {
    if (change.moved == 0 && change.overrun == 0) return;
    auto& side = side_of(reservation, hold, period);
    side.moved = checked_add(side.moved, change.moved);
    side.overrun = checked_add(side.overrun, change.overrun);
    changed_sides_[side_key(reservation.name_space, hold.quota, period)] = side;
  };
  for (size_t i = 0; i < reservation.holds.size(); ++i) {
    const auto& hold = reservation.holds[i];
    const auto& use = record.uses[i];
    if (record.step == ReservationStep::late) {
      add(hold, record.event_period, {0, use.overrun});
    } else if (hold.period == record.event_period) {
      add(hold, hold.period, {0, use.overrun});
    } else {
      add(hold, record.event_period, {-use.used, 0});
      add(hold, hold.period, {use.used, use.overrun});
    }
  }
}

std::vector<Reservation> ReservationBook::expired(Instant now, size_t count_max) const {
  std::vector<Reservation> all;
  for (const auto& [when, unused] : by_expiry_) {
    if (when.first > now || all.size() == count_max) break;
    all.push_back(live_.at(when.second));
  }
  return all;
}

Result<void> ReservationBook::write(const Store& store,
                                    const std::vector<ReservationRecord>& records, Instant now,
                                    uint64_t sequence, WriteSet& writes) {
  for (const auto& record : records) {
    const auto name = name_of(record.reservation);
    const auto bytes = encode(record.reservation);
    switch (record.step) {
      case ReservationStep::grant:
      case ReservationStep::settle: writes.put(Family::reservations, "L" + name, bytes); break;
      case ReservationStep::cancel:
      case ReservationStep::expire:
      case ReservationStep::use:
        writes.remove(Family::reservations, "L" + name);
        writes.put(Family::reservations, "E" + name, bytes);
        writes.put(Family::reservations, expiry_key(record.reservation), {});
        if (const auto found = ended_.find(name); found != ended_.end())
          found->second.sequence = sequence;
        break;
      case ReservationStep::late: break;
    }
  }
  for (const auto& [key, side] : changed_sides_) {
    std::string value;
    put(value, side.moved);
    put(value, side.overrun);
    writes.put(Family::reservations, key, std::move(value));
  }
  changed_sides_.clear();
  forget_sides(now, writes);
  if (records.empty()) return success();
  std::string until = "X";
  put_key_u64(until, static_cast<uint64_t>(to_us(now - limits::reservation_memory)));
  size_t forgotten = 0;
  return store.scan(Family::reservations, "X", until,
                    [&](std::string_view key, std::string_view) -> Result<bool> {
                      writes.remove(Family::reservations, std::string(key));
                      writes.remove(Family::reservations,
                                    "E" + std::string(key.substr(1 + sizeof(uint64_t))));
                      return ++forgotten < forgotten_per_write_max;
                    });
}

// Once a day: what no window reaches any more.
void ReservationBook::forget_sides(Instant now, WriteSet& writes) {
  const auto day = std::chrono::floor<std::chrono::days>(now);
  if (day == forgot_on_) return;
  forgot_on_ = day;
  const auto oldest = period_at(to_us(now - 2 * limits::quota_window_max), grain_);
  std::erase_if(sides_, [&](const auto& entry) {
    const auto period =
        ByteReader(std::string_view(entry.first).substr(entry.first.size() - sizeof(uint32_t)))
            .get_key_u32();
    if (period >= oldest) return false;
    writes.remove(Family::reservations, entry.first);
    return true;
  });
}

void ReservationBook::written(uint64_t sequence) {
  std::erase_if(ended_, [&](const auto& entry) { return entry.second.sequence <= sequence; });
}

}  // namespace gauger::ledger
