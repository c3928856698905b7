// VERIFY(condition, "why") ends the process when an invariant of ours is broken.
// It is on in every build: the journal replays, a wrong ledger does not heal.
// Data from outside is never VERIFYed; it is answered with a Result or a rejection.
#pragma once

namespace gauger {

[[noreturn]] void verify_failed(const char* condition, const char* why, const char* file, int line);

}  // namespace gauger

#define VERIFY(condition, why)                         \
  (static_cast<bool>(condition) ? static_cast<void>(0) \
                                : ::gauger::verify_failed(#condition, (why), __FILE__, __LINE__))
