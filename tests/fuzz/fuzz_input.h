// What the targets share: a view of the input, and how a broken promise ends the run.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace gauger::ingest {

inline std::string_view view(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// The input shows that a promise is broken.
inline void require(bool kept, const std::string& what) {
  if (kept) return;
  std::fprintf(stderr, "%s\n", what.c_str());
  std::abort();
}

}  // namespace gauger::ingest
