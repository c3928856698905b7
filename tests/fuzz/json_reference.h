// libprotobuf's own reading of a JSON event, held against ours.
#pragma once

#include <google/protobuf/util/json_util.h>

#include <string>
#include <string_view>

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
};

}  // namespace gauger::ingest
