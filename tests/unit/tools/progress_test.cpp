#include "tools/progress.h"

#include "tests/catch.h"

using gauger::tools::progress_line;
using namespace std::chrono_literals;

TEST_CASE("a progress line says amount, rate and time left", "[tools]") {
  CHECK(progress_line("generate", "events", 10'000'000, 20'000'000, 5s, 200) ==
        "generate  [============>           ]  50 %  10.0 M of 20.0 M events  2.0 M/s  5 s left");
  CHECK(progress_line("ingest", "events", 1'999, 0, 2s, 200) == "ingest  1.9 k events  999/s");
  CHECK(progress_line("ingest", "bytes", 3, 3, 0ms, 200) ==
        "ingest  [========================]  100 %  3 of 3 bytes  3.0 k/s");
  CHECK(progress_line("verify", "blocks", 1, 7'201, 1s, 200).find("2 h left") != std::string::npos);
}

TEST_CASE("a progress line never passes the width, the total or a division by zero", "[tools]") {
  CHECK(progress_line("generate", "events", 1, 2, 1s, 20).size() == 20);
  CHECK(progress_line("generate", "events", 0, 2, 0s, 200).find("0 %") != std::string::npos);
  CHECK(progress_line("generate", "events", 9, 2, 1s, 200).find("100 %") != std::string::npos);
}
