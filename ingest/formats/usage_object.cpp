#include "ingest/formats/usage_object.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "schemas/limits.h"

namespace gauger::ingest {
namespace {

constexpr size_t numbers_max = 128;
constexpr size_t depth_max = 5;
constexpr double micro = 1'000'000;

}  // namespace

void UsageObject::clear() {
  numbers_.clear();
  reason_ = RejectReason::none;
  detail_.clear();
}

void UsageObject::refuse(RejectReason reason, std::string sentence) {
  if (reason_ != RejectReason::none) return;
  reason_ = reason;
  detail_ = std::move(sentence);
}

void UsageObject::merge(dom::object object, std::span<const std::string_view> except) {
  reading_.clear();
  read(object, "", 0, except);
  take_over();
}

void UsageObject::put(const std::string& path, int64_t value) {
  reading_.clear();
  put_number(path, value, true, false);
  take_over();
}

void UsageObject::put(const std::string& path, dom::element value) {
  reading_.clear();
  read_value(value, path, 0, false);
  take_over();
}

// What was read of one object replaces what was known before.
void UsageObject::take_over() {
  for (auto& number : reading_) {
    const auto same = std::ranges::find(numbers_, number.path, &Number::path);
    if (same == numbers_.end())
      numbers_.push_back(std::move(number));
    else
      *same = std::move(number);
  }
  if (numbers_.size() > numbers_max)
    refuse(RejectReason::too_many_extras,
           fmt::format("the usage object has more than {} numbers", numbers_max));
}

void UsageObject::read(dom::object object, const std::string& prefix, size_t depth,
                       std::span<const std::string_view> except) {
  for (const auto& [key, value] : object) {
    if (std::ranges::find(except, key) != except.end()) continue;
    read_value(value, prefix.empty() ? std::string(key) : fmt::format("{}.{}", prefix, key), depth,
               false);
    if (reason_ != RejectReason::none) return;
  }
}

void UsageObject::read_value(dom::element element, const std::string& path, size_t depth,
                             bool in_list) {
  if (depth > depth_max)
    return refuse(RejectReason::undecodable, "the usage object is nested too deep");
  switch (element.type()) {
    case dom::element_type::INT64:
    case dom::element_type::UINT64: {
      int64_t value = 0;
      if (element.get_int64().get(value) != simdjson::SUCCESS) value = limits::count_max + 1;
      return put_number(path, value, true, in_list);
    }
    case dom::element_type::DOUBLE: {
      double value = 0;
      if (element.get_double().get(value) != simdjson::SUCCESS) return;
      const auto is_whole = std::floor(value) == value;
      const auto scaled = is_whole ? value : value * micro;
      if (std::abs(scaled) > static_cast<double>(limits::count_max))
        return refuse(RejectReason::count_too_large, fmt::format("{} is {}", path, value));
      return put_number(path, std::llround(scaled), is_whole, in_list);
    }
    case dom::element_type::OBJECT:
      for (const auto& [key, value] : dom::object(element))
        read_value(value, fmt::format("{}.{}", path, key), depth + 1, in_list);
      return;
    case dom::element_type::ARRAY:
      for (const auto value : dom::array(element)) read_value(value, path, depth + 1, true);
      return;
    default: return;  // texts, flags and null, and what newer versions of simdjson add
  }
}

void UsageObject::put_number(const std::string& path, int64_t value, bool is_whole, bool in_list) {
  if (value < 0) return refuse(RejectReason::negative_count, fmt::format("{} is {}", path, value));
  if (value > limits::count_max)
    return refuse(RejectReason::count_too_large,
                  fmt::format("{} is more than {}", path, limits::count_max));
  const auto same = std::ranges::find(reading_, path, &Number::path);
  if (same == reading_.end()) {
    if (reading_.size() >= numbers_max)
      return refuse(RejectReason::too_many_extras,
                    fmt::format("the usage object has more than {} numbers", numbers_max));
    reading_.push_back({path, value, is_whole});
    return;
  }
  if (!in_list || same->is_whole != is_whole)
    return refuse(RejectReason::undecodable, fmt::format("{} is given twice", path));
  same->value = std::min(same->value + value, limits::count_max + 1);
}

std::optional<int64_t> UsageObject::take(std::initializer_list<std::string_view> paths) {
  std::optional<int64_t> taken;
  for (const auto path : paths) {
    const auto number = std::ranges::find(numbers_, path, &Number::path);
    if (number == numbers_.end()) continue;
    number->is_known = true;
    if (!number->is_whole)
      refuse(RejectReason::undecodable, fmt::format("{} is not a whole number", path));
    if (!taken)
      taken = number->value;
    else if (*taken != number->value)
      refuse(RejectReason::totals_disagree,
             fmt::format("{} is {} but another name for it says {}", path, number->value, *taken));
  }
  return taken;
}

void UsageObject::ignore(std::initializer_list<std::string_view> paths) {
  for (const auto path : paths)
    for (auto& number : numbers_)
      if (number.path == path) number.is_known = true;
}

void UsageObject::leave_extras(UsageEvent& event, EventMemory& memory, std::string_view prefix) {
  for (const auto& number : numbers_) {
    if (number.is_known || number.value == 0) continue;
    // A name that a meter has would count twice in a sum by name.
    const auto inner = prefix.empty() && find_meter(number.path) ? "usage." : prefix;
    memory.add_extra(
        event,
        memory.keep(fmt::format("{}{}{}", inner, number.path, number.is_whole ? "" : "_micro")),
        number.value);
  }
}

}  // namespace gauger::ingest
