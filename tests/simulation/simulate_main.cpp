// gauger_simulate: seeds in turn for a while, or one; a failing one is made shorter, and the
// command that replays it is printed.
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "tests/simulation/world.h"

using namespace gauger::simulation;

namespace {

uint64_t current_seed = 0;

// A VERIFY or an assertion ends the process: which seed it was must be told.
void on_abort(int) {
  char text[96];
  const auto size =
      std::snprintf(text, sizeof text, "\nended by a signal; ./dev simulate --seed %llu\n",
                    static_cast<unsigned long long>(current_seed));
  static_cast<void>(!::write(2, text, static_cast<size_t>(size)));
}

bool fails(uint64_t seed, const std::vector<Operation>& operations) {
  return run(seed, operations).broken.has_value();
}

// Leaves out what is not needed for it to fail, in ever smaller pieces.
std::vector<Operation> shrunk(uint64_t seed, std::vector<Operation> operations) {
  for (size_t piece = operations.size() / 2; piece > 0; piece /= 2)
    for (size_t at = 0; at + piece <= operations.size();) {
      auto fewer = operations;
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(at),
                  fewer.begin() + static_cast<std::ptrdiff_t>(at + piece));
      if (fails(seed, fewer))
        operations = std::move(fewer);
      else
        at += piece;
    }
  return operations;
}

void report(uint64_t seed, const std::vector<Operation>& all, const RunResult& outcome) {
  std::printf("seed %llu breaks at operation %zu of %zu: %s\n",
              static_cast<unsigned long long>(seed), outcome.at + 1, all.size(),
              outcome.broken->c_str());
  std::printf("replay: ./dev simulate --seed %llu\n", static_cast<unsigned long long>(seed));
  if (!fails(seed, all)) {
    std::puts("it does not break again: it hangs on the timing of RocksDB's threads");
    return;
  }
  auto operations = all;
  operations.resize(std::min(all.size(), outcome.at + 1));
  operations = shrunk(seed, fails(seed, operations) ? operations : all);
  const auto least = run(seed, operations);
  std::printf("the least that breaks: %s\n", least.broken ? least.broken->c_str() : "nothing");
  for (const auto& operation : operations) std::printf("  %s\n", to_string(operation).c_str());
}

int usage() {
  std::puts(
      "usage: gauger_simulate [--seconds N] [--seed S] [--seeds N]\n"
      "  --seconds N  runs seeds in turn for so long (default 10)\n"
      "  --seeds N    or so many of them\n"
      "  --seed S     begins with this one; alone, runs only that one\n"
      "example: ./dev simulate --seconds 600 --seed 1");
  return 2;
}

struct Flags {
  uint64_t seconds = 0;
  uint64_t seed = 1;
  uint64_t seeds = UINT64_MAX;
};

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGABRT, on_abort);
  std::signal(SIGSEGV, on_abort);
  Flags flags;
  bool one = false;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    if (i + 1 == argc) return usage();
    const auto value = std::strtoull(argv[++i], nullptr, 10);
    if (flag == "--seconds")
      flags.seconds = value;
    else if (flag == "--seeds")
      flags.seeds = value;
    else if (flag == "--seed")
      flags.seed = value, one = true;
    else
      return usage();
  }
  if (one && flags.seconds == 0 && flags.seeds == UINT64_MAX) flags.seeds = 1;
  if (flags.seconds == 0 && flags.seeds == UINT64_MAX) flags.seconds = 10;
  using std::chrono::steady_clock;
  const auto until = flags.seconds == 0 ? steady_clock::time_point::max()
                                        : steady_clock::now() + std::chrono::seconds(flags.seconds);
  Tally counts;
  uint64_t seeds = 0;
  uint64_t digest = 0;
  for (; seeds < flags.seeds && steady_clock::now() < until; ++seeds) {
    current_seed = flags.seed + seeds;
    const auto operations = operations_of(current_seed);
    const auto outcome = run(current_seed, operations);
    if (outcome.broken) {
      report(current_seed, operations, outcome);
      return 1;
    }
    counts.add(outcome.counts);
    digest = digest * 31 + outcome.digest;
    if (::isatty(2) != 0 && seeds % 10 == 0)
      std::fprintf(stderr, "\r%llu seeds", static_cast<unsigned long long>(seeds));
  }
  const auto n = [](uint64_t count) { return static_cast<unsigned long long>(count); };
  std::printf(
      "%llu seeds from %llu, %llu operations: %llu records in %llu commits, %llu starts "
      "(%llu kills, %llu power cuts, %llu faults; %llu lost what nobody had acknowledged), "
      "%llu grants and %llu refusals, %llu invoices and notes (%llu voids), %llu requests "
      "(%llu answered again), %llu backups, %llu restores, %llu blocks archived, %llu rebuilds; "
      "digest %016llx\n",
      n(seeds), n(flags.seed), n(counts.operations), n(counts.records), n(counts.commits),
      n(counts.starts), n(counts.kills), n(counts.power_cuts), n(counts.faults), n(counts.rewound),
      n(counts.grants), n(counts.refusals), n(counts.invoices), n(counts.voids), n(counts.requests),
      n(counts.replays), n(counts.backups), n(counts.restores), n(counts.retained),
      n(counts.rebuilds), n(digest));
  return 0;
}
