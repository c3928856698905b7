// What happens to a simulated ledger: a list of operations, made from a seed before any of them is
// done, so that a list can be done again, and made shorter, without the rest of it changing.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "tests/simulated_disk.h"

namespace gauger::simulation {

enum class Act : uint8_t {
  produce,   // records come to a partition of the log
  consume,   // the intake reads on, in commits of some polls
  fail,      // the same, and the broker fails in the middle
  request,   // events come by HTTP, over a network that loses requests and answers
  truncate,  // the log forgets what is durable
  flush,
  tick,     // the clock goes on
  reserve,  // and settle, cancel, expire: quotas
  settle,
  cancel,
  expire,
  price,  // a price book; then closing a month, and re-rating it
  close,
  rerate,
  void_one,  // a document that was posted; its month may be closed again
  backup,    // of the live ledger; then another life from one of them
  restore,
  retain,  // the journal's beginning goes into an archive; the rest is made anew
  rebuild,
  restart,  // in order; by a kill; by a power cut
  kill,
  power_cut,
  fault,  // the disk fails at some later operation
  verify,
};
inline constexpr size_t act_count = 24;
std::string_view to_string(Act act);

struct Operation {
  Act act = Act::flush;
  uint64_t seed = 0;  // of its details
};
std::string to_string(const Operation& operation);

std::vector<Operation> operations_of(uint64_t seed);

// Of what an operation leaves open. Not std::uniform_int_distribution, which differs by library.
class Choices {
 public:
  explicit Choices(uint64_t seed) : random_(seed) {}
  uint64_t below(uint64_t limit) { return random_() % limit; }
  bool one_in(uint64_t n) { return below(n) == 0; }
  uint64_t any() { return random_(); }

 private:
  std::mt19937_64 random_;
};

DiskFault fault_of(Choices& choices);

}  // namespace gauger::simulation
