// C11's threads as POSIX ones, for builds with ThreadSanitizer: Debian's librdkafka makes its
// threads with thrd_create, which GCC 12's ThreadSanitizer does not know, so that the first call it
// watches ends the process. In glibc both kinds are the same objects. What librdkafka hands from
// thread to thread is seen this way as well.
#include <pthread.h>
#include <threads.h>

#include <cerrno>
#include <cstdint>
#include <memory>

static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t) && sizeof(cnd_t) == sizeof(pthread_cond_t));

namespace {

struct Start {
  thrd_start_t function;
  void* argument;
};

void* run(void* bytes) {
  const std::unique_ptr<Start> owned(static_cast<Start*>(bytes));
  const auto start = *owned;
  return reinterpret_cast<void*>(static_cast<intptr_t>(start.function(start.argument)));
}

int as_c11(int error) {
  switch (error) {
    case 0: return thrd_success;
    case ENOMEM: return thrd_nomem;
    case ETIMEDOUT: return thrd_timedout;
    case EBUSY: return thrd_busy;
    default: return thrd_error;
  }
}

auto* posix(mtx_t* mutex) { return reinterpret_cast<pthread_mutex_t*>(mutex); }
auto* posix(cnd_t* condition) { return reinterpret_cast<pthread_cond_t*>(condition); }

}  // namespace

extern "C" {

int thrd_create(thrd_t* thread, thrd_start_t function, void* argument) {
  auto start = std::make_unique<Start>(Start{function, argument});
  const auto error = pthread_create(thread, nullptr, run, start.get());
  if (error == 0) static_cast<void>(start.release());
  return as_c11(error);
}
int thrd_join(thrd_t thread, int* result) {
  void* value = nullptr;
  const auto error = pthread_join(thread, &value);
  if (result != nullptr) *result = static_cast<int>(reinterpret_cast<intptr_t>(value));
  return as_c11(error);
}

int mtx_init(mtx_t* mutex, int type) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  if ((type & mtx_recursive) != 0) pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
  const auto error = pthread_mutex_init(posix(mutex), &attributes);
  pthread_mutexattr_destroy(&attributes);
  return as_c11(error);
}
int mtx_lock(mtx_t* mutex) { return as_c11(pthread_mutex_lock(posix(mutex))); }
int mtx_unlock(mtx_t* mutex) { return as_c11(pthread_mutex_unlock(posix(mutex))); }
void mtx_destroy(mtx_t* mutex) { pthread_mutex_destroy(posix(mutex)); }

int cnd_init(cnd_t* condition) { return as_c11(pthread_cond_init(posix(condition), nullptr)); }
int cnd_signal(cnd_t* condition) { return as_c11(pthread_cond_signal(posix(condition))); }
int cnd_broadcast(cnd_t* condition) { return as_c11(pthread_cond_broadcast(posix(condition))); }
int cnd_wait(cnd_t* condition, mtx_t* mutex) {
  return as_c11(pthread_cond_wait(posix(condition), posix(mutex)));
}
int cnd_timedwait(cnd_t* condition, mtx_t* mutex, const timespec* until) {
  return as_c11(pthread_cond_timedwait(posix(condition), posix(mutex), until));
}
void cnd_destroy(cnd_t* condition) { pthread_cond_destroy(posix(condition)); }

}  // extern "C"
