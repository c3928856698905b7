// Every record means to decode_wire what it means to libprotobuf.
#include "ingest/wire_decoder.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/wire_reference.h"

using namespace gauger::ingest;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static WireScratch scratch;
  static WireReference reference;
  static gauger::UsageEvent event;
  const auto bytes = view(data, size);
  const auto reason = decode_wire(bytes, event, scratch);
  const auto disagreement = wire_disagreement(bytes, reason, event, reference);
  require(disagreement.empty(), disagreement);
  scratch.clear();
  return 0;
}
