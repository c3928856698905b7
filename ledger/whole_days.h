// Rollups of long ago, kept by whole days: before the instant that retention recorded in the
// journal's cut (cut.h) a usage key has one cell per civil day of the ledger's zone, at the day's
// first period. Days and months are answered as ever; nothing finer is.
//
// Constant; safe from any thread.
#pragma once

#include "ledger/config.h"
#include "ledger/fold.h"
#include "ledger/store.h"
#include "ledger/usage_query.h"
#include "schemas/time_zone.h"

namespace gauger::ledger {

class WholeDays {
 public:
  // `fine_from` begins a day of the ledger's checked zone; the epoch: every period is kept.
  WholeDays(const LedgerConfig& config, Instant fine_from);

  std::chrono::minutes grain() const { return grain_; }
  Instant fine_from() const { return fine_from_; }
  bool any() const { return fine_from_ > Instant{}; }

  // Finds the places of cells one after another, fastest where they come in order.
  class Places {
   public:
    explicit Places(const WholeDays& days) : days_(days) {}
    Place at(Place place);

   private:
    const WholeDays& days_;
    uint32_t day_begin_ = 0;  // periods of the day that was met last
    uint32_t day_end_ = 0;
  };

  // Moves the cells of before to where their days are kept.
  void gather(Change& change) const;

  // refused, naming a day, where the query asks for parts of days that are kept whole.
  Result<void> check(const UsageQuery& query) const;

 private:
  std::chrono::minutes grain_;
  TimeZone zone_;
  Instant fine_from_;
  uint32_t fine_from_period_;
};

// As the journal's cut records it.
Result<WholeDays> read_whole_days(const Store& store, const LedgerConfig& config);

}  // namespace gauger::ledger
