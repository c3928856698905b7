#include "tools/load/company/calendar.h"

#include "tools/load/trace_shapes.h"

namespace gauger::load::company {
namespace {

// Per thousand of what the trace's week has; the trace is a provider's, with tenants of all
// rhythms, so the company's own are laid over it.
uint64_t rhythm_permille(Rhythm rhythm, unsigned weekday, int64_t hour) {
  const bool weekend = weekday == 0 || weekday == 6;
  switch (rhythm) {
    case Rhythm::office: return weekend ? 60 : (hour >= 7 && hour < 18) ? 1000 : 120;
    case Rhythm::always: return weekend ? 700 : 1000;
    case Rhythm::night: return hour >= 1 && hour < 5 ? 1000 : 0;
  }
  return 0;
}

std::vector<uint64_t> window_weights(Interval month, std::chrono::minutes window, Rhythm rhythm,
                                     Random& random) {
  std::vector<uint64_t> weights;
  for (auto at = month.from; at < month.until; at += window) {
    const auto day = std::chrono::floor<std::chrono::days>(at);
    const auto weekday = std::chrono::weekday{day}.c_encoding();
    const auto hour = (at - day) / std::chrono::hours{1};
    const auto hour_of_week = (weekday + 6) % 7 * 24 + static_cast<size_t>(hour);
    const auto burst = shapes::burst_permille.at(random.next());
    weights.push_back(shapes::week_permille[hour_of_week] * rhythm_permille(rhythm, weekday, hour) *
                      burst);
  }
  return weights;
}

}  // namespace

Calendar::Calendar(Interval month, Rhythm rhythm, Random& random)
    : from_(month.from), windows_(window_weights(month, window, rhythm, random)) {}

Instant Calendar::draw(Random& random) const {
  const auto index = windows_.at(random.next());
  const auto within = random.between(0, Duration{window}.count() - 1);
  return from_ + index * window + Duration{within};
}

}  // namespace gauger::load::company
