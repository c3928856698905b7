// What an adapter makes for an event (joined ids, names of extras) until the next record.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/check.h"
#include "ingest/event_fields.h"
#include "schemas/usage_event.h"

namespace gauger::ingest {

class EventMemory {
 public:
  void clear() {
    texts_.clear();
    extras_.clear();
  }
  std::string_view keep(std::string text) { return texts_.emplace_back(std::move(text)); }

  // Makes the event's texts last as long as this memory, whoever held them.
  void keep_texts(UsageEvent& event) {
    const auto own = [&](std::string_view& text) {
      if (!text.empty()) text = keep(std::string(text));
    };
    for (const auto& field : event_fields) {
      if (field.text != nullptr) own(event.*field.text);
      if (field.target == nullptr) continue;
      own((event.*field.target).source);
      own((event.*field.target).id);
      own((event.*field.target).reason);
    }
    if (event.extras.empty()) return;
    auto& extras = extras_.emplace_back(event.extras.begin(), event.extras.end());
    for (auto& extra : extras) own(extra.name);
    event.extras = extras;
  }

  // Adds to what the event has counted beyond the meters; counts of one name add up.
  void add_extra(UsageEvent& event, std::string_view name, int64_t count) {
    auto& extras = extras_.emplace_back(event.extras.begin(), event.extras.end());
    for (auto& extra : extras)
      if (extra.name == name) {
        extra.count += count;
        event.extras = extras;
        return;
      }
    extras.push_back({name, count});
    sort_extras(extras);
    event.extras = extras;
  }

 private:
  std::deque<std::string> texts_;
  std::deque<std::vector<ExtraCount>> extras_;
};

}  // namespace gauger::ingest
