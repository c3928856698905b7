#include "tests/faults/child.h"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <exception>

#include "tests/catch.h"

namespace gauger::testing {
namespace {

void write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(file, text.data(), text.size());
    if (written <= 0) ::_exit(2);
    text.remove_prefix(static_cast<size_t>(written));
  }
}

[[noreturn]] void live(const std::function<void(const Tell&)>& work, int file) {
  std::signal(SIGABRT, SIG_DFL);  // Catch's handler would report it as the test's
  try {
    work([&](std::string_view text) { write_all(file, text); });
  } catch (const std::exception& error) {
    std::fprintf(stderr, "a child of the test ended with: %s\n", error.what());
    ::_exit(1);
  } catch (...) {  // a requirement that failed, and was printed
    ::_exit(1);
  }
  ::_exit(0);
}

}  // namespace

Child in_child(const std::function<void(const Tell&)>& work) {
  std::array<int, 2> pipe{};
  REQUIRE(::pipe(pipe.data()) == 0);
  std::fflush(nullptr);
  const auto id = ::fork();
  REQUIRE(id >= 0);
  if (id == 0) {
    ::close(pipe[0]);
    live(work, pipe[1]);
  }
  ::close(pipe[1]);
  Child child;
  std::array<char, 65536> part{};
  for (ssize_t size = 0; (size = ::read(pipe[0], part.data(), part.size())) > 0;)
    child.told.append(part.data(), static_cast<size_t>(size));
  ::close(pipe[0]);
  int status = 0;
  REQUIRE(::waitpid(id, &status, 0) == id);
  if (WIFSIGNALED(status)) {
    child.signal = WTERMSIG(status);
  } else {
    REQUIRE(WEXITSTATUS(status) == 0);
  }
  return child;
}

}  // namespace gauger::testing
