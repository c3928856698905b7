// The least program that does to a company's files what the ledger promises: an identity counts
// once, the first record stands, retractions and outcomes find their target whenever it comes.
// It reads through libprotobuf, keeps everything in maps, and shares no code with the generator
// or the ledger.
#pragma once

#include <map>
#include <string>

#include "tests/unit/load/scratch.h"
#include "tools/load/company/expected.h"

namespace gauger::tests {

class MiniLedger {
 public:
  // One record's bytes without framing. What cannot be an event is only counted.
  void take_json(const std::string& line);
  void take_protobuf(const std::string& message);

  struct Result {
    int64_t records = 0;
    int64_t quarantined = 0;
    load::company::Expected counted;  // all but `records`, `quarantined` and the programmes
    std::map<std::string, std::map<std::string, int64_t>> outcomes;  // programme, outcome
  };
  Result finish();

 private:
  struct Known {
    v1::UsageEvent event;
    bool taken_back = false;
    v1::UsageEvent::Outcome outcome = v1::UsageEvent::outcome_absent;
  };
  void take(const v1::UsageEvent& event);

  std::map<std::string, Known> known_;  // by identity
  Result result_;
};

}  // namespace gauger::tests
