// Fills a ledger's window with identities, as cheaply as the real path allows: events of one usage
// key, made in memory, through batches, commits and the settling of cold runs like any other.
#include <array>

#include "ledger/ledger.h"
#include "schemas/limits.h"
#include "tests/bench/pipeline/measure.h"

namespace gauger::bench {
namespace {

// Of all numbers different ones, without order (the finalizer of MurmurHash3).
uint64_t mix(uint64_t number) {
  number = (number ^ number >> 33U) * 0xFF51'AFD7'ED55'8CCDU;
  number = (number ^ number >> 33U) * 0xC4CE'B9FE'1A85'EC53U;
  return number ^ number >> 33U;
}

// A UUID's text with the number mixed into its first half.
class IdText {
 public:
  std::string_view of(uint64_t number) {
    static constexpr std::array<uint8_t, 16> places = {0, 1,  2,  3,  4,  5,  6,  7,
                                                       9, 10, 11, 12, 14, 15, 16, 17};
    const auto mixed = mix(number);
    for (size_t i = 0; i < places.size(); ++i)
      text_[places[i]] = "0123456789abcdef"[mixed >> (4 * i) & 15U];
    return text_;
  }

 private:
  std::string text_ = "00000000-0000-0000-8000-000000000000";
};

}  // namespace

void measure_fill(const std::string& directory, uint64_t identities) {
  const SystemClock clock;
  const auto begin = now_seconds();
  const auto ledger = must(ledger::Ledger::open(directory, {}, clock));
  const auto first = ledger->status().identities;
  UsageEvent event;
  event.source = "fill";
  event.provider = event.model = event.team = "fill";
  event.set(Meter::input_uncached, 1);
  IdText id;
  const auto now = clock.now();
  for (auto number = first; number < identities;) {
    auto& batch = ledger->batch();
    batch.begin_segment({"default", "file:fill", 0, true}, static_cast<int64_t>(number));
    const auto end = std::min<uint64_t>(identities, number + limits::batch_events_max);
    for (; number < end; ++number) {
      // Spread over the last hour, in order.
      event.completed_at =
          now - std::chrono::hours{1} + std::chrono::microseconds{number % 3'600'000'000};
      event.id = id.of(number);
      batch.add(event, static_cast<int64_t>(number), event.id);
    }
    batch.end_segment(static_cast<int64_t>(end), 0, 0);
    must(ledger->commit());
  }
  must(ledger->close());
  fmt::print("{{\"identities\": {}, \"seconds\": {:.3f}}}\n", ledger->status().identities,
             now_seconds() - begin);
}

}  // namespace gauger::bench
