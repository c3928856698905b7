#include "ingest/json_decoder.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <array>
#include <deque>
#include <vector>

#include "ingest/check.h"
#include "ingest/event_fields.h"
#include "ingest/flat_json.h"
#include "ingest/numbers.h"
#include "ingest/padded_text.h"
#include "schemas/limits.h"

namespace gauger::ingest {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr std::string_view blanks = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

bool at_end(ondemand::document& document) {
  return document.current_location().error() == simdjson::OUT_OF_BOUNDS;
}

// Reads the members of one JSON object into an event. The first thing that is wrong ends it,
// with a reason and a sentence.
class ObjectReader {
 public:
  RejectReason read(ondemand::object& object, UsageEvent& event) {
    event_ = &event;
    reason_ = RejectReason::none;
    detail.clear();
    seen_ = 0;
    extras_count_ = 0;
    for (auto member : object) {
      ondemand::field field;
      if (!ok(std::move(member).get(field)) || !read_member(field)) return reason_;
    }
    if (extras_count_ != 0) {
      sort_extras({extras_.data(), extras_count_});
      event.extras = {extras_.data(), extras_count_};
    }
    return RejectReason::none;
  }

  std::string detail;
  // The structure is broken, not only this event: the rest of the record means nothing.
  bool is_broken() const { return broken_; }
  void reset() { broken_ = false; }

  // The reason of an error that concerns the whole record.
  RejectReason refuse(simdjson::error_code error) {
    if (error == simdjson::UTF8_ERROR) return refuse(RejectReason::invalid_text, "not UTF-8");
    broken_ = true;
    return refuse(RejectReason::undecodable,
                  fmt::format("not JSON: {}", simdjson::error_message(error)));
  }

 private:
  RejectReason refuse(RejectReason reason, std::string sentence) {
    detail = std::move(sentence);
    return reason_ = reason;
  }
  bool refused(RejectReason reason, std::string sentence) {
    refuse(reason, std::move(sentence));
    return false;
  }

  bool ok(simdjson::error_code error) {
    if (error == simdjson::SUCCESS) return true;
    refuse(error);
    return false;
  }

  // Keys hardly ever contain escapes, so they are read where they lie.
  bool read_key(ondemand::field& field, std::string_view& key) {
    const char* begin = field.key().raw();
    const char* end = begin;
    while (*end != '"' && *end != '\\') ++end;
    if (*end == '\\') return ok(field.unescaped_key().get(key));
    key = {begin, static_cast<size_t>(end - begin)};
    return true;
  }

  bool read_member(ondemand::field& member) {
    std::string_view key;
    if (!read_key(member, key)) return false;
    const auto* field = find_field(key);
    if (field == nullptr)
      return refused(RejectReason::unknown_field, fmt::format("unknown key '{}'", shown(key)));
    const auto bit = uint64_t{1} << field->number;
    if ((seen_ & bit) != 0)
      return refused(RejectReason::undecodable, fmt::format("{} is given twice", field->name));
    seen_ |= bit;
    return read_value(*field, member.value());
  }

  bool read_value(const EventField& field, ondemand::value& value) {
    switch (field.kind) {
      case FieldKind::text: return read_text(field.name, value, event_->*field.text);
      case FieldKind::time: return read_time(field, value);
      case FieldKind::meter: return read_meter(field, value);
      case FieldKind::total: return read_total(field, value);
      case FieldKind::service_tier:
      case FieldKind::usage_source:
      case FieldKind::purpose:
      case FieldKind::exposure:
      case FieldKind::role:
      case FieldKind::outcome: return read_enum(field, value);
      case FieldKind::extras: return read_extras(value);
      case FieldKind::target: return read_target(field, value);
      case FieldKind::must_understand: return read_must_understand(value);
    }
    return false;
  }

  // After a value was not what it should be: null is absent, all else is refused.
  bool is_null(std::string_view name, ondemand::value& value, std::string_view wanted) {
    bool null = false;
    if (value.is_null().get(null) == simdjson::SUCCESS && null) return true;
    return refused(RejectReason::undecodable, fmt::format("{} is not {}", name, wanted));
  }

  bool read_text(std::string_view name, ondemand::value& value, std::string_view& text) {
    if (value.get_string().get(text) == simdjson::SUCCESS) [[likely]]
      return true;
    text = {};
    return is_null(name, value, "a string");
  }

  bool read_time(const EventField& field, ondemand::value& value) {
    std::string_view text;
    if (!read_text(field.name, value, text)) return false;
    if (text.data() == nullptr) return true;
    event_->*field.time = parse_timestamp(text);
    if (event_->*field.time != no_instant) return true;
    return refused(RejectReason::invalid_time,
                   fmt::format("{} is '{}', not an RFC 3339 time such as 2027-01-16T00:00:00Z",
                               field.name, shown(text)));
  }

  // False with a reason, or true with `null` set where there is no count.
  bool read_integer(std::string_view name, ondemand::value& value, int64_t& count, bool& null) {
    null = false;
    if (value.get_int64().get(count) == simdjson::SUCCESS) [[likely]]
      return true;
    return read_unusual_integer(name, value, count, null);
  }

  bool read_unusual_integer(std::string_view name, ondemand::value& value, int64_t& count,
                            bool& null) {
    ondemand::json_type type{};
    if (!ok(value.type().get(type))) return false;
    std::string_view text;
    auto whole = Whole::malformed;
    if (type == ondemand::json_type::string) {
      if (!ok(value.get_string().get(text))) return false;
      whole = parse_digits(text, count);
    } else if (type == ondemand::json_type::number) {
      text = trimmed(value.raw_json_token());
      whole = parse_json_integer(text, count);
      if (whole == Whole::ok) return skip_number(value);
    } else {
      null = true;
      return is_null(name, value, "a number");
    }
    switch (whole) {
      case Whole::ok: return true;
      case Whole::malformed:
        return refused(RejectReason::undecodable,
                       fmt::format("{} is '{}', not a count", name, shown(text)));
      case Whole::not_whole:
        return refused(RejectReason::undecodable,
                       fmt::format("{} is {}, not a whole number", name, shown(text)));
      case Whole::too_large: break;
    }
    return refused(
        text.starts_with('-') ? RejectReason::negative_count : RejectReason::count_too_large,
        fmt::format("{} is {}", name, shown(text)));
  }

  // A number that was read from its text has to be consumed as well.
  bool skip_number(ondemand::value& value) {
    double ignored = 0;
    return ok(value.get_double().get(ignored));
  }

  bool read_meter(const EventField& field, ondemand::value& value) {
    int64_t count = 0;
    bool null = false;
    if (!read_integer(field.name, value, count, null)) return false;
    if (!null) event_->set(field.meter, count);
    return true;
  }

  bool read_total(const EventField& field, ondemand::value& value) {
    int64_t total = 0;
    bool null = false;
    if (!read_integer(field.name, value, total, null)) return false;
    // A stated total equal to the mark of an absent one is as negative as its neighbour.
    if (!null) event_->*field.total = total == no_total ? no_total + 1 : total;
    return true;
  }

  bool read_enum(const EventField& field, ondemand::value& value) {
    ondemand::json_type type{};
    if (!ok(value.type().get(type))) return false;
    int64_t number = 0;
    if (type == ondemand::json_type::string) {
      std::string_view name;
      if (!ok(value.get_string().get(name))) return false;
      const auto found = find_enum_number(field.kind, name);
      if (!found && parse_digits(name, number) != Whole::ok)
        return refused(RejectReason::unknown_enum,
                       fmt::format("{} is '{}', which is unknown", field.name, shown(name)));
      if (found) number = *found;
    } else {
      bool null = false;
      if (!read_integer(field.name, value, number, null)) return false;
      if (null) return true;
    }
    if (set_enum(*event_, field.kind, number)) return true;
    return refused(RejectReason::unknown_enum,
                   fmt::format("{} is {}, which is unknown", field.name, number));
  }

  bool read_extras(ondemand::value& value) {
    ondemand::object members;
    if (value.get_object().get(members) != simdjson::SUCCESS)
      return is_null("extras", value, "an object");
    for (auto member : members) {
      ondemand::field field;
      if (!ok(std::move(member).get(field)) || !read_extra(field)) return false;
    }
    return true;
  }

  bool read_extra(ondemand::field& member) {
    ExtraCount extra{};
    bool null = false;
    if (!read_key(member, extra.name) ||
        !read_integer(shown(extra.name), member.value(), extra.count, null))
      return false;
    if (null)
      return refused(RejectReason::undecodable,
                     fmt::format("the extra {} is null", shown(extra.name)));
    for (size_t i = 0; i < extras_count_; ++i)
      if (extras_[i].name == extra.name)
        return refused(RejectReason::undecodable,
                       fmt::format("the extra {} is given twice", shown(extra.name)));
    if (extras_count_ == extras_.size())
      return refused(RejectReason::too_many_extras,
                     fmt::format("more than {} extras", limits::extras_max));
    extras_[extras_count_++] = extra;
    return true;
  }

  bool read_target(const EventField& field, ondemand::value& value) {
    ondemand::object members;
    if (value.get_object().get(members) != simdjson::SUCCESS)
      return is_null(field.name, value, "an object");
    auto& target = event_->*field.target;
    unsigned parts_seen = 0;
    for (auto member : members) {
      ondemand::field part;
      if (!ok(std::move(member).get(part)) ||
          !read_target_part(field.name, part, target, parts_seen))
        return false;
    }
    if (!target.id.empty()) return true;
    return refused(RejectReason::missing_identity, fmt::format("{} names no id", field.name));
  }

  bool read_target_part(std::string_view name, ondemand::field& member, EventTarget& target,
                        unsigned& parts_seen) {
    std::string_view key;
    if (!read_key(member, key)) return false;
    const std::array<std::pair<std::string_view, std::string_view*>, 3> parts = {
        {{"source", &target.source}, {"id", &target.id}, {"reason", &target.reason}}};
    for (unsigned i = 0; i < parts.size(); ++i) {
      if (key != parts[i].first) continue;
      if ((parts_seen & 1U << i) != 0)
        return refused(RejectReason::undecodable, fmt::format("{}.{} is given twice", name, key));
      parts_seen |= 1U << i;
      return read_text(key, member.value(), *parts[i].second);
    }
    return refused(RejectReason::unknown_field,
                   fmt::format("unknown key '{}' in {}", shown(key), name));
  }

  bool read_must_understand(ondemand::value& value) {
    ondemand::array names;
    if (value.get_array().get(names) != simdjson::SUCCESS)
      return is_null("must_understand", value, "a list of names");
    for (auto element : names) {
      std::string_view name;
      if (!ok(element.get_string().get(name))) return false;
      if (find_field(name) == nullptr)
        return refused(RejectReason::newer_schema,
                       fmt::format("must_understand names '{}', which this version does not know",
                                   shown(name)));
    }
    return true;
  }

  UsageEvent* event_ = nullptr;  // the one being read
  RejectReason reason_ = RejectReason::none;
  uint64_t seen_ = 0;  // by field number
  bool broken_ = false;
  size_t extras_count_ = 0;
  std::array<ExtraCount, limits::extras_max> extras_;
};

// Reads records: one event, or a batch that is collected before the first of it is handed on.
class JsonDecoder final : public Decoder {
 public:
  void decode(std::string_view record, std::span<const RecordHeader>, EventSink& sink) override {
    record_ = record;
    reader_.reset();
    if (record.size() > limits::record_bytes_max)
      return sink.reject(
          RejectReason::record_too_large,
          fmt::format("more than the {} bytes of one record", limits::record_bytes_max), record);
    const auto text = trimmed(record);
    if (is_batch(text))
      decode_batch(sink);
    else
      decode_event(text, sink);
  }

 private:
  struct Answer {
    UsageEvent event;
    RejectReason reason;
    std::string detail;
    std::string_view part;
  };

  // A batch shows in its first bytes: '[', or '{' and the key "events".
  static bool is_batch(std::string_view text) {
    if (text.starts_with('[')) return true;
    if (!text.starts_with('{')) return false;
    return trimmed(text.substr(1)).starts_with("\"events\"");
  }

  void decode_event(std::string_view text, EventSink& sink) {
    const auto reason =
        flat_.read(text, event_) ? check(event_, reader_.detail) : read_event(event_);
    if (reason == RejectReason::none)
      sink.accept(event_);
    else
      sink.reject(reason, reader_.detail, record_);
  }

  // What is not flat.
  RejectReason read_event(UsageEvent& event) {
    event = {};
    ondemand::document document;
    ondemand::object object;
    if (const auto error = parser_.iterate(text_.assign(record_)).get(document))
      return reader_.refuse(error);
    if (const auto error = document.get_object().get(object)) return reader_.refuse(error);
    if (const auto reason = reader_.read(object, event); reason != RejectReason::none)
      return reason;
    if (!at_end(document)) return reader_.refuse(simdjson::TRAILING_CONTENT);
    return check(event, reader_.detail);
  }

  void decode_batch(EventSink& sink) {
    answers_.clear();
    extras_.clear();
    ondemand::document document;
    auto reason = RejectReason::none;
    if (const auto error = parser_.iterate(text_.assign(record_)).get(document))
      reason = reader_.refuse(error);
    else
      reason = read_batch(document);
    if (reason != RejectReason::none) return sink.reject(reason, reader_.detail, record_);
    for (const auto& answer : answers_) {
      if (answer.reason == RejectReason::none)
        sink.accept(answer.event);
      else
        sink.reject(answer.reason, answer.detail, answer.part);
    }
  }

  // A reason only where the record as a whole cannot be read.
  RejectReason read_batch(ondemand::document& document) {
    ondemand::json_type type{};
    ondemand::array events;
    if (const auto error = document.type().get(type)) return reader_.refuse(error);
    if (type == ondemand::json_type::array) {
      if (const auto error = document.get_array().get(events)) return reader_.refuse(error);
      if (const auto reason = read_events(events); reason != RejectReason::none) return reason;
    } else {
      ondemand::object object;
      if (const auto error = document.get_object().get(object)) return reader_.refuse(error);
      if (const auto reason = read_batch_members(object); reason != RejectReason::none)
        return reason;
    }
    return at_end(document) ? RejectReason::none : reader_.refuse(simdjson::TRAILING_CONTENT);
  }

  RejectReason read_batch_members(ondemand::object& object) {
    bool seen = false;
    for (auto member : object) {
      std::string_view key;
      if (const auto error = member.unescaped_key().get(key)) return reader_.refuse(error);
      if (key != "events" || seen) {
        reader_.detail = seen && key == "events"
                             ? std::string("events is given twice")
                             : fmt::format("unknown key '{}' in a batch", shown(key));
        return key == "events" ? RejectReason::undecodable : RejectReason::unknown_field;
      }
      seen = true;
      ondemand::array events;
      if (const auto error = member.value().get_array().get(events)) return reader_.refuse(error);
      if (const auto reason = read_events(events); reason != RejectReason::none) return reason;
    }
    return RejectReason::none;
  }

  RejectReason read_events(ondemand::array& events) {
    for (auto element : events) {
      ondemand::object object;
      std::string_view raw;
      // An element that is no object has no extent that is cheap to know, and no one means it.
      if (const auto error = element.get_object().get(object)) return reader_.refuse(error);
      if (const auto error = object.raw_json().get(raw)) return reader_.refuse(error);
      if (const auto error = object.reset().error()) return reader_.refuse(error);
      auto& answer = answers_.emplace_back();
      answer.part = trimmed(record_.substr(text_.offset_of(raw.data()), raw.size()));
      answer.reason = reader_.read(object, answer.event);
      if (reader_.is_broken()) return answer.reason;
      keep_extras(answer.event);
      if (answer.reason == RejectReason::none) answer.reason = check(answer.event, reader_.detail);
      if (answer.reason != RejectReason::none) answer.detail = reader_.detail;
    }
    return RejectReason::none;
  }

  // The reader's extras last until its next event.
  void keep_extras(UsageEvent& event) {
    if (event.extras.empty()) return;
    event.extras = extras_.emplace_back(event.extras.begin(), event.extras.end());
  }

  FlatJson flat_;
  UsageEvent event_;  // of a record that is no batch
  ondemand::parser parser_;
  PaddedText text_;
  ObjectReader reader_;
  std::string_view record_;  // being decoded
  std::vector<Answer> answers_;
  std::deque<std::vector<ExtraCount>> extras_;  // of answers_
};

}  // namespace

struct JsonEventReader::Impl {
  ondemand::parser parser;
  PaddedText text;
  ObjectReader reader;

  RejectReason read(std::string_view json, UsageEvent& event) {
    ondemand::document document;
    ondemand::object object;
    reader.reset();
    if (const auto error = parser.iterate(text.assign(json)).get(document))
      return reader.refuse(error);
    if (const auto error = document.get_object().get(object)) return reader.refuse(error);
    if (const auto reason = reader.read(object, event); reason != RejectReason::none) return reason;
    return at_end(document) ? RejectReason::none : reader.refuse(simdjson::TRAILING_CONTENT);
  }
};

JsonEventReader::JsonEventReader() : impl_(std::make_unique<Impl>()) {}
JsonEventReader::~JsonEventReader() = default;

RejectReason JsonEventReader::read(std::string_view json, UsageEvent& event) {
  return impl_->read(json, event);
}
const std::string& JsonEventReader::detail() const { return impl_->reader.detail; }

std::unique_ptr<Decoder> make_json_decoder() { return std::make_unique<JsonDecoder>(); }

}  // namespace gauger::ingest
