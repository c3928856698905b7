#include "exporters/api/answers.h"
#include "exporters/api/handlers.h"
#include "exporters/api/openapi.h"

namespace gauger::exporters {

Response get_livez(Service&, const Call&) { return ok("{\"status\":\"live\"}"); }

// Ready: replayed, not stopping, and not far behind the log.
Response get_readyz(Service& service, const Call&) {
  const auto& status = service.status();
  if (!status.ready.load()) return problem(Problem::not_ready, "the server starts or stops");
  if (status.lag.load() > status.lag_max.load())
    return problem(Problem::not_ready, "the server is " + std::to_string(status.lag.load()) +
                                           " records behind its log");
  return ok("{\"status\":\"ready\"}");
}

// How far the ledger is. What is in it is for those who may see it.
Response get_status(Service& service, const Call&) {
  const auto head = service.ledger().durable_head();
  billing::JsonValue json;
  json["as_of_sequence"] = as_json(head.sequence);
  json["block_time"] = format_instant(head.block_time);
  json["ready"] = service.status().ready.load();
  json["verified_through"] = as_json(service.status().verified_through.load());
  json["verification_mismatches"] = as_json(service.status().verification_mismatches.load());
  json["lag_records"] = service.status().lag.load();
  json["time_zone"] = service.ledger().config().time_zone;
  json["grain_minutes"] = int64_t{service.ledger().config().grain.count()};
  return ok(json.canonical());
}

Response get_openapi(Service&, const Call&) {
  Response response;
  response.content_type = "application/yaml";
  response.body = openapi_yaml();
  response.headers.emplace_back("Cache-Control", "public, max-age=300");
  return response;
}

}  // namespace gauger::exporters
