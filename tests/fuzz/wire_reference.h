// The slow, plain reading of a protobuf event by libprotobuf's reflection: what decode_wire must
// agree with, record by record. It shares the field table and check() with the decoder, and
// nothing of its parsing.
#pragma once

#include <fmt/format.h>
#include <google/protobuf/stubs/common.h>

#include <algorithm>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/check.h"
#include "ingest/event_fields.h"
#include "schemas/limits.h"
#include "schemas/usage_event.pb.h"

namespace gauger::ingest {

// Everything that an event says, as text.
inline std::string describe(const UsageEvent& event) {
  std::string text;
  const auto add = [&](std::string_view name, const auto& value) {
    text += fmt::format("{}={}\n", name, value);
  };
  for (const auto& field : event_fields) {
    if (field.text != nullptr && !(event.*field.text).empty()) add(field.name, event.*field.text);
    if (field.time != nullptr && event.*field.time != no_instant)
      add(field.name, format_instant(event.*field.time));
    if (field.total != nullptr && event.*field.total != no_total)
      add(field.name, event.*field.total);
    if (field.kind == FieldKind::meter && event.has(field.meter))
      add(field.name, event.counts[static_cast<size_t>(field.meter)]);
    if (field.target != nullptr && !(event.*field.target).id.empty()) {
      const auto& target = event.*field.target;
      add(field.name, fmt::format("{}|{}|{}", target.source, target.id, target.reason));
    }
  }
  add("enums",
      fmt::format("{} {} {} {} {} {}", to_string(event.service_tier), to_string(event.usage_source),
                  to_string(event.purpose), to_string(event.exposure), to_string(event.role),
                  to_string(event.outcome)));
  for (const auto& extra : event.extras) add(extra.name, extra.count);
  return text;
}

class WireReference {
 public:
  // Where libprotobuf reads the bytes, the reason that the rules give; else nothing.
  RejectReason read(std::string_view bytes, bool& readable) {
#if defined(GOOGLE_PROTOBUF_VERSION) && GOOGLE_PROTOBUF_VERSION < 4022000
    google::protobuf::SetLogHandler(nullptr);
#endif
    readable = message_.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
    return readable ? take(message_) : RejectReason::undecodable;
  }

  RejectReason take(const v1::UsageEvent& message) {
    event_ = UsageEvent{};
    texts_.clear();
    extras_.clear();
    for (const auto& name : message.must_understand())
      if (find_field(name) == nullptr) return RejectReason::newer_schema;
    auto reason = RejectReason::none;
    const auto note = [&](RejectReason found) {
      if (reason == RejectReason::none) reason = found;
    };
    // The decoder's order: extras, enums, targets, times, then the shared rules.
    if (message.extras().size() > limits::extras_max) note(RejectReason::too_many_extras);
    for (const auto kind_wanted : {0, 1, 2, 3})
      for (const auto& field : event_fields)
        if (rank(field.kind) == kind_wanted) note(take_field(message, field));
    for (const auto& [name, count] : message.extras()) extras_.push_back({keep(name), count});
    std::sort(extras_.begin(), extras_.end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
    event_.extras = extras_;
    std::string detail;
    return reason != RejectReason::none ? reason : check(event_, detail);
  }

  const UsageEvent& event() const { return event_; }

 private:
  static int rank(FieldKind kind) {
    return is_enum(kind) ? 1 : kind == FieldKind::target ? 2 : kind == FieldKind::time ? 3 : 0;
  }

  std::string_view keep(const std::string& text) { return texts_.emplace_back(text); }

  RejectReason take_field(const v1::UsageEvent& message, const EventField& field) {
    const auto* reflection = message.GetReflection();
    const auto* descriptor = message.GetDescriptor()->FindFieldByName(std::string(field.name));
    if (descriptor == nullptr || descriptor->number() != field.number ||
        descriptor->json_name() != field.camel_name)
      return RejectReason::unmapped;  // the table is wrong: no decoder answers this
    if (field.text != nullptr)
      event_.*field.text = keep(reflection->GetString(message, descriptor));
    if (is_enum(field.kind) &&
        !set_enum(event_, field.kind, reflection->GetEnumValue(message, descriptor)))
      return RejectReason::unknown_enum;
    if (field.kind == FieldKind::must_understand || field.kind == FieldKind::extras ||
        !descriptor->has_presence() || !reflection->HasField(message, descriptor))
      return RejectReason::none;
    if (field.kind == FieldKind::meter)
      event_.set(field.meter, reflection->GetInt64(message, descriptor));
    if (field.total != nullptr)
      event_.*field.total = std::max(reflection->GetInt64(message, descriptor), no_total + 1);
    if (field.time != nullptr) return take_time(message, descriptor, event_.*field.time);
    if (field.target != nullptr) {
      const auto& target =
          dynamic_cast<const v1::UsageEvent::Target&>(reflection->GetMessage(message, descriptor));
      event_.*field.target = {keep(target.source()), keep(target.id()), keep(target.reason())};
      if (target.id().empty()) return RejectReason::missing_identity;
    }
    return RejectReason::none;
  }

  static RejectReason take_time(const v1::UsageEvent& message,
                                const google::protobuf::FieldDescriptor* descriptor,
                                Instant& instant) {
    const auto& time = dynamic_cast<const google::protobuf::Timestamp&>(
        message.GetReflection()->GetMessage(message, descriptor));
    if (time.seconds() < timestamp_seconds_min || time.seconds() > timestamp_seconds_max ||
        time.nanos() < 0 || time.nanos() > 999'999'999)
      return RejectReason::invalid_time;
    instant = instant_from_us(time.seconds() * 1'000'000 + time.nanos() / 1000);
    return RejectReason::none;
  }

  v1::UsageEvent message_;
  UsageEvent event_;
  std::deque<std::string> texts_;
  std::vector<ExtraCount> extras_;
};

// Empty where decode_wire and libprotobuf agree about the bytes, else what each says.
inline std::string wire_disagreement(std::string_view bytes, RejectReason reason,
                                     const UsageEvent& event, WireReference& reference) {
  bool readable = false;
  const auto expected = reference.read(bytes, readable);
  if (!readable) {
    if (reason == RejectReason::undecodable || reason == RejectReason::invalid_text) return {};
    return fmt::format("libprotobuf cannot read what is answered by {}", to_string(reason));
  }
  if (reason != expected)
    return fmt::format("{} instead of {}", to_string(reason), to_string(expected));
  if (reason != RejectReason::none || describe(event) == describe(reference.event())) return {};
  return "read:\n" + describe(event) + "instead of:\n" + describe(reference.event());
}

}  // namespace gauger::ingest
