#include "schemas/thread_priority.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace gauger {
namespace {

// The kernel's struct sched_attr in its first form; glibc of Debian 12 has none.
struct SchedAttributes {
  uint32_t size = sizeof(SchedAttributes);
  uint32_t policy = SCHED_OTHER;
  uint64_t flags = 0;
  int32_t nice = 0;
  uint32_t priority = 0;
  uint64_t runtime_ns = 0;  // of SCHED_OTHER: the slice
  uint64_t deadline_ns = 0;
  uint64_t period_ns = 0;
};

constexpr uint64_t prompt_slice_ns = 100'000;  // the shortest that the kernel gives
constexpr int behind_nice = 5;

}  // namespace

void run_promptly() {
  SchedAttributes wanted;
  wanted.nice = ::getpriority(PRIO_PROCESS, 0);
  wanted.runtime_ns = prompt_slice_ns;
  ::syscall(SYS_sched_setattr, 0, &wanted, 0);
}

void run_behind() {
  SchedAttributes wanted;
  wanted.policy = SCHED_BATCH;
  wanted.nice = ::getpriority(PRIO_PROCESS, 0) + behind_nice;
  ::syscall(SYS_sched_setattr, 0, &wanted, 0);
}

}  // namespace gauger
