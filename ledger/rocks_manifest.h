// RocksDB's manifest, the log of which files are its own. RocksDB takes a record that reaches
// beyond the end of the file for one that a crash cut off, and goes on without it and all that
// follow. A damaged length makes such a record, and of a manifest of less than 32 KiB, one block,
// in any place. What is lost so is either missed (a file that is gone, a head below the anchor) or
// makes no difference; `gauger verify` names it all the same.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "ledger/disk.h"

namespace gauger::ledger {

// A sentence where a record's length is not the one that its checksum is of, or its type is none of
// a manifest's; none where the records reach to the end, or a crash cut the last one off. May run
// beside a writer. Errors are io.
Result<std::optional<std::string>> manifest_damage(const std::filesystem::path& store,
                                                   const Disk& disk);

}  // namespace gauger::ledger
