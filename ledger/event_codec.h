// The sections of a block that hold its events' columns.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "ledger/block.h"
#include "ledger/section.h"

namespace gauger::ledger {

void add_event_columns(SectionWriter& sections, const EventColumns& events);
// Reads the columns of `count` events; events.row is the caller's. corruption names the column.
Result<void> read_event_columns(SectionReader& sections, size_t count, Columns columns,
                                EventColumns& events);

// A column as the bytes it lies in, and back.
template <class T>
std::string_view raw_bytes(const std::vector<T>& column) {
  return {reinterpret_cast<const char*>(column.data()), column.size() * sizeof(T)};
}
template <class T>
Result<std::vector<T>> read_raw(std::string_view bytes, size_t count, const char* what) {
  if (bytes.size() != count * sizeof(T))
    return corruption(std::string("a block's ") + what + " are damaged");
  std::vector<T> column(count);
  if (count != 0) std::memcpy(column.data(), bytes.data(), bytes.size());
  return column;
}

}  // namespace gauger::ledger
