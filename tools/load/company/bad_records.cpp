#include "tools/load/company/bad_records.h"

#include <functional>

#include "schemas/limits.h"
#include "schemas/verify.h"
#include "tools/load/event_encoder.h"

namespace gauger::load::company {
namespace {

constexpr uint16_t json_workload = 3;      // case reviews of claims: gateway/eu
constexpr uint16_t protobuf_workload = 7;  // code reviews of engineering: the in-house feed

std::string replaced(std::string text, std::string_view part, std::string_view by) {
  const auto at = text.find(part);
  VERIFY(at != std::string::npos, "a bad record is made from a good one");
  return text.replace(at, part.size(), by);
}

class BadRecords {
 public:
  BadRecords(const MonthOptions& options, Serials& serials)
      : options_(options), serials_(serials), random_(mix(options.seed + 1)) {}

  std::vector<BadRecord> make() {
    add_json_text();
    add_json_fields();
    add_json_counts();
    add_protobuf();
    return std::move(records_);
  }

 private:
  using Change = std::function<void(UsageEvent&)>;
  using Edit = std::function<std::string(std::string)>;

  // A good event of its own identity, changed.
  std::string encode(uint16_t workload, const Change& change) {
    PlannedEvent planned;
    planned.workload = workload;
    planned.serial = serials_.next();
    planned.completed_at = arrival_;
    planned.started_at = arrival_ - std::chrono::seconds{2};
    planned.set(Meter::input_uncached, random_.between(100, 1'000));
    planned.set(Meter::output_text, random_.between(10, 100));
    PlannedTexts texts;
    auto event = to_usage_event(planned, options_.seed, texts);
    change(event);
    std::string bytes(encoded_bytes_max(event), '\0');
    const bool json = feed_of(planned.call().feed).format == EventFormat::jsonl;
    const auto* const end = json ? encode_json_line(event, bytes.data())
                                 : encode_delimited_protobuf(event, bytes.data());
    bytes.resize(static_cast<size_t>(end - bytes.data()));
    return bytes;
  }

  void add(uint16_t workload, RejectReason reason, const Change& change, const Edit& edit) {
    const auto span = options_.month.until - options_.month.from;
    arrival_ = options_.month.from + Duration{random_.between(0, span.count() - 1)};
    auto bytes = edit(encode(workload, change));
    records_.push_back({workloads()[workload].call.feed, arrival_, reason, std::move(bytes)});
  }
  void add_changed(RejectReason reason, const Change& change) {
    add(json_workload, reason, change, [](std::string line) { return line; });
  }
  void add_edited(RejectReason reason, const Edit& edit) {
    add(
        json_workload, reason, [](UsageEvent&) {}, edit);
  }

  void add_json_text() {
    add_edited(RejectReason::undecodable,
               [](std::string line) { return line.substr(0, line.size() / 2) + "\n"; });
    add_edited(RejectReason::undecodable,
               [](const std::string&) { return std::string("upstream connect error, 503\n"); });
    add_edited(RejectReason::unknown_enum, [](std::string line) {
      return replaced(std::move(line), R"("provider")", R"("exposure":"partner","provider")");
    });
    add_edited(RejectReason::unknown_field, [](std::string line) {
      return replaced(std::move(line), R"("output_text")", R"("tokens":12,"output_text")");
    });
    add_edited(RejectReason::newer_schema, [](std::string line) {
      return replaced(std::move(line), "}\n", ",\"must_understand\":[\"carbon_grams\"]}\n");
    });
    add_edited(RejectReason::invalid_text,
               [](std::string line) { return replaced(std::move(line), "fraud", "fra\xC3(d"); });
  }

  void add_json_fields() {
    static const std::string too_long(limits::text_bytes_max + 44, 'x');
    static const std::string oversized(limits::record_bytes_max, 'x');
    add_changed(RejectReason::record_too_large, [](UsageEvent& e) { e.workload = oversized; });
    add_changed(RejectReason::missing_identity, [](UsageEvent& e) { e.id = {}; });
    add_changed(RejectReason::missing_identity, [](UsageEvent& e) { e.source = {}; });
    add_changed(RejectReason::identity_too_long, [](UsageEvent& e) { e.id = too_long; });
    add_changed(RejectReason::text_too_long, [](UsageEvent& e) { e.workload = too_long; });
    add_changed(RejectReason::missing_field, [](UsageEvent& e) { e.model = {}; });
    add_changed(RejectReason::missing_field, [](UsageEvent& e) { e.completed_at = no_instant; });
    add_changed(RejectReason::invalid_time,
                [](UsageEvent& e) { e.started_at = e.completed_at + std::chrono::hours{1}; });
    add_changed(RejectReason::in_future, [](UsageEvent& e) {
      e.started_at = e.completed_at = instant_from_us(4'070'908'800'000'000);  // 2099
    });
    add_changed(RejectReason::target_not_usage, [](UsageEvent& e) {
      e.retracts = {{}, e.id, "takes itself back"};
    });
  }

  void add_json_counts() {
    static const std::vector<ExtraCount> too_many = [] {
      static const std::array<std::string_view, limits::extras_max + 1> names = {
          "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q"};
      std::vector<ExtraCount> extras;
      for (const auto name : names) extras.push_back({name, 1});
      return extras;
    }();
    add_changed(RejectReason::negative_count, [](UsageEvent& e) { e.set(Meter::output_text, -5); });
    add_changed(RejectReason::negative_count,
                [](UsageEvent& e) { e.set(Meter::cache_read, -120'000); });
    add_changed(RejectReason::count_too_large,
                [](UsageEvent& e) { e.set(Meter::compute_us, limits::count_max + 1); });
    add_changed(RejectReason::totals_disagree, [](UsageEvent& e) {
      e.input_total = e.counts[static_cast<size_t>(Meter::input_uncached)] + 20;
    });
    add_changed(RejectReason::totals_disagree, [](UsageEvent& e) { e.output_total = 0; });
    add_changed(RejectReason::too_many_extras, [](UsageEvent& e) { e.extras = too_many; });
  }

  void add_protobuf() {
    const auto as_it_is = [](std::string bytes) { return bytes; };
    const auto add_changed_message = [&](RejectReason reason, const Change& change) {
      add(protobuf_workload, reason, change, as_it_is);
    };
    add_changed_message(RejectReason::missing_identity, [](UsageEvent& e) { e.id = {}; });
    add_changed_message(RejectReason::negative_count,
                        [](UsageEvent& e) { e.set(Meter::output_text, -1); });
    add_changed_message(RejectReason::totals_disagree, [](UsageEvent& e) { e.input_total = 1; });
    add_changed_message(RejectReason::unknown_enum,
                        [](UsageEvent& e) { e.service_tier = static_cast<ServiceTier>(9); });
    // A length of five, then a field of wire type 7, which does not exist.
    add(
        protobuf_workload, RejectReason::undecodable, [](UsageEvent&) {},
        [](const std::string&) { return std::string("\x05\x0F\x01\x02\x03\x04", 6); });
  }

  const MonthOptions& options_;
  Serials& serials_;
  Random random_;
  Instant arrival_{};
  std::vector<BadRecord> records_;
};

}  // namespace

std::vector<BadRecord> make_bad_records(const MonthOptions& options, Serials& serials) {
  return BadRecords(options, serials).make();
}

}  // namespace gauger::load::company
