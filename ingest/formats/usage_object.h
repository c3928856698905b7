// A provider's usage object as numbers by path ("prompt_tokens_details.cached_tokens"), so that
// an adapter takes what it knows and whatever is left over shows up as a counted extra.
//
// Presence is kept: null and absent are the same, zero is not. Numbers in a list add up under
// the list's path. A number that is not whole (a cost, seconds) is held in millionths.
#pragma once

#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/formats/event_memory.h"
#include "ingest/formats/json_dom.h"
#include "schemas/reject_reason.h"

namespace gauger::ingest {

class UsageObject {
 public:
  void clear();

  // Reads the numbers of `object`, over those of the same path that were read before: the
  // usage of a stream is cumulative, so its last word counts and nothing is added up. Members
  // named in `except` are the adapter's own to read.
  void merge(dom::object object, std::span<const std::string_view> except = {});

  // One number more, from a format that lists them otherwise.
  void put(const std::string& path, int64_t value);
  void put(const std::string& path, dom::element value);

  // The number at the first of the paths that is present. All of them count as known.
  std::optional<int64_t> take(std::initializer_list<std::string_view> paths);
  // Known to be contained in another number, or not a count.
  void ignore(std::initializer_list<std::string_view> paths);

  // Gives the event every positive number that nobody took, named by its path after `prefix`.
  void leave_extras(UsageEvent& event, EventMemory& memory, std::string_view prefix = {});

  bool empty() const { return numbers_.empty(); }

  // The first thing that was wrong with a number: negative, too large, not whole, given twice.
  RejectReason reason() const { return reason_; }
  const std::string& detail() const { return detail_; }

 private:
  struct Number {
    std::string path;
    int64_t value;
    bool is_whole;
    bool is_known = false;
  };

  void read(dom::object object, const std::string& prefix, size_t depth,
            std::span<const std::string_view> except);
  void read_value(dom::element element, const std::string& path, size_t depth, bool in_list);
  void put_number(const std::string& path, int64_t value, bool is_whole, bool in_list);
  void take_over();
  void refuse(RejectReason reason, std::string sentence);

  std::vector<Number> numbers_;
  std::vector<Number> reading_;  // of the object being read
  RejectReason reason_ = RejectReason::none;
  std::string detail_;
};

}  // namespace gauger::ingest
