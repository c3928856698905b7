#include "tools/load/company/planned_event.h"

namespace gauger::load::company {
namespace {

// Streams of ids that have nothing to do with each other.
constexpr uint64_t identity_stream = 1;
constexpr uint64_t request_stream = 2;
constexpr uint64_t session_stream = 3;

std::string_view make_id(uint64_t seed, uint64_t stream, IdStyle style, uint64_t serial,
                         IdText& text) {
  if (serial == no_serial) return {};
  return make_request_id(style, mix(seed) + stream, serial, text);
}

}  // namespace

UsageEvent to_usage_event(const PlannedEvent& planned, uint64_t seed, PlannedTexts& texts) {
  const auto id_of = [&](uint64_t serial, IdText& text) {
    return make_id(seed, identity_stream, IdStyle::uuid, serial, text);
  };
  const auto& plan = planned.plan();
  const auto& call = planned.call();
  UsageEvent event;
  event.source = feed_of(call.feed).source;
  event.id = id_of(planned.serial, texts.id);
  if (planned.kind == Kind::outcome) {
    event.outcome_of = {{}, id_of(planned.target, texts.target), {}};
    event.outcome = planned.outcome;
    return event;
  }
  if (planned.target != no_serial)
    event.retracts = {{}, id_of(planned.target, texts.target), "load test, not usage"};
  if (planned.kind == Kind::retraction) return event;
  event.parent_id = id_of(planned.parent, texts.parent_id);
  event.agent_session =
      make_id(seed, session_stream, IdStyle::uuid, planned.session, texts.session);
  event.provider_request_id =
      make_id(seed, request_stream, call.request_style, planned.serial, texts.request_id);
  event.started_at = planned.started_at;
  event.completed_at = planned.completed_at;
  event.team = plan.team;
  event.project = plan.project;
  event.workload = plan.name;
  event.provider = call.provider;
  event.provider_account = call.account;
  event.model = call.model;
  event.region = call.region;
  event.accelerator = call.accelerator;
  event.service_tier = call.tier;
  event.usage_source = planned.usage_source;
  event.purpose = plan.purpose;
  event.exposure = plan.exposure;
  event.program = plan.program;
  event.role = planned.role;
  event.outcome = planned.outcome;
  event.counts = planned.counts;
  event.present = planned.present;
  return event;
}

}  // namespace gauger::load::company
