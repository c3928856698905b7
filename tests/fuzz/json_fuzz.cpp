// A JSON event is accepted only where libprotobuf reads the same, and read by the fast path only
// where simdjson reads the same; every record is answered.
#include "ingest/json_decoder.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/json_reference.h"

using namespace gauger;
using namespace gauger::ingest;

namespace {

class Answers final : public EventSink {
 public:
  void accept(const UsageEvent& event) override { accepted.push_back(describe(event)); }
  void reject(RejectReason reason, std::string_view detail, std::string_view part) override {
    require(reason != RejectReason::none, "rejected for no reason");
    require(!detail.empty(), "rejected without a sentence");
    require(part.size() <= record.size() && part.data() >= record.data() &&
                part.data() + part.size() <= record.data() + record.size(),
            "the rejected part lies outside the record");
    ++rejected;
  }
  std::string_view record;
  std::vector<std::string> accepted;
  size_t rejected = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto decoder = make_json_decoder();
  static JsonReference reference;
  Answers answers;
  answers.record = view(data, size);
  decoder->decode(answers.record, {}, answers);
  const auto begin = answers.record.find_first_not_of(" \t\r\n");
  const auto is_batch =
      begin != std::string_view::npos &&
      (answers.record[begin] == '[' || answers.record.find("\"events\"") != std::string_view::npos);
  const auto flat_disagreement = reference.flat_disagreement(answers.record);
  require(flat_disagreement.empty(), flat_disagreement);
  if (is_batch) return 0;
  require(answers.accepted.size() + answers.rejected == 1, "one record, not one answer");
  if (answers.accepted.empty()) return 0;
  const auto disagreement = reference.disagreement(answers.record, answers.accepted[0]);
  require(disagreement.empty(), disagreement);
  return 0;
}
