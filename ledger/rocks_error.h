// RocksDB's statuses as ours. Inside ledger/ only.
#pragma once

#include <rocksdb/status.h>

#include <string_view>

#include "schemas/result.h"

namespace gauger::ledger {

// corruption, unavailable where another process holds the lock, io for everything else.
Error to_error(const rocksdb::Status& status, std::string_view doing);

}  // namespace gauger::ledger
