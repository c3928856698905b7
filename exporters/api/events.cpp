// POST /v1/events: usage events in any format that a body can carry. They are decoded on the
// committing thread into the batch that is open, and answered once their block is durable.
#include "exporters/api/answers.h"
#include "exporters/api/handlers.h"
#include "ingest/formats.h"

namespace gauger::exporters {
namespace {

using ingest::Framing;

// Where the ledger says that these records came from.
constexpr std::string_view http_source = "http";

struct Refused {
  uint32_t record;  // its place in the request
  std::string_view reason;
  std::string detail;
};

// One request on its way through the ledger.
class EventsRequest : ingest::EventSink {
 public:
  Call call;
  std::optional<Framing> framing;
  bool backfill = false;
  std::unique_ptr<ingest::Decoder> decoder;
  std::vector<ingest::RecordHeader> headers;

  // Adds everything to the open batch.
  void stage(ledger::Ledger& ledger) {
    batch_ = &ledger.batch();
    first_ = batch_->records();
    batch_->begin_segment({call.principal.name_space, std::string(http_source), 0, backfill}, 0);
    if (!framing) {
      decode(call.body);
    } else {
      ingest::Framer framer(*framing);
      std::string_view input = call.body;
      ingest::Frame frame;
      while (framer.take(input, true, frame)) {
        record_ = frame.bytes;
        if (frame.defect == RejectReason::none)
          decode(frame.bytes);
        else
          reject(frame.defect, ingest::defect_sentence(frame.defect), frame.bytes);
      }
    }
    batch_->end_segment(ordinal_, 0, 0);
  }

  // What became of them.
  void look(const ledger::Batch& done) {
    const auto last = first_ + places_.size();
    for (auto i = first_; i < last; ++i) ++counts_[static_cast<size_t>(done.dispositions()[i])];
    for (const auto& rejected : done.rejected())
      if (rejected.record >= first_ && rejected.record < last)
        note({places_[rejected.record - first_], to_string(rejected.reason), rejected.detail});
    std::sort(refused_.begin(), refused_.end(),
              [](const Refused& a, const Refused& b) { return a.record < b.record; });
  }

  Response answer(uint64_t sequence) const {
    billing::JsonValue json;
    for (size_t i = 0; i < counts_.size(); ++i)
      json[ledger::disposition_names[i]] = as_json(counts_[i]);
    json["not_allowed"] = as_json(denied_);
    json["records"] = int64_t{next_place_};
    json["sequence"] = as_json(sequence);
    json["refused_total"] = as_json(refused_total_);
    billing::JsonValue::Array list;
    for (const auto& one : refused_) {
      billing::JsonValue item;
      item["record"] = int64_t{one.record};
      item["reason"] = one.reason;
      item["detail"] = one.detail;
      list.push_back(std::move(item));
    }
    json["refused"] = std::move(list);
    return ok(json.canonical());
  }

  uint64_t denied() const { return denied_; }

 private:
  void decode(std::string_view bytes) {
    record_ = bytes;
    decoder->decode(bytes, headers, *this);
  }

  void accept(const UsageEvent& event) override {
    const auto& principal = call.principal;
    if (!principal.sees_all_teams()) {
      // Whose event an amendment is about is not known before it is looked up, and its sender must
      // not find out.
      if (!event.retracts.id.empty() || !event.outcome_of.id.empty())
        return deny("an access token that is bound to teams sends no retractions and no outcomes");
      if (!principal.sees_team(event.team))
        return deny("the access token is not for the team '" + std::string(event.team) + "'");
    }
    places_.push_back(next_place_++);
    batch_->add(event, ordinal_++, record_);
  }
  void reject(RejectReason reason, std::string_view detail, std::string_view part) override {
    places_.push_back(next_place_++);
    batch_->reject(reason, detail, ordinal_++, part.empty() ? record_ : part);
  }
  // What its sender may not send leaves no trace in the ledger.
  void deny(std::string detail) {
    ++denied_;
    note({next_place_++, "not_allowed", std::move(detail)});
  }
  void note(Refused refused) {
    ++refused_total_;
    if (refused_.size() < limits::refused_records_listed_max)
      refused_.push_back(std::move(refused));
  }

  ledger::Batch* batch_ = nullptr;  // while it is staged
  std::string_view record_;
  int64_t ordinal_ = 0;           // in the segment
  size_t first_ = 0;              // among the batch's records
  uint32_t next_place_ = 0;       // in the request
  std::vector<uint32_t> places_;  // of the records that are in the batch
  std::array<uint64_t, ledger::disposition_count> counts_{};
  uint64_t denied_ = 0;
  std::vector<Refused> refused_;
  uint64_t refused_total_ = 0;
};

std::variant<std::shared_ptr<EventsRequest>, Response> make_request(const Service& service,
                                                                    Call call) {
  auto request = std::make_shared<EventsRequest>();
  request->call = std::move(call);
  const auto& head = request->call.head;
  for (const auto& [name, value] : head.headers) request->headers.push_back({name, value});
  const auto named = request->call.query("format");
  std::string format(named);
  if (named.empty()) {
    const auto found = ingest::find_body_format(request->headers);
    if (!found)
      return problem(Problem::unsupported_media_type,
                     "events come as application/json, application/x-ndjson, "
                     "application/x-protobuf, application/cloudevents+json or with ?format=");
    format = found->format;
    request->framing = found->framing;
    // The elements of an array are records of their own, each with its fate.
    if (format == "json" && !request->framing) request->framing = Framing::json_values;
  } else if (format == "proto-delimited") {
    format = "proto";
    request->framing = Framing::delimited;
  } else if (format == "csv") {
    return problem(Problem::unsupported_media_type, "CSV needs a mapping: use `gauger ingest`");
  } else if (format != "proto" && format != "proto-batch" && format != "confluent") {
    request->framing = ingest::framing_of(format, Framing::json_values);
  }
  ingest::DecoderOptions options{std::string(request->call.query("source")),
                                 std::string(request->call.query("provider")),
                                 std::string(request->call.query("provider_account")),
                                 {},
                                 service.config().attribution};
  auto decoder = ingest::make_decoder(format, options);
  if (!decoder) return problem_of(decoder.error());
  request->decoder = std::move(decoder.value());
  const auto backfill = request->call.query("backfill");
  request->backfill = backfill == "true";
  if (!backfill.empty() && backfill != "true" && backfill != "false")
    return problem(Problem::invalid_request, "backfill is true or false");
  if (request->backfill && request->call.principal.role != AccessRole::admin)
    return problem(Problem::forbidden, "only an admin sends events from before the window");
  return request;
}

}  // namespace

void post_events(Service& service, Call call, Reply reply) {
  auto through = once(service, call, std::move(reply));
  if (!through) return;
  auto made = make_request(service, std::move(call));
  if (auto* refused = std::get_if<Response>(&made)) return (*through)(std::move(*refused));
  auto request = std::move(std::get<0>(made));
  auto shared = std::make_shared<Reply>(std::move(*through));
  CommitJob job;
  job.bytes = request->call.body.size();
  job.stage = [request](ledger::Ledger& ledger) { request->stage(ledger); };
  job.committed = [request](const ledger::Batch& batch) { request->look(batch); };
  job.done = [&service, request, shared](const Result<uint64_t>& sequence) {
    if (request->denied() != 0)
      service.audit_denial(request->call.head, &request->call.principal,
                           request->call.route->operation, Problem::forbidden);
    (*shared)(sequence ? request->answer(sequence.value()) : problem_of(sequence.error()));
  };
  if (const auto submitted = service.committer().submit(std::move(job)); !submitted)
    (*shared)(problem_of(submitted.error()));
}

}  // namespace gauger::exporters
