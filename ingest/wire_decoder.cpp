#include "ingest/wire_decoder.h"

#include <fmt/format.h>
#include <google/protobuf/stubs/common.h>
#include <simdjson.h>

#include <cstring>

#include "ingest/blank_event.h"
#include "ingest/check.h"
#include "ingest/event_fields.h"
#include "ingest/wire_format.h"
#include "ingest/wire_time.h"
#include "schemas/short_text.h"
#include "schemas/usage_event.pb.h"

namespace gauger::ingest {
namespace {

constexpr uint32_t tag_max = tag_of(field_number_max, fixed32);

// What to do at a tag. Tags that the schema does not have are skipped.
enum class Step : uint8_t {
  skip,
  text,
  time,
  count,
  total,
  enumeration,
  extra,
  target,
  must_understand,
};

struct StepTable {
  std::array<Step, tag_max + 1> steps{};
  // By field number.
  std::array<uint8_t, field_number_max + 1> fields{};  // index into event_fields
  std::array<std::string_view UsageEvent::*, field_number_max + 1> texts{};
  std::array<Meter, field_number_max + 1> meters{};
  std::array<Instant UsageEvent::*, field_number_max + 1> times{};

  constexpr StepTable() {
    for (uint8_t i = 0; i < event_fields.size(); ++i) {
      const auto& field = event_fields[i];
      fields[field.number] = i;
      texts[field.number] = field.text;
      meters[field.number] = field.meter;
      times[field.number] = field.time;
      const auto type =
          field.kind == FieldKind::meter || field.kind == FieldKind::total || is_enum(field.kind)
              ? varint
              : length_delimited;
      steps[tag_of(field.number, type)] = step_of(field.kind);
    }
  }
  static constexpr Step step_of(FieldKind kind) {
    switch (kind) {
      case FieldKind::text: return Step::text;
      case FieldKind::time: return Step::time;
      case FieldKind::meter: return Step::count;
      case FieldKind::extras: return Step::extra;
      case FieldKind::total: return Step::total;
      case FieldKind::service_tier:
      case FieldKind::usage_source:
      case FieldKind::purpose:
      case FieldKind::exposure:
      case FieldKind::role:
      case FieldKind::outcome: return Step::enumeration;
      case FieldKind::target: return Step::target;
      case FieldKind::must_understand: return Step::must_understand;
    }
    return Step::skip;
  }
};

constexpr StepTable table;

constexpr const EventField& field_of(uint32_t number) { return event_fields[table.fields[number]]; }

// Texts are short and nearly always ASCII: eight bytes at a time beats a call, and a text with
// enough of its record behind its begin (`readable` bytes) is looked at whatever its length is.
[[gnu::always_inline]] inline bool is_ascii(std::string_view text, size_t readable) {
  if (text.size() <= short_text_bytes_max && readable >= short_text_bytes_max) [[likely]] {
    const auto [words] = words_of_readable(text);
    return ((words[0] | words[1] | words[2]) & 0x8080'8080'8080'8080U) == 0;
  }
  const auto* data = text.data();
  const auto size = text.size();
  const auto word = [data](size_t at) {
    uint64_t loaded = 0;
    std::memcpy(&loaded, data + at, sizeof loaded);
    return loaded;
  };
  uint64_t bits = 0;
  if (size > 32 && size <= 64) {
    // Ids: from both ends, which meet or overlap.
    for (size_t i = 0; i < 32; i += 8) bits |= word(i) | word(size - 32 + i);
  } else if (size >= 8) {
    for (size_t i = 0; i + 8 <= size; i += 8) bits |= word(i);
    bits |= word(size - 8);
  } else {
    for (size_t i = 0; i < size; ++i) bits |= static_cast<uint8_t>(data[i]);
  }
  return (bits & 0x8080'8080'8080'8080U) == 0;
}

// Seconds and nanoseconds as libprotobuf merges them. `instant` is no_instant where the time
// lies outside the years that a Timestamp may hold.
Instant to_instant(int64_t seconds, int64_t nanos) {
  if (seconds < timestamp_seconds_min || seconds > timestamp_seconds_max || nanos < 0 ||
      nanos > 999'999'999)
    return no_instant;
  return instant_from_us(seconds * 1'000'000 + nanos / 1000);
}

// no_total means absent; a stated total of that value is as negative as its neighbour.
int64_t stated(int64_t total) { return total == no_total ? no_total + 1 : total; }

}  // namespace

#if defined(GOOGLE_PROTOBUF_VERSION) && GOOGLE_PROTOBUF_VERSION < 4022000
void silence_libprotobuf() {
  // Not safe to call twice at once.
  static const bool done = (google::protobuf::SetLogHandler(nullptr), true);
  static_cast<void>(done);
}
#else
void silence_libprotobuf() {}
#endif

// --- one event ------------------------------------------------------------------------------

// Reads one event: quickly where everything is as expected, else with libprotobuf.
class WireReader {
 public:
  WireReader(UsageEvent& event, WireScratch& scratch) : event_(event), scratch_(scratch) {}

  RejectReason read(std::string_view bytes) {
    make_blank(event_);
    if (!read_fields(bytes)) return read_unusual(bytes);
    if (extras_count_ != 0) keep_extras({scratch_.extras_.data(), extras_count_});
    return RejectReason::none;
  }

 private:
  // False: something unusual or wrong, which libprotobuf has to judge. Where it reads is kept in
  // registers: what is rare is called with copies.
  bool read_fields(std::string_view bytes) {
    if (bytes.size() < wire_word_bytes) return false;
    auto& event = event_;
    const auto* at = bytes.data();
    const auto* const end = at + bytes.size();
    while (at != end) {
      uint32_t tag = static_cast<uint8_t>(*at++);
      if (tag >= 0x80) {
        if (at == end) return false;
        const auto second = static_cast<uint8_t>(*at++);
        if (second == 0 || second >= 0x80) return false;
        tag = (tag & 0x7FU) | uint32_t{second} << 7U;
      }
      const auto step = tag <= tag_max ? table.steps[tag] : Step::skip;
      if (step == Step::text) {
        if (at == end) return false;
        const auto size = static_cast<uint8_t>(*at);
        if (size < 0x80) {
          ++at;
          if (size > static_cast<size_t>(end - at)) return false;
          const std::string_view text(at, size);
          event.*table.texts[tag >> 3U] = text;
          if (!is_ascii(text, static_cast<size_t>(end - at)) && !is_text(text, tag >> 3U))
            return false;
          at += size;
          continue;
        }
      } else if (step == Step::count) {
        uint64_t value = 0;
        if (!take_number(at, end, end, value)) return false;
        event.set(table.meters[tag >> 3U], static_cast<int64_t>(value));
        continue;
      } else if (step == Step::time) {
        auto& instant = event.*table.times[tag >> 3U];
        const auto size = read_usual_time(at, end, instant);
        at = size != 0 ? at + size : read_time(at, end, instant);
        if (at == nullptr) return false;
        continue;
      }
      at = read_other(step, tag, at, end);
      if (at == nullptr) return false;
    }
    return true;
  }

  // One field of any kind, behind its tag. Returns its end, or nullptr where libprotobuf has to
  // judge.
  [[gnu::noinline]] const char* read_other(Step step, uint32_t tag, const char* begin,
                                           const char* end) {
    std::string_view bytes(begin, static_cast<size_t>(end - begin));
    if (tag < 8) return nullptr;  // there is no field 0
    bool done = false;
    if (step == Step::skip) {
      done = skip_field(bytes, tag);
    } else if ((tag & 7U) == length_delimited) {
      std::string_view payload;
      done = take_bytes(bytes, payload) && read_payload(step, tag >> 3U, payload);
    } else {
      uint64_t value = 0;
      done = take_varint(bytes, value) && read_number(step, field_of(tag >> 3U), value);
    }
    return done ? bytes.data() : nullptr;
  }

  bool read_payload(Step step, uint32_t number, std::string_view payload) {
    const auto& field = field_of(number);
    if (step == Step::text) {
      event_.*field.text = payload;
      return is_text(payload, number);
    }
    if (step == Step::extra) return read_extra(payload);
    if (step == Step::target) return read_target(payload, event_.*field.target, field.name);
    return is_text(payload, field.name) && find_field(payload) != nullptr;  // must_understand
  }

  bool read_number(Step step, const EventField& field, uint64_t value) {
    if (step == Step::enumeration)
      return value < 0x80 && set_enum(event_, field.kind, static_cast<int64_t>(value));
    event_.*field.total = static_cast<int64_t>(value);
    return true;
  }

  [[gnu::noinline]] bool is_text(std::string_view text, uint32_t number) {
    return is_text(text, field_of(number).name);
  }
  bool is_text(std::string_view text, std::string_view name) {
    if (simdjson::validate_utf8(text.data(), text.size())) return true;
    not_utf8_ = name;
    return false;
  }

  bool read_extra(std::string_view entry) {
    uint32_t tag = 0;
    std::string_view name;
    uint64_t count = 0;
    if (entry.empty() || !take_tag(entry, tag) || tag != tag_of(1, length_delimited) ||
        !take_bytes(entry, name) || !is_text(name, "the name of an extra"))
      return false;
    if (entry.empty() || !take_tag(entry, tag) || tag != tag_of(2, varint) ||
        !take_varint(entry, count) || !entry.empty())
      return false;
    return put_extra({name, static_cast<int64_t>(count)});
  }

  bool put_extra(const ExtraCount& extra) {
    for (size_t i = 0; i < extras_count_; ++i)
      if (scratch_.extras_[i].name == extra.name) return false;
    if (extras_count_ == scratch_.extras_.size()) return false;
    scratch_.extras_[extras_count_++] = extra;
    return true;
  }

  bool read_target(std::string_view message, EventTarget& target, std::string_view name) {
    if (!target.id.empty()) return false;
    uint32_t tag = 0;
    while (!message.empty()) {
      if (!take_tag(message, tag)) return false;
      auto* const part = tag == tag_of(1, length_delimited)   ? &target.source
                         : tag == tag_of(2, length_delimited) ? &target.id
                         : tag == tag_of(3, length_delimited) ? &target.reason
                                                              : nullptr;
      if (part == nullptr || !take_bytes(message, *part) || !is_text(*part, name)) return false;
    }
    return !target.id.empty();
  }

  // --- through libprotobuf --------------------------------------------------------------------

  RejectReason refuse(RejectReason reason, std::string sentence) {
    scratch_.detail = std::move(sentence);
    return reason;
  }

  RejectReason read_unusual(std::string_view bytes) {
    silence_libprotobuf();
    if (!scratch_.message_) scratch_.message_ = std::make_unique<v1::UsageEvent>();
    auto& message = *scratch_.message_;
    if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
      if (!not_utf8_.empty())
        return refuse(RejectReason::invalid_text, fmt::format("{} is not UTF-8", not_utf8_));
      return refuse(RejectReason::undecodable, "not a protobuf message gauger.v1.UsageEvent");
    }
    event_ = UsageEvent{};
    const auto reason = copy(message);
    message.Clear();
    return reason;
  }

  RejectReason copy(const v1::UsageEvent& message) {
    for (const auto& name : message.must_understand())
      if (find_field(name) == nullptr)
        return refuse(RejectReason::newer_schema,
                      fmt::format("must_understand names '{}', which this version does not know",
                                  shown(name)));
    copy_texts(message);
    copy_counts(message);
    if (const auto reason = copy_extras(message); reason != RejectReason::none) return reason;
    if (const auto reason = copy_enums(message); reason != RejectReason::none) return reason;
    if (const auto reason = copy_targets(message); reason != RejectReason::none) return reason;
    return copy_times(message);
  }

  std::string_view keep(const std::string& text) {
    if (text.empty()) return {};
    scratch_.memory_used_ = true;
    auto* const bytes = static_cast<char*>(scratch_.memory_.allocate(text.size(), 1));
    std::memcpy(bytes, text.data(), text.size());
    return {bytes, text.size()};
  }

  void keep_extras(std::span<ExtraCount> extras) {
    scratch_.memory_used_ = true;
    sort_extras(extras);
    auto* const kept = static_cast<ExtraCount*>(
        scratch_.memory_.allocate(extras.size_bytes(), alignof(ExtraCount)));
    std::uninitialized_copy(extras.begin(), extras.end(), kept);
    event_.extras = {kept, extras.size()};
  }

  void copy_texts(const v1::UsageEvent& message) {
    event_.source = keep(message.source());
    event_.id = keep(message.id());
    event_.team = keep(message.team());
    event_.project = keep(message.project());
    event_.workload = keep(message.workload());
    event_.agent_session = keep(message.agent_session());
    event_.provider = keep(message.provider());
    event_.provider_account = keep(message.provider_account());
    event_.model = keep(message.model());
    event_.region = keep(message.region());
    event_.accelerator = keep(message.accelerator());
    event_.provider_request_id = keep(message.provider_request_id());
    event_.program = keep(message.program());
    event_.parent_id = keep(message.parent_id());
    event_.reservation_id = keep(message.reservation_id());
  }

  void copy_counts(const v1::UsageEvent& message) {
    const auto set = [&](bool has, Meter meter, int64_t count) {
      if (has) event_.set(meter, count);
    };
    set(message.has_input_uncached(), Meter::input_uncached, message.input_uncached());
    set(message.has_cache_read(), Meter::cache_read, message.cache_read());
    set(message.has_cache_write_5m(), Meter::cache_write_5m, message.cache_write_5m());
    set(message.has_cache_write_1h(), Meter::cache_write_1h, message.cache_write_1h());
    set(message.has_input_audio(), Meter::input_audio, message.input_audio());
    set(message.has_input_image(), Meter::input_image, message.input_image());
    set(message.has_output_text(), Meter::output_text, message.output_text());
    set(message.has_output_reasoning(), Meter::output_reasoning, message.output_reasoning());
    set(message.has_output_audio(), Meter::output_audio, message.output_audio());
    set(message.has_compute_us(), Meter::compute_us, message.compute_us());
    set(message.has_web_searches(), Meter::web_searches, message.web_searches());
    set(message.has_images(), Meter::images, message.images());
    if (message.has_input_total()) event_.input_total = stated(message.input_total());
    if (message.has_output_total()) event_.output_total = stated(message.output_total());
  }

  RejectReason copy_extras(const v1::UsageEvent& message) {
    if (message.extras().size() > limits::extras_max)
      return refuse(RejectReason::too_many_extras,
                    fmt::format("{} extras, at most {} are kept", message.extras().size(),
                                limits::extras_max));
    size_t count = 0;
    for (const auto& [name, value] : message.extras())
      scratch_.extras_[count++] = {keep(name), value};
    if (count != 0) keep_extras({scratch_.extras_.data(), count});
    return RejectReason::none;
  }

  RejectReason copy_enums(const v1::UsageEvent& message) {
    for (const auto& [kind, name, number] :
         {std::tuple{FieldKind::service_tier, "service_tier", int{message.service_tier()}},
          {FieldKind::usage_source, "usage_source", int{message.usage_source()}},
          {FieldKind::purpose, "purpose", int{message.purpose()}},
          {FieldKind::exposure, "exposure", int{message.exposure()}},
          {FieldKind::role, "role", int{message.role()}},
          {FieldKind::outcome, "outcome", int{message.outcome()}}})
      if (!set_enum(event_, kind, number))
        return refuse(RejectReason::unknown_enum,
                      fmt::format("{} is {}, which this version does not know", name, number));
    return RejectReason::none;
  }

  RejectReason copy_targets(const v1::UsageEvent& message) {
    const auto copy_target = [&](const v1::UsageEvent::Target& from, EventTarget& to) {
      to = {keep(from.source()), keep(from.id()), keep(from.reason())};
      return !to.id.empty();
    };
    if (message.has_retracts() && !copy_target(message.retracts(), event_.retracts))
      return refuse(RejectReason::missing_identity, "retracts names no id");
    if (message.has_outcome_of() && !copy_target(message.outcome_of(), event_.outcome_of))
      return refuse(RejectReason::missing_identity, "outcome_of names no id");
    return RejectReason::none;
  }

  RejectReason copy_times(const v1::UsageEvent& message) {
    const auto copy_time = [&](const char* name, const google::protobuf::Timestamp& from,
                               Instant& to) {
      to = to_instant(from.seconds(), from.nanos());
      if (to != no_instant) return RejectReason::none;
      return refuse(RejectReason::invalid_time,
                    fmt::format("{} has {} seconds and {} nanoseconds, which is no time of the "
                                "years 1 to 9999",
                                name, from.seconds(), from.nanos()));
    };
    if (message.has_started_at())
      if (const auto reason = copy_time("started_at", message.started_at(), event_.started_at);
          reason != RejectReason::none)
        return reason;
    if (!message.has_completed_at()) return RejectReason::none;
    return copy_time("completed_at", message.completed_at(), event_.completed_at);
  }

  UsageEvent& event_;
  WireScratch& scratch_;
  size_t extras_count_ = 0;
  std::string_view not_utf8_;  // the first text that is not
};

WireScratch::WireScratch() : memory_(first_bytes_.data(), first_bytes_.size()) {}
WireScratch::~WireScratch() = default;

void WireScratch::clear() {
  if (!memory_used_) return;
  memory_.release();
  memory_used_ = false;
}

RejectReason read_wire(std::string_view bytes, UsageEvent& event, WireScratch& scratch) {
  scratch.detail.clear();
  if (bytes.size() > limits::record_bytes_max) {
    scratch.detail = fmt::format("more than the {} bytes of one record", limits::record_bytes_max);
    return RejectReason::record_too_large;
  }
  return WireReader(event, scratch).read(bytes);
}

RejectReason decode_wire(std::string_view bytes, UsageEvent& event, WireScratch& scratch) {
  const auto reason = read_wire(bytes, event, scratch);
  return reason != RejectReason::none ? reason : check(event, scratch.detail);
}

}  // namespace gauger::ingest
