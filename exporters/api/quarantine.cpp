// Quarantine: what was not counted, and why. Its records have no team, since nobody could read
// them; so nobody who is bound to teams sees them.
#include <charconv>

#include "exporters/api/answers.h"
#include "exporters/api/handlers.h"
#include "ledger/quarantine.h"

namespace gauger::exporters {
namespace {

struct RecordId {
  uint64_t sequence = 0;
  uint32_t record = 0;
};

std::optional<RecordId> parse_record_id(std::string_view text) {
  RecordId id;
  const auto dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto sequence = text.substr(0, dash);
  const auto record = text.substr(dash + 1);
  const auto whole = [](std::string_view digits, auto& number) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return error == std::errc() && end == digits.data() + digits.size();
  };
  if (!whole(sequence, id.sequence) || !whole(record, id.record)) return std::nullopt;
  return id;
}

billing::JsonValue json_of(const ledger::QuarantinedRecord& record) {
  billing::JsonValue json;
  json["id"] = record.id();
  json["reason"] = to_string(record.reason);
  json["detail"] = record.detail;
  json["source"] = record.source;
  json["partition"] = int64_t{record.partition};
  json["offset"] = record.offset;
  json["block_time"] = format_instant(record.block_time);
  json["record_bytes"] = as_json(record.record_bytes);
  return json;
}

// The record of the path, if it is the caller's.
std::variant<ledger::QuarantinedRecord, Response> find_record(Service& service, const Call& call) {
  const auto none = [&] {
    return problem(Problem::not_found,
                   "no quarantined record has the id '" + call.parameters[0] + "'");
  };
  const auto id = parse_record_id(call.parameters[0]);
  if (!id) return none();
  const auto& ledger = service.ledger();
  auto found = ledger::find_quarantined(ledger.store(), ledger.durable_head().sequence,
                                        id->sequence, id->record);
  if (!found) return problem_of(found.error());
  if (!found.value() || found.value()->name_space != call.principal.name_space) return none();
  return std::move(*found.value());
}

}  // namespace

Response list_quarantine(Service& service, const Call& call) {
  const auto page = parse_page(call);
  if (!page) return problem_of(page.error());
  const auto reason = call.query("reason");
  if (!reason.empty() && !find_name<RejectReason>(reject_reason_names, reason))
    return problem(Problem::invalid_request, "there is no reason '" + std::string(reason) + "'");
  RecordId from;
  if (!page.value().after.empty()) {
    const auto after = parse_record_id(page.value().after);
    if (!after) return problem(Problem::invalid_request, "the cursor names no record");
    from = {after->sequence, after->record + 1};
  }
  const auto& ledger = service.ledger();
  billing::JsonValue json;
  billing::JsonValue::Array items;
  std::string last;
  const auto sequence = ledger.durable_head().sequence;
  const auto read =
      ledger::each_quarantined(ledger.store(), sequence, from.sequence, from.record,
                               [&](const ledger::QuarantinedRecord& record) {
                                 if (record.name_space != call.principal.name_space) return true;
                                 if (!reason.empty() && to_string(record.reason) != reason)
                                   return true;
                                 if (items.size() == page.value().limit) {
                                   json["next_cursor"] = make_cursor(call, last);
                                   return false;
                                 }
                                 items.push_back(json_of(record));
                                 last = record.id();
                                 return true;
                               });
  if (!read) return problem_of(read.error());
  json["items"] = std::move(items);
  json["as_of_sequence"] = as_json(sequence);
  return ok(json.canonical());
}

Response get_quarantined(Service& service, const Call& call) {
  const auto found = find_record(service, call);
  if (const auto* refused = std::get_if<Response>(&found)) return *refused;
  return ok(json_of(std::get<0>(found)).canonical());
}

Response get_quarantined_raw(Service& service, const Call& call) {
  auto found = find_record(service, call);
  if (auto* refused = std::get_if<Response>(&found)) return std::move(*refused);
  Response response;
  response.content_type = "application/octet-stream";
  // What a stranger sent is never shown as anything but a file.
  response.headers.emplace_back("Content-Disposition", "attachment");
  response.body = std::move(std::get<0>(found).raw);
  return response;
}

}  // namespace gauger::exporters
