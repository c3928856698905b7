// Other readings of a JSON event, held against ours: libprotobuf's own, and simdjson's against the
// fast path's.
#pragma once

#include <google/protobuf/util/json_util.h>

#include <string>
#include <string_view>

#include "ingest/flat_json.h"
#include "ingest/json_decoder.h"
#include "tests/fuzz/wire_reference.h"

namespace gauger::ingest {

class JsonReference {
 public:
  // What the rules say about libprotobuf's reading; nothing where it cannot read the text.
  RejectReason read(std::string_view json, bool& readable) {
#if defined(GOOGLE_PROTOBUF_VERSION) && GOOGLE_PROTOBUF_VERSION < 4022000
    google::protobuf::SetLogHandler(nullptr);
#endif
    v1::UsageEvent message;
    readable =
        google::protobuf::util::JsonStringToMessage({json.data(), json.size()}, &message).ok();
    return readable ? reference_.take(message) : RejectReason::undecodable;
  }
  const UsageEvent& event() const { return reference_.event(); }

  // Empty where what the fast path accepts is what simdjson reads, else what each says.
  std::string flat_disagreement(std::string_view json) {
    UsageEvent flat;
    if (!flat_.read(json, flat)) return {};
    const auto said = describe(flat);
    UsageEvent event;
    const auto reason = reader_.read(json, event);
    if (reason != RejectReason::none)
      return fmt::format("read as flat, yet {}: {}", to_string(reason), reader_.detail());
    ++flat_reads;
    if (describe(event) == said) return {};
    return "read as flat:\n" + said + "instead of:\n" + describe(event);
  }
  size_t flat_reads = 0;  // that simdjson agreed with

  // Empty where libprotobuf agrees with an accepted event, else what each says.
  std::string disagreement(std::string_view json, const std::string& accepted) {
    bool readable = false;
    const auto reason = read(json, readable);
    if (!readable) return "libprotobuf cannot read this JSON";
    if (reason != RejectReason::none) return fmt::format("accepted, yet {}", to_string(reason));
    if (describe(event()) == accepted) return {};
    return "read:\n" + accepted + "instead of:\n" + describe(event());
  }

 private:
  WireReference reference_;
  FlatJson flat_;
  JsonEventReader reader_;
};

}  // namespace gauger::ingest
