#include "tests/simulation/world.h"

#include "ingest/decoder.h"
#include "ingest/intake.h"
#include "ingest/json_decoder.h"
#include "ledger/hash.h"
#include "ledger/verify.h"

namespace gauger::simulation {
namespace {

using ledger::EventKind;

const std::string directory = "/srv/ledger";
const Instant epoch = parse_instant("2027-01-16T00:00:00Z").value();
// What a ledger remembers of reservations that have ended is bounded by time.
const Instant last_tick = epoch + std::chrono::hours{40};

int64_t minutes_of(std::string_view text) { return to_minutes(parse_instant(text).value()); }

std::string json_of(const testing::ModelEvent& event) {
  auto text = R"({"source": "gateway", "id": ")" + event.id + '"';
  if (event.kind == EventKind::usage) {
    text += R"(, "completed_at": ")" + format_instant(Instant(std::chrono::minutes{event.time})) +
            R"(", "team": ")" + team_of(event.id) +
            R"(", "provider": "anthropic", "model": "claude-opus-4-6", "input_uncached": )" +
            std::to_string(event.content);
    if (!event.reserves.empty()) text += R"(, "reservation_id": ")" + event.reserves + '"';
  } else if (event.kind == EventKind::retraction) {
    text += R"(, "retracts": {"id": ")" + event.target + R"(", "reason": "billed in error"})";
  } else {
    text += R"(, "outcome_of": {"id": ")" + event.target + R"("}, "outcome": ")" +
            std::string(gauger::to_string(static_cast<Outcome>(event.content))) + '"';
  }
  return text + "}";
}

std::string numbered(const char* prefix, uint64_t number) {
  return prefix + std::to_string(number);
}

// Most of an event follows from its identity, so that it comes again and again.
testing::ModelEvent usage_event(std::string id, Choices& choices) {
  testing::ModelEvent event;
  const auto hash = ledger::hash64(id);
  event.content = 1 + static_cast<int64_t>(hash % 200);
  event.time = minutes_of("2026-12-20") + static_cast<int64_t>(hash / 256 % (30 * 24 * 60));
  if (choices.one_in(10)) ++event.content;
  if (choices.one_in(10)) event.time += 30;
  if (choices.one_in(25)) event.time = minutes_of("2026-11-01");
  event.id = std::move(id);
  return event;
}

testing::ModelEvent reserved_event(Choices& choices) {
  testing::ModelEvent event;
  event.id = numbered("x", choices.below(40));
  event.reserves = numbered("R", choices.below(30));
  event.content = 1 + static_cast<int64_t>(choices.below(500));
  event.time =
      minutes_of("2027-01-05") + static_cast<int64_t>(ledger::hash64(event.id) % (10 * 24 * 60));
  return event;
}

testing::ModelEvent amendment(EventKind kind, Choices& choices) {
  testing::ModelEvent event;
  event.kind = kind;
  event.id = numbered(kind == EventKind::outcome ? "o" : "a", choices.below(40));
  event.target =
      choices.one_in(10) ? numbered("a", choices.below(40)) : numbered("u", choices.below(60));
  if (kind == EventKind::outcome) event.content = 1 + static_cast<int64_t>(choices.below(3));
  return event;
}

ledger::Quota quota() {
  ledger::Quota quota;
  quota.id = "q";
  quota.scope = {{ledger::Dimension::team, std::string(billed_team)}};
  quota.measure = {ledger::QuotaMeasure::Kind::meter, Meter::input_uncached};
  quota.limit = quota_limit;
  return quota;
}

}  // namespace

void Tally::add(const Tally& other) {
  operations += other.operations;
  records += other.records;
  commits += other.commits;
  starts += other.starts;
  kills += other.kills;
  power_cuts += other.power_cuts;
  faults += other.faults;
  rewound += other.rewound;
  grants += other.grants;
  refusals += other.refusals;
  invoices += other.invoices;
  voids += other.voids;
  requests += other.requests;
  replays += other.replays;
  backups += other.backups;
  restores += other.restores;
  retained += other.retained;
  rebuilds += other.rebuilds;
}

World::World(uint64_t seed)
    : seed_(seed), disk_(std::make_unique<SimulatedDisk>(seed)), clock_(epoch) {
  Choices choices(seed);
  options_.disk = &disk_->disk();
  options_.single_threaded = true;
  options_.free_bytes_min = 0;
  options_.hot_identities_max = std::array<uint64_t, 4>{0, 3, 12, 1000}[choices.below(4)];
  options_.config.emplace();
  options_.config->identity_key = seed | 1;
  history_[0] = Model{};
  start();
}

void World::require(bool holds, const std::string& sentence) {
  if (!holds) throw Broken(sentence);
}

// --- life -----------------------------------------------------------------------------------

void World::start() {
  disk_->start();
  if (fault_at_start_) disk_->arm(*std::exchange(fault_at_start_, std::nullopt));
  for (int attempt = 1;; ++attempt) {
    ++counts_.starts;
    auto opened = ledger::Ledger::open(directory, options_, clock_);
    Result<void> ready = success();
    if (opened) {
      ledger_ = std::move(opened.value());
      ready = ledger_->define_quotas({quota()}, {});
    } else {
      ready = opened.error();
    }
    if (ready) break;
    require(disk_->has_fired(), "the start failed without a fault: " + ready.error().sentence);
    require(attempt < 3, "a start without a fault failed: " + ready.error().sentence);
    ++counts_.faults;
    disk_->halt();
    drop_ledger();
    disk_->start();
  }
  disk_->disarm();
  const auto sequence = ledger_->status().head.sequence;
  require(sequence >= durable_, "block " + std::to_string(durable_) +
                                    " was acknowledged, but the ledger ends at block " +
                                    std::to_string(sequence));
  require(history_.contains(sequence),
          "the ledger holds block " + std::to_string(sequence) + ", which nobody committed");
  if (sequence < history_.rbegin()->first) ++counts_.rewound;
  model_ = history_.at(sequence);
  history_.clear();
  history_[sequence] = model_;
  durable_ = sequence;
  learn_issued();
  check_all();
}

void World::restart(bool power_cut) {
  if (power_cut)
    disk_->lose_power();
  else
    disk_->halt();
  ++(power_cut ? counts_.power_cuts : counts_.kills);
  drop_ledger();
  start();
}

void World::died(const Error& error) {
  require(disk_->has_fired(), "failed without a fault: " + error.sentence);
  require(
      error.code == ErrorCode::io,
      "a fault was called " + std::string(gauger::to_string(error.code)) + ": " + error.sentence);
  ++counts_.faults;
  restart(counts_.faults % 2 == 0);
}

bool World::commit(const Model& next, Expect expect, const std::function<Result<void>()>& call) {
  const auto before = ledger_->status().head.sequence;
  const auto done = call();
  const auto after = ledger_->status().head.sequence;
  require(after <= before + 1, "one commit made two blocks");
  if (after != before) {
    ++counts_.commits;
    history_[after] = next;
    history_[after].usage.seal(after);
  }
  if (!done) {
    died(done.error());
    return false;
  }
  require((after != before) == (expect == Expect::block),
          after != before ? "a block was made of nothing" : "what was done is in no block");
  if (after != before) model_ = history_.at(after);
  return true;
}

void World::acknowledge() {
  durable_ = ledger_->status().head.sequence;
  history_.erase(history_.begin(), history_.lower_bound(durable_));
}

bool World::flush() {
  if (!commit(model_, Expect::no_block, [&] { return ledger_->flush(); })) return false;
  acknowledge();
  return true;
}

void World::apply(const Operation& operation) {
  Choices choices(operation.seed);
  ++counts_.operations;
  switch (operation.act) {
    case Act::produce: return produce(choices);
    case Act::consume: return consume(choices, false);
    case Act::fail: return consume(choices, true);
    case Act::request: return request(choices);
    case Act::truncate: return truncate(choices);
    case Act::flush:
      if (flush() && !disk_->is_armed()) check_usage();
      return;
    case Act::tick:
      return clock_.set(std::min(
          last_tick, clock_.now() + std::chrono::minutes{static_cast<int64_t>(choices.below(60))}));
    case Act::reserve: return reserve(choices);
    case Act::settle: return settle(choices);
    case Act::cancel: return cancel(choices);
    case Act::expire: return expire();
    case Act::price: return post_price(choices);
    case Act::close: return close_month(choices);
    case Act::rerate: return rerate_month(choices);
    case Act::void_one: return void_one(choices);
    case Act::backup: return backup();
    case Act::restore: return restore(choices);
    case Act::retain: return retain(choices);
    case Act::rebuild: return rebuild();
    case Act::restart: {
      const auto closed = ledger_->close();
      if (!closed) return died(closed.error());
      acknowledge();
      drop_ledger();
      return start();
    }
    case Act::kill: return restart(false);
    case Act::power_cut: return restart(true);
    case Act::fault: {
      auto fault = fault_of(choices);
      disk_->disarm();
      if (choices.one_in(3))
        fault_at_start_ = fault;
      else
        disk_->arm(fault);
      return;
    }
    case Act::verify: return verify();
  }
}

// --- events ---------------------------------------------------------------------------------

LogRecord World::record_of(Choices& choices) {
  LogRecord record;
  const auto which = choices.below(100);
  if (which < 8) {
    record.poison = true;
    record.bytes = std::make_shared<const std::string>(numbered("poison ", choices.below(5)));
    return record;
  }
  auto& event = record.event;
  if (which < 20)
    event = amendment(EventKind::retraction, choices);
  else if (which < 30)
    event = amendment(EventKind::outcome, choices);
  else if (which < 38)
    event = reserved_event(choices);
  else if (which < 80)
    event = usage_event(numbered("u", choices.below(60)), choices);
  else
    event = usage_event(numbered("n", choices.any() % 1'000'000), choices);
  record.bytes = std::make_shared<const std::string>(json_of(event));
  return record;
}

void World::produce(Choices& choices) {
  const auto partition = static_cast<uint32_t>(choices.below(SimulatedLog::partitions));
  for (auto count = 1 + choices.below(12); count > 0; --count) {
    if (choices.one_in(15)) log_.skip(partition);
    log_.append(partition, record_of(choices));
  }
}

void World::consume(Choices& choices, bool fails) {
  SimulatedSource::Plan plan;
  plan.polls = 1 + choices.below(3);
  plan.records_per_poll = 1 + choices.below(9);
  if (fails) plan.fails_at = choices.below(plan.polls);
  SimulatedSource source(log_, *ledger_, plan, choices);
  ingest::IntakeOptions options;
  options.decoder = ingest::make_json_decoder();
  auto next = model_;
  auto sequence = ledger_->status().head.sequence;
  const auto note = [&] {
    for (const auto& delivered : source.delivered()) {
      next.deliver(delivered, clock_.now());
      ++counts_.records;
    }
    const auto now = ledger_->status().head.sequence;
    if (now == sequence) return;
    require(now == sequence + 1, "one commit made two blocks");
    sequence = now;
    ++counts_.commits;
    next.usage.seal(sequence);
    history_[sequence] = model_ = next;
  };
  const auto done =
      ingest::run_intake(*ledger_, source, std::move(options), [&](const ingest::IntakeProgress&) {
        note();
        return true;
      });
  note();
  if (!done && done.error().code != ErrorCode::unavailable) died(done.error());
}

void World::truncate(Choices& choices) {
  const auto partition = static_cast<uint32_t>(choices.below(SimulatedLog::partitions));
  // Never beyond what a backup may still have to read again.
  int64_t before = INT64_MAX;
  const auto hold_for = [&](const Model& model) {
    const auto found = model.positions.find(static_cast<int32_t>(partition));
    before = found == model.positions.end() ? 0 : std::min(before, found->second.next_offset);
  };
  hold_for(history_.at(durable_));
  for (const auto& kept : backups_) hold_for(kept.model);
  if (before != 0) log_.truncate(partition, before);
}

// --- quotas ---------------------------------------------------------------------------------

void World::reserve(Choices& choices) {
  if (!flush()) return;
  const auto id = numbered("R", choices.below(30));
  const auto tokens = static_cast<int64_t>(choices.below(800));
  const auto expires_at =
      clock_.now() + std::chrono::minutes{10 + static_cast<int64_t>(choices.below(300))};
  ledger::QuotaRequest request;
  request.attributes = {{ledger::Dimension::team, std::string(billed_team)}};
  request.amounts.requests = 1;
  request.amounts.counts[0] = tokens;
  auto next = model_;
  next.block_time = std::max(next.block_time, clock_.now());
  const auto asked = model_.asked.find(id);
  const bool same =
      asked != model_.asked.end() && asked->second == tokens && model_.held.contains(id);
  const auto decided = ledger_->reserve(request, id, expires_at);
  if (!decided) {
    if (decided.error().code == ErrorCode::io) return died(decided.error());
    require(decided.error().code == ErrorCode::conflict && asked != model_.asked.end() && !same,
            "reservation " + id + ": " + decided.error().sentence);
    return;
  }
  require(asked == model_.asked.end() || same, "reservation " + id + " was granted twice");
  const auto all = model_.tokens_of_quota() + model_.held_of_quota() + tokens;
  const bool allowed = same || all <= quota_limit;
  require(decided.value().allowed == allowed,
          "reservation " + id + " of " + std::to_string(tokens) + " is " +
              (allowed ? "refused" : "granted") + " at " + std::to_string(all - tokens) + " of " +
              std::to_string(quota_limit));
  ++(allowed ? counts_.grants : counts_.refusals);
  const bool granted = allowed && !same;
  if (granted) {
    next.held[id] = {tokens, expires_at};
    next.asked[id] = tokens;
  }
  if (commit(next, granted ? Expect::block : Expect::no_block, [&] { return ledger_->flush(); }))
    acknowledge();
}

void World::settle(Choices& choices) {
  const auto id = numbered("R", choices.below(30));
  ledger::QuotaAmounts amounts;
  amounts.requests = 1;
  amounts.counts[0] = static_cast<int64_t>(choices.below(400));
  auto next = model_;
  next.block_time = std::max(next.block_time, clock_.now());
  const bool live = next.held.contains(id);
  if (live) next.held[id].tokens = amounts.counts[0];
  const auto settled = ledger_->settle("default", id, amounts);
  require(settled.has_value() == live, "settling " + id + " is not what its life allows");
  if (live && commit(next, Expect::block, [&] { return ledger_->flush(); })) acknowledge();
}

void World::cancel(Choices& choices) {
  const auto id = numbered("R", choices.below(30));
  auto next = model_;
  next.block_time = std::max(next.block_time, clock_.now());
  const bool live = next.held.erase(id) != 0;
  if (live) next.ended.insert(id);
  const auto cancelled = ledger_->cancel("default", id);
  require(cancelled.has_value() == live, "cancelling " + id + " is not what its life allows");
  if (live && commit(next, Expect::block, [&] { return ledger_->flush(); })) acknowledge();
}

void World::expire() {
  auto next = model_;
  const auto now = std::max(next.block_time, clock_.now());
  size_t expired = 0;
  for (auto at = next.held.begin(); at != next.held.end();) {
    if (at->second.expires_at > now) {
      ++at;
      continue;
    }
    ++expired;
    next.ended.insert(at->first);
    at = next.held.erase(at);
  }
  if (expired != 0) next.block_time = now;
  const auto done = ledger_->expire_reservations();
  if (!done) return died(done.error());
  require(done.value() == expired, "other reservations expired than should");
  const auto expect = expired != 0 ? Expect::block : Expect::no_block;
  if (commit(next, expect, [&] { return ledger_->flush(); })) acknowledge();
}

void World::verify() {
  disk_->disarm();
  if (!flush()) return;
  check_all();
  const auto report = ledger::verify(
      directory, [](uint64_t, uint64_t) {}, disk_->disk());
  require(report.has_value(), report ? "" : "verify: " + report.error().sentence);
  require(report.value().findings.empty(),
          report.value().findings.empty() ? "" : "verify: " + report.value().findings.front());
}

uint64_t World::finish() {
  disk_->disarm();
  fault_at_start_.reset();
  verify();
  for (auto& request : unanswered_)
    require(send(request, true), "a request failed on a sound disk");
  apply({Act::restart, 0});
  verify();
  return ledger::hash64(answers());
}

RunResult run(uint64_t seed, const std::vector<Operation>& operations) {
  RunResult outcome;
  try {
    World world(seed);
    try {
      for (const auto& operation : operations) {
        world.apply(operation);
        ++outcome.at;
      }
      outcome.digest = world.finish();
    } catch (const Broken& broken) {
      outcome.broken = broken.what();
    }
    outcome.counts = world.counts();
  } catch (const Broken& broken) {
    outcome.broken = broken.what();
  }
  return outcome;
}

}  // namespace gauger::simulation
