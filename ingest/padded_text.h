// A copy of a text with room behind it: simdjson reads up to 64 bytes beyond the text, and a record
// is a view into a larger buffer. Private to ingest/.
#pragma once

#include <simdjson.h>

#include <cstring>
#include <string_view>
#include <vector>

namespace gauger::ingest {

class PaddedText {
 public:
  simdjson::padded_string_view assign(std::string_view text) {
    const auto capacity = text.size() + simdjson::SIMDJSON_PADDING;
    if (bytes_.size() < capacity) bytes_.resize(capacity * 2);
    if (!text.empty()) std::memcpy(bytes_.data(), text.data(), text.size());
    std::memset(bytes_.data() + text.size(), ' ', simdjson::SIMDJSON_PADDING);
    return simdjson::padded_string_view(bytes_.data(), text.size(), bytes_.size());
  }
  size_t offset_of(const char* at) const { return static_cast<size_t>(at - bytes_.data()); }

 private:
  std::vector<char> bytes_;
};

}  // namespace gauger::ingest
