// Must be found within seconds: shows that the fuzzing itself works, the coverage guidance, the
// abort and the report. Every other target is worth as much as this one is loud.
#include "tests/fuzz/fuzz_input.h"

using namespace gauger::ingest;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = view(data, size);
  const auto nested = bytes.size() > 3 && bytes[0] == 'd' && bytes[1] == 'e' && bytes[2] == 'a';
  require(!nested || bytes[3] != 'd', "the canary was found");
  return 0;
}
