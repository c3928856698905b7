// RocksDB as Debian builds it keeps its assertions, and reads a table's properties before it
// compares their checksum: one turned bit of them ends the process by an assertion that names a
// source file of RocksDB and nothing else. While a note is alive, an abort of its thread says on
// standard error which store was being opened. A handler that somebody else has set for SIGABRT
// stays.
#pragma once

#include <string>

namespace gauger::ledger {

class AbortNote {
 public:
  // Of a store that is being opened on this thread; the newest is told.
  explicit AbortNote(const std::string& store);
  AbortNote(const AbortNote&) = delete;
  AbortNote& operator=(const AbortNote&) = delete;
  ~AbortNote();

 private:
  std::string sentence_;
  const std::string* outer_ = nullptr;
};

}  // namespace gauger::ledger
