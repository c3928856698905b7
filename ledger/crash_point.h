// Named points at which a test ends the process as `kill -9` does: between two steps that must not
// need one another. Only in builds with GAUGER_CRASH_POINTS; elsewhere there is nothing of it.
//
// GAUGER_CRASH_AT=NAME or NAME:N in the environment: at the N-th time that the point is reached.
#pragma once

#include <string_view>

namespace gauger::ledger {

#ifdef GAUGER_CRASH_POINTS
void crash_point(std::string_view name);
#else
inline void crash_point(std::string_view) {}
#endif

}  // namespace gauger::ledger
