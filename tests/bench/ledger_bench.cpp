// What the ledger's data structures cost per event: interning, telling duplicates, folding, and
// the codec of usage key columns.
#include <benchmark/benchmark.h>

#include <random>
#include <string>
#include <vector>

#include "ledger/dictionary.h"
#include "ledger/fold.h"
#include "ledger/identity_filter.h"
#include "ledger/identity_index.h"
#include "ledger/packing.h"

namespace {

using namespace gauger;
using namespace gauger::ledger;

constexpr size_t batch_events = 32'000;

void intern(benchmark::State& state) {
  StringDictionary strings;
  std::vector<std::string> teams;
  for (int i = 0; i < 1000; ++i) teams.push_back("team-" + std::to_string(i));
  size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(strings.intern(teams[next]));
    next = (next + 617) % teams.size();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(intern);

// Known and unknown fingerprints in turn, asked some events ahead.
void dedup(benchmark::State& state) {
  IdentityIndex index;
  std::mt19937_64 random(1);
  std::vector<Fingerprint> asked;
  for (int64_t i = 0; i < state.range(0); ++i) {
    const auto fingerprint = random() | 1;
    index.insert(fingerprint, static_cast<uint64_t>(i));
    if (asked.size() < batch_events) asked.push_back(fingerprint ^ (i % 2 == 0 ? 2U : 0U));
  }
  constexpr size_t ahead = 16;
  for (auto _ : state)
    for (size_t i = 0; i < asked.size(); ++i) {
      if (i + ahead < asked.size()) index.prefetch(asked[i + ahead]);
      benchmark::DoNotOptimize(index.find(asked[i], [](uint64_t) { return true; }));
    }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * asked.size()));
}
BENCHMARK(dedup)->Arg(100'000)->Arg(6'000'000);

void cold_filter(benchmark::State& state) {
  const auto count = static_cast<uint64_t>(state.range(0));
  IdentityFilter filter(count);
  std::mt19937_64 random(1);
  for (uint64_t i = 0; i < count; ++i) filter.insert(random());
  std::vector<Fingerprint> asked(batch_events);
  for (auto& fingerprint : asked) fingerprint = random();
  size_t maybe = 0;
  constexpr size_t ahead = 24;
  for (auto _ : state)
    for (size_t i = 0; i < asked.size(); ++i) {
      if (i + ahead < asked.size()) filter.prefetch(asked[i + ahead]);
      maybe += filter.may_contain(asked[i]) ? 1 : 0;
    }
  const auto items = static_cast<int64_t>(state.iterations() * asked.size());
  state.SetItemsProcessed(items);
  state.counters["false maybe"] = static_cast<double>(maybe) / static_cast<double>(items);
}
BENCHMARK(cold_filter)->Arg(6'000'000)->Arg(48'000'000);

Block block_of_usage() {
  Block block;
  std::mt19937_64 random(1);
  auto& events = block.events;
  for (size_t i = 0; i < batch_events; ++i) {
    events.kind.push_back(EventKind::usage);
    events.key.push_back(static_cast<uint32_t>(random() % 1'000'000));
    events.completed_us.push_back(1'800'000'000'000'000 + static_cast<int64_t>(i) * 100'000);
    events.present.push_back(mask_of(Meter::input_uncached) | mask_of(Meter::output_text));
    events.counts.push(static_cast<int64_t>(random() % 1000));
    events.counts.push(static_cast<int64_t>(random() % 1000));
    events.counts.end_event();
  }
  return block;
}

void fold_block(benchmark::State& state) {
  const auto block = block_of_usage();
  for (auto _ : state) benchmark::DoNotOptimize(fold(block, std::chrono::minutes{30}));
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * batch_events));
}
BENCHMARK(fold_block);

void key_codec(benchmark::State& state) {
  const auto keys = block_of_usage().events.key;
  for (auto _ : state) {
    std::string bytes;
    pack_bits(bytes, keys);
    benchmark::DoNotOptimize(unpack_bits(bytes, keys.size()));
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * batch_events));
}
BENCHMARK(key_codec);

}  // namespace

BENCHMARK_MAIN();
