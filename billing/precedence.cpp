#include "billing/precedence.h"

#include <algorithm>

namespace gauger::billing {
namespace {

// Of each scope the latest version that has begun by `at`; none where that one has ended.
std::vector<const Candidate*> in_force(const std::vector<Candidate>& candidates, Instant at) {
  std::vector<const Candidate*> latest;
  for (const auto& candidate : candidates) {
    if (candidate.from > at) continue;
    const auto same = std::find_if(latest.begin(), latest.end(), [&](const Candidate* other) {
      return other->scope == candidate.scope && other->window == candidate.window;
    });
    if (same == latest.end()) {
      latest.push_back(&candidate);
    } else if ((*same)->from < candidate.from) {
      *same = &candidate;
    }
  }
  std::erase_if(latest, [&](const Candidate* candidate) { return candidate->until <= at; });
  return latest;
}

Slot choose(const std::vector<const Candidate*>& active, int32_t minute_from,
            int32_t minute_until) {
  Slot slot{minute_from, minute_until, nothing_applies};
  const Candidate* best = nullptr;
  for (const auto* candidate : active) {
    if (candidate->window && !candidate->window->contains(minute_from)) continue;
    if (best == nullptr || candidate->rank > best->rank) {
      best = candidate;
      slot.index = static_cast<int32_t>(candidate->index);
    } else if (candidate->rank == best->rank) {
      slot.index = tie_applies;
      slot.tied_a = best->index;
      slot.tied_b = candidate->index;
    }
  }
  return slot;
}

std::vector<Slot> slots_of_day(const std::vector<const Candidate*>& active) {
  std::vector<int32_t> cuts{0, minutes_per_day};
  for (const auto* candidate : active) {
    if (!candidate->window) continue;
    cuts.push_back(candidate->window->from);
    cuts.push_back(candidate->window->until);
  }
  std::sort(cuts.begin(), cuts.end());
  cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
  std::vector<Slot> slots;
  for (size_t i = 0; i + 1 < cuts.size(); ++i) {
    const auto slot = choose(active, cuts[i], cuts[i + 1]);
    if (!slots.empty() && slots.back().index == slot.index && slot.index != tie_applies) {
      slots.back().minute_until = slot.minute_until;
    } else {
      slots.push_back(slot);
    }
  }
  return slots;
}

}  // namespace

std::vector<Segment> order_by_precedence(const std::vector<Candidate>& candidates) {
  std::vector<Instant> cuts{begin_of_time, end_of_time};
  for (const auto& candidate : candidates) {
    cuts.push_back(candidate.from);
    cuts.push_back(candidate.until);
  }
  std::sort(cuts.begin(), cuts.end());
  cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
  std::vector<Segment> segments;
  for (size_t i = 0; i + 1 < cuts.size(); ++i) {
    auto slots = slots_of_day(in_force(candidates, cuts[i]));
    if (!segments.empty() && segments.back().slots == slots) {
      segments.back().interval.until = cuts[i + 1];
    } else {
      segments.push_back({{cuts[i], cuts[i + 1]}, std::move(slots)});
    }
  }
  return segments;
}

}  // namespace gauger::billing
