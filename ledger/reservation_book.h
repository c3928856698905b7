// The reservations that live, and those that have just ended: the committing thread's side of
// quotas. Makes the records that the journal keeps, and what is stored beside it so that a
// restart needs no replay.
//
// Family::reservations: 'L' + namespace, 0, id: a live one. 'E' + ...: one that has ended, for as
// long as events may still name it. 'X' + u64 expires at + ...: which of those go when. 'S' +
// namespace, 0, quota, 0, u32 period: what uses moved between periods, and overran.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "ledger/quota_book.h"
#include "ledger/reservation.h"
#include "ledger/store.h"

namespace gauger::ledger {

// An accepted event that names a reservation.
struct ReservedUsage {
  std::string_view name_space;
  std::string_view reservation;
  uint32_t period = 0;
  // What it used of a hold; none where its cost is not known. Zero outside of the hold's scope.
  std::function<std::optional<Int128>(const Hold&)> used;
};

class ReservationBook {
 public:
  Result<void> load(const Store& store, std::chrono::minutes grain);

  const Reservation* live(std::string_view name_space, std::string_view id) const;
  std::vector<const Reservation*> live() const;
  std::vector<QuotaSide> sides() const;
  size_t size() const { return live_.size(); }
  // One that has ended and is still remembered.
  Result<std::optional<Reservation>> ended(const Store& store, std::string_view name_space,
                                           std::string_view id) const;

  // Each step changes the book and gives the record for the journal.
  ReservationRecord grant(Reservation reservation);
  ReservationRecord settle(const Reservation& live, std::vector<Int128> amounts);
  ReservationRecord end(ReservationStep step, const Reservation& live);
  // None where nobody knows the reservation.
  Result<std::optional<ReservationRecord>> use(const Store& store, const ReservedUsage& usage);
  // Does again what a record of the journal says was done.
  void replay(const ReservationRecord& record);
  // Ids of the live ones that have expired by then, oldest first.
  std::vector<Reservation> expired(Instant now, size_t count_max) const;

  // What the records of a block change in the store.
  Result<void> write(const Store& store, const std::vector<ReservationRecord>& records, Instant now,
                     uint64_t sequence, WriteSet& writes);
  // Blocks up to here are in the store.
  void written(uint64_t sequence);

 private:
  struct Side {
    Int128 moved = 0;
    Int128 overrun = 0;
  };
  Side& side_of(const Reservation& reservation, const Hold& hold, uint32_t period);
  void note_sides(const ReservationRecord& record);
  void forget_sides(Instant now, WriteSet& writes);

  std::chrono::minutes grain_{30};
  std::chrono::sys_days forgot_on_{};

  std::unordered_map<std::string, Reservation> live_;  // by namespace, 0, id
  std::map<std::pair<Instant, std::string>, bool> by_expiry_;
  struct Ended {
    Reservation reservation;
    uint64_t sequence;  // of the block that ends it; not yet known: UINT64_MAX
  };
  std::unordered_map<std::string, Ended> ended_;  // not yet in the store
  std::map<std::string, Side> sides_;             // by key in the store
  std::map<std::string, Side> changed_sides_;     // since the last write
};

}  // namespace gauger::ledger
