// Which threads wait for which when there are fewer processors than work: a request that is
// answered from memory in microseconds goes before a block that takes milliseconds.
//
// Each speaks of the calling thread, needs no privilege, and is a wish: a kernel that does not know
// it runs the thread as any other.
#pragma once

namespace gauger {

// Short pieces of work that somebody waits for: asks for short slices, so that it runs soon after
// it wakes (Linux 6.12 and newer).
void run_promptly();
// Long pieces of work: does not push others aside when it wakes, and yields more to them.
void run_behind();

}  // namespace gauger
