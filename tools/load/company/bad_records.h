// Records that no ledger may count, one or more of each kind, as bytes ready to be written
// between the good ones.
#pragma once

#include <string>
#include <vector>

#include "schemas/reject_reason.h"
#include "tools/load/company/traffic.h"

namespace gauger::load::company {

struct BadRecord {
  FeedName feed;
  Instant arrives_at;
  RejectReason reason;  // what quarantine must say
  std::string bytes;    // framed as the feed's format demands
};

std::vector<BadRecord> make_bad_records(const MonthOptions& options, Serials& serials);

}  // namespace gauger::load::company
