// The real ledger, intake, quotas and invoices over a simulated disk, log and clock, on one thread,
// beside the model that knows what must come out. Every operation is done to both.
//
// The ledger may forget at a power cut, and a failed call may have been done or not; but what it
// holds then is one of the states that the model went through, not below the one that was
// acknowledged last. Which one, the ledger's head says; all the rest is compared.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>

#include "billing/invoices/seal.h"
#include "ledger/ledger.h"
#include "tests/simulated_disk.h"
#include "tests/simulation/model.h"
#include "tests/simulation/operation.h"
#include "tests/simulation/simulated_log.h"

namespace gauger::simulation {

// A promise that did not hold, in a sentence.
struct Broken : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Tally {
  uint64_t operations = 0;
  uint64_t records = 0;
  uint64_t commits = 0;
  uint64_t starts = 0;
  uint64_t kills = 0;
  uint64_t power_cuts = 0;
  uint64_t faults = 0;   // that fired
  uint64_t rewound = 0;  // starts that had lost what was not acknowledged
  uint64_t grants = 0;
  uint64_t refusals = 0;
  uint64_t invoices = 0;
  uint64_t voids = 0;
  uint64_t requests = 0;  // that reached the service
  uint64_t replays = 0;   // that it answered as before
  uint64_t backups = 0;
  uint64_t restores = 0;
  uint64_t retained = 0;  // blocks that went into an archive
  uint64_t rebuilds = 0;
  void add(const Tally& other);
};

class World {
 public:
  explicit World(uint64_t seed);
  ~World();

  // Both throw Broken.
  void apply(const Operation& operation);
  // Starts once more, compares everything, verifies. Returns a digest of all answers.
  uint64_t finish();

  const Tally& counts() const { return counts_; }

 private:
  struct Change;

  // --- life
  void start();
  void stop(bool power_cut);
  void restart(bool power_cut);
  void died(const Error& error);
  // Does it to the ledger; `next` is what the model is when it was done. True when it was. Where
  // the model changes, a block must have come of it, and else none.
  enum class Expect : uint8_t { block, no_block };
  bool commit(const Model& next, Expect expect, const std::function<Result<void>()>& call);
  void acknowledge();
  bool flush();

  // --- what operations do
  void produce(Choices& choices);
  static LogRecord record_of(Choices& choices);
  void consume(Choices& choices, bool fails);
  void truncate(Choices& choices);
  void reserve(Choices& choices);
  void settle(Choices& choices);
  void cancel(Choices& choices);
  void expire();
  void post_price(Choices& choices);
  void close_month(Choices& choices);
  void rerate_month(Choices& choices);
  void void_one(Choices& choices);
  void verify();

  // --- invoices (world_invoices.cpp)
  void read_invoices();
  // False where numbers wait for somebody to say which was the last; then somebody may.
  bool may_number(Choices& choices);
  void post_invoice(Model next, const billing::Seal& seal, std::optional<size_t> voids = {});
  bool append_invoice(Model next, const Model::Document& document);
  void confirm_numbers();
  void learn_issued();
  std::vector<billing::Invoice> invoices_;
  std::vector<Model::Document> issued_;  // what ever left the house: no ledger can lose it

  // --- requests (world_requests.cpp)
  struct Request {
    std::string key;  // its Idempotency-Key
    std::vector<LogRecord> records;
    std::string answer;  // that was lost
    uint64_t life = 0;   // in which it was given
  };
  struct Http;
  void request(Choices& choices);
  // Sends it; its answer reaches the client if `answered`. False when the ledger died of it.
  bool send(Request& request, bool answered);
  void drop_ledger();
  std::vector<Request> unanswered_;  // the client repeats them

  // --- backups, and what is done to a closed ledger (world_backups.cpp)
  void backup();
  void restore(Choices& choices);
  void retain(Choices& choices);
  void rebuild();
  bool bring_out(const std::filesystem::path& directory);  // false: it did not come to that
  void go_on_with(const std::filesystem::path& directory, Model model);
  std::filesystem::path place(const std::string& name);
  struct Kept {
    std::filesystem::path directory;
    uint32_t number;
    Model model;
  };
  std::vector<Kept> backups_;
  std::filesystem::path root_;     // of backups, on the machine's disk
  std::filesystem::path archive_;  // of this life; empty: nothing was cut
  uint64_t disks_ = 0;

  // --- comparison (world_check.cpp)
  void check_all();
  void check_usage();
  void check_records();
  void check_quota();
  void check_invoices();
  std::string answers() const;
  static void require(bool holds, const std::string& sentence);

  const uint64_t seed_;
  std::unique_ptr<SimulatedDisk> disk_;
  std::optional<DiskFault> fault_at_start_;
  FixedClock clock_;
  SimulatedLog log_;
  ledger::LedgerOptions options_;
  std::unique_ptr<ledger::Ledger> ledger_;
  // Of this life, once somebody asked. Shared only so that its kind may stay unknown here.
  std::shared_ptr<Http> http_;
  Model model_;
  std::map<uint64_t, Model> history_;  // after every block, from the durable one on
  uint64_t durable_ = 0;
  uint64_t fresh_ids_ = 0;
  Tally counts_;
};

// Runs the operations; none when all held, or the sentence of what did not.
struct RunResult {
  std::optional<std::string> broken;
  size_t at = 0;  // the operation that broke
  uint64_t digest = 0;
  Tally counts;
};
RunResult run(uint64_t seed, const std::vector<Operation>& operations);

}  // namespace gauger::simulation
