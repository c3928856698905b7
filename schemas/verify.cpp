#include "schemas/verify.h"

#include <cstdio>
#include <cstdlib>

namespace gauger {

void verify_failed(const char* condition, const char* why, const char* file, int line) {
  std::fprintf(stderr, "gauger: bug: %s (%s) at %s:%d\n", why, condition, file, line);
  std::fflush(stderr);
  std::abort();
}

}  // namespace gauger
