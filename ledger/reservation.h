// Reservations: a bound on what is about to be used, held against quotas until the event that
// names it comes, somebody takes it back, or it expires. Each step is a record of the journal,
// under block time, so that balances can be folded anew.
//
// A record carries its reservation whole: folding needs no state.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/quota.h"

namespace gauger::ledger {

// What a reservation holds of one quota. It counts in the window of the grant.
struct Hold {
  std::string quota;
  std::vector<Filter> scope;  // of the quota then: an event outside of it uses nothing of it
  QuotaMeasure measure;
  std::string currency;  // where the measure is cost
  Int128 amount = 0;
  uint32_t period = 0;  // the grain period of the grant
  bool operator==(const Hold&) const;
};

struct Reservation {
  std::string name_space = "default";
  std::string id;
  Instant granted_at{};
  Instant expires_at{};
  uint64_t request_hash = 0;  // the same id with another request is a conflict
  std::vector<Hold> holds;
};

// invalid_argument: an id over its limit, or a life that is over or longer than 24 hours.
Result<void> check_reservation(std::string_view id, Instant now, Instant expires_at);

enum class ReservationStep : uint8_t {
  grant = 0,
  settle = 1,  // the caller says what it used; held until the event comes
  cancel = 2,
  expire = 3,
  use = 4,   // an event named it: the hold ends
  late = 5,  // an event named it after it had ended: all of it is overrun
};
inline constexpr size_t reservation_step_count = 6;

// What an event used of one hold.
struct HoldUse {
  Int128 used = 0;
  Int128 overrun = 0;
};

struct ReservationRecord {
  ReservationStep step = ReservationStep::grant;
  Reservation reservation;     // as it was before the step; for grant and settle, after it
  std::vector<Int128> before;  // settle: the amounts that were held until then
  std::vector<HoldUse> uses;   // use and late: per hold
  uint32_t event_period = 0;   // use and late: the grain period of the event
};

std::string encode(const Reservation& reservation);
Result<Reservation> decode_reservation(std::string_view bytes);
// A block's section.
std::string encode_reservations(const std::vector<ReservationRecord>& records);
Result<std::vector<ReservationRecord>> decode_reservations(std::string_view bytes);

}  // namespace gauger::ledger
