// Meters: what is counted. The counts of one event are disjoint, so any of them may be added.
// The numbers are stored on disk and never change; new meters are appended.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace gauger {

enum class Meter : uint8_t {
  input_uncached = 0,
  cache_read = 1,
  cache_write_5m = 2,
  cache_write_1h = 3,
  input_audio = 4,
  input_image = 5,
  output_text = 6,
  output_reasoning = 7,
  output_audio = 8,
  compute_us = 9,     // accelerator-microseconds
  web_searches = 10,  // calls
  images = 11,        // generated images
};

inline constexpr size_t meter_count = 12;

inline constexpr std::array<std::string_view, meter_count> meter_names = {
    "input_uncached", "cache_read",  "cache_write_5m", "cache_write_1h",
    "input_audio",    "input_image", "output_text",    "output_reasoning",
    "output_audio",   "compute_us",  "web_searches",   "images"};

// The input classes decide the context tier; together they are what providers call input.
inline constexpr size_t input_meter_count = 6;  // input_uncached … input_image
inline constexpr size_t token_meter_count = 9;  // … output_audio

constexpr std::string_view to_string(Meter meter) {
  return meter_names[static_cast<size_t>(meter)];
}
constexpr std::optional<Meter> find_meter(std::string_view name) {
  for (size_t i = 0; i < meter_count; ++i)
    if (meter_names[i] == name) return static_cast<Meter>(i);
  return std::nullopt;
}

// One value per meter, zero where absent.
using Counts = std::array<int64_t, meter_count>;
// Bit i set: meter i was stated. Zero and absent differ here only.
using MeterMask = uint16_t;

constexpr MeterMask mask_of(Meter meter) {
  return static_cast<MeterMask>(1U << static_cast<unsigned>(meter));
}

}  // namespace gauger
