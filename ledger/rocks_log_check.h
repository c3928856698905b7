// What one turned bit hides from RocksDB. Its manifest and its write-ahead logs are sequences of
// checked records, but it takes a record that reaches beyond the end of the file for one that a
// crash cut off, and a record of the type that reused files have for the end of the log. It goes on
// without them and all that follow; a writer then deletes the files that the rest of the manifest
// names. So both are looked for before a store is opened, and its files stay as they were.
#pragma once

#include <filesystem>

#include "ledger/disk.h"

namespace gauger::ledger {

// corruption, naming file and byte, where a record of the manifest is whole but for one bit of its
// length or type. A record that a crash cut off is none. May run beside a writer.
Result<void> check_manifest(const std::filesystem::path& store, const Disk& disk);

// The same of the write-ahead logs. Reads them whole: some 128 MiB at most.
Result<void> check_write_ahead_logs(const std::filesystem::path& store, const Disk& disk);

}  // namespace gauger::ledger
