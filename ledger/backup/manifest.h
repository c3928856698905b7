// The text of a backup's manifest (backup.h).
#pragma once

#include <string>
#include <string_view>

#include "ledger/backup/backup.h"

namespace gauger::ledger {

std::string manifest_text(const Backup& backup);
// corruption, naming `name`, where it does not match its hash.
Result<Backup> parse_manifest(std::string_view text, const std::string& name);

}  // namespace gauger::ledger
