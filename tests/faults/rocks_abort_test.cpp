// Why: P5, where RocksDB ends the process by an assertion that names nothing of ours.
#include "ledger/rocks_abort.h"

#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "tests/catch.h"
#include "tests/faults/child.h"

using namespace gauger;
using namespace gauger::testing;

namespace {

// What a child that aborts says on standard error.
std::string errors_of_abort(bool while_opening) {
  std::FILE* errors = std::tmpfile();
  REQUIRE(errors != nullptr);
  const auto child = in_child([&](const Tell&) {
    ::dup2(::fileno(errors), STDERR_FILENO);
    {
      const ledger::AbortNote outer("/srv/ledger/store");
      { const ledger::AbortNote inner("/srv/other/store"); }
      if (while_opening) std::abort();
    }
    std::abort();
  });
  CHECK(child.signal == SIGABRT);
  std::array<char, 512> text{};
  const auto size = ::pread(::fileno(errors), text.data(), text.size(), 0);
  std::fclose(errors);
  return {text.data(), size > 0 ? static_cast<size_t>(size) : 0};
}

}  // namespace

TEST_CASE("an abort names the store that was being opened, and only then", "[faults]") {
  CHECK(errors_of_abort(true).find("while it opened /srv/ledger/store") != std::string::npos);
  CHECK(errors_of_abort(false).empty());
}
