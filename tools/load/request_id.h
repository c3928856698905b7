// Request ids as gateways and providers write them, unique by construction: they begin with a
// bijection of the event's index.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "tools/load/random.h"

namespace gauger::load {

enum class IdStyle : uint8_t { uuid, openai, anthropic, amazon };

// The longest of them.
using IdText = std::array<char, 40>;

// Writes to `text`, which the result points into. Two calls with the same seed and style
// answer the same id only for the same index.
std::string_view make_request_id(IdStyle style, uint64_t seed, uint64_t index, IdText& text);

}  // namespace gauger::load
