// Why: a quota is a promise about the future; it must hold at every grant, over crashes, window
// ends and events that come late. How: the real ledger over memory, with a clock of our own.
#include "ledger/quota.h"

#include <map>
#include <random>

#include "tests/unit/ledger/events.h"

using namespace gauger;
using namespace gauger::ledger;
using namespace gauger::ledger::testing;

namespace {

Quota quota(std::string id, Int128 limit, std::vector<Filter> scope = {}) {
  Quota quota;
  quota.id = std::move(id);
  quota.scope = std::move(scope);
  quota.limit = limit;
  quota.window.kind = QuotaWindow::Kind::day;
  return quota;
}

// Input tokens of a team.
QuotaRequest request(int64_t tokens, std::string team = "search") {
  QuotaRequest request;
  request.attributes = {{Dimension::team, std::move(team)}};
  request.amounts.requests = 1;
  request.amounts.counts[0] = tokens;
  return request;
}

class Quotas : public Bench {
 public:
  Quotas() { clock.set(at("2027-01-15T12:00:00Z")); }

  void define(std::vector<Quota> quotas) {
    defined = std::move(quotas);
    REQUIRE(ledger->define_quotas(defined, {}).has_value());
  }
  void restart(bool power_cut = false) {
    reopen(power_cut);
    define(defined);
  }
  bool reserve(std::string_view id, int64_t tokens, std::string team = "search") {
    return ledger
        ->reserve(request(tokens, std::move(team)), id, clock.now() + std::chrono::minutes{10})
        .value()
        .allowed;
  }
  void use(std::string_view id, std::string_view reservation, int64_t tokens) {
    auto event = usage_event(id, tokens, 0);
    event.completed_at = clock.now();
    event.started_at = event.completed_at;
    event.reservation_id = reservation;
    commit({event});
    flush();
  }
  QuotaAnswer state(std::string_view id) const {
    for (const auto& answer : ledger->quotas().list("default", clock.now()))
      if (answer.quota == id) return answer;
    FAIL("no such quota");
    return {};
  }
  void expect(std::string_view id, Int128 used, Int128 held, Int128 overrun = 0) const {
    const auto found = state(id);
    CHECK(to_string(found.used) == to_string(used));
    CHECK(to_string(found.held) == to_string(held));
    CHECK(to_string(found.overrun) == to_string(overrun));
  }

  std::vector<Quota> defined;
};

}  // namespace

TEST_CASE("a reservation is refused where used and held would pass the limit", "[ledger]") {
  Quotas quotas;
  quotas.define({quota("q", 100)});
  CHECK(quotas.reserve("a", 60));
  CHECK_FALSE(quotas.reserve("b", 41));
  CHECK(quotas.reserve("c", 40));
  quotas.flush();
  quotas.expect("q", 0, 100);
  quotas.use("e", "a", 50);
  quotas.expect("q", 50, 40);
  CHECK_FALSE(quotas.reserve("d", 11));
  CHECK(quotas.reserve("d", 10));
}

TEST_CASE("every quota that a request lies in is asked", "[ledger]") {
  Quotas quotas;
  quotas.define(
      {quota("company", 1000), quota("team", 100, {{Dimension::team, "search"}}),
       quota("other", 0, {{Dimension::team, "ads"}}),
       quota("model", 0, {{Dimension::team, "search"}, {Dimension::model, "claude-opus"}})});
  const auto decision = quotas.ledger->quotas().check(request(101), quotas.clock.now());
  CHECK_FALSE(decision.allowed);
  REQUIRE(decision.answers.size() == 2);
  CHECK(decision.answers[0].quota == "company");
  CHECK_FALSE(decision.answers[0].exceeded);
  CHECK(decision.answers[1].quota == "team");
  CHECK(decision.answers[1].exceeded);
  CHECK(decision.answers[1].resets_at == at("2027-01-16"));
  // The model was not stated, but what is used counts against it.
  quotas.use("e", "", 30);
  quotas.expect("model", 30, 0);
  quotas.expect("other", 0, 0);
}

TEST_CASE("soft quotas warn and shadow quotas tell but neither refuses", "[ledger]") {
  Quotas quotas;
  auto soft = quota("soft", 100);
  soft.mode = QuotaMode::soft;
  soft.warn_percent = {50, 80};
  auto shadow = quota("shadow", 10);
  shadow.mode = QuotaMode::shadow;
  quotas.define({soft, shadow});
  const auto decision = quotas.ledger->quotas().check(request(80), quotas.clock.now());
  CHECK(decision.allowed);
  CHECK(decision.answers[0].warn_percent == 80);
  CHECK_FALSE(decision.answers[0].exceeded);
  CHECK(decision.answers[1].exceeded);
}

TEST_CASE("balances and reservations survive a restart and only what was durable", "[ledger]") {
  for (const bool power_cut : {false, true}) {
    Quotas quotas;
    quotas.define({quota("q", 100)});
    REQUIRE(quotas.reserve("a", 30));
    REQUIRE(quotas.reserve("b", 20));
    quotas.use("e1", "a", 40);
    REQUIRE(quotas.reserve("lost", 5));  // never flushed, so never told
    quotas.restart(power_cut);
    quotas.expect("q", 40, 20, 10);
    CHECK_FALSE(quotas.reserve("c", 41));
    CHECK(quotas.reserve("c", 40));
    quotas.use("e2", "b", 20);
    quotas.restart();
    quotas.expect("q", 60, 40, 10);
  }
}

TEST_CASE("the same reservation again is the same grant and another one a conflict", "[ledger]") {
  Quotas quotas;
  quotas.define({quota("q", 100)});
  CHECK(quotas.reserve("a", 60));
  CHECK(quotas.reserve("a", 60));
  quotas.flush();
  quotas.expect("q", 0, 60);
  const auto other =
      quotas.ledger->reserve(request(61), "a", quotas.clock.now() + std::chrono::minutes{1});
  REQUIRE_FALSE(other.has_value());
  CHECK(other.error().code == ErrorCode::conflict);
  quotas.use("e", "a", 1);
  CHECK_FALSE(quotas.ledger->reserve(request(60), "a", quotas.clock.now() + std::chrono::minutes{1})
                  .has_value());
}

TEST_CASE("a cancelled or expired hold is free again and late use of it is overrun", "[ledger]") {
  Quotas quotas;
  quotas.define({quota("q", 100)});
  REQUIRE(quotas.reserve("a", 50));
  REQUIRE(quotas.reserve("b", 50));
  REQUIRE(quotas.ledger->cancel("default", "a").has_value());
  CHECK_FALSE(quotas.ledger->cancel("default", "a").has_value());
  quotas.flush();
  quotas.expect("q", 0, 50);
  quotas.clock.set(quotas.clock.now() + std::chrono::minutes{10});
  CHECK(quotas.ledger->expire_reservations().value() == 1);
  CHECK(quotas.ledger->expire_reservations().value() == 0);
  quotas.flush();
  quotas.restart();
  quotas.expect("q", 0, 0);
  quotas.use("e", "b", 30);
  quotas.expect("q", 30, 0, 30);
  quotas.restart();
  quotas.expect("q", 30, 0, 30);
}

TEST_CASE("settling holds what was used until its event comes", "[ledger]") {
  Quotas quotas;
  quotas.define({quota("q", 100)});
  REQUIRE(quotas.reserve("a", 80));
  REQUIRE(quotas.ledger->settle("default", "a", request(25).amounts).has_value());
  quotas.flush();
  quotas.expect("q", 0, 25);
  CHECK(quotas.reserve("b", 75));
  quotas.restart(true);  // b was not flushed
  quotas.expect("q", 0, 25);
  quotas.use("e", "a", 25);
  quotas.expect("q", 25, 0);
}

TEST_CASE("what was reserved before midnight counts before midnight", "[ledger]") {
  Quotas quotas;
  quotas.clock.set(at("2027-01-15T23:58:00Z"));
  auto rolling = quota("rolling", 1000);
  rolling.window.kind = QuotaWindow::Kind::rolling;
  rolling.window.length = std::chrono::hours{2};
  quotas.define({quota("day", 100), rolling});
  REQUIRE(quotas.reserve("a", 70));
  quotas.flush();
  quotas.clock.set(at("2027-01-16T00:01:00Z"));
  quotas.expect("day", 0, 0);
  quotas.use("e", "a", 70);
  quotas.expect("day", 0, 0);
  quotas.expect("rolling", 70, 0);
  CHECK(quotas.state("rolling").resets_at == at("2027-01-16T01:30:00Z"));
  CHECK(quotas.reserve("b", 100));
  quotas.flush();
  quotas.restart();
  quotas.expect("day", 0, 100);
  quotas.expect("rolling", 70, 100);
  quotas.clock.set(at("2027-01-16T01:31:00Z"));
  quotas.expect("rolling", 0, 100);
}

TEST_CASE("use outside of a hold's scope leaves the quota as it was", "[ledger]") {
  Quotas quotas;
  quotas.define({quota("ads", 100, {{Dimension::team, "ads"}})});
  REQUIRE(quotas.reserve("a", 60, "ads"));
  quotas.use("e", "a", 90);  // the event is search's
  quotas.expect("ads", 0, 0);
}

TEST_CASE("a retraction gives back what was used", "[ledger]") {
  Quotas quotas;
  quotas.define({quota("q", 100)});
  quotas.use("e", "", 70);
  quotas.commit({retraction("r", "e")});
  quotas.flush();
  quotas.expect("q", 0, 0);
}

TEST_CASE("cost without a price follows the failure mode", "[ledger]") {
  Quotas quotas;
  auto deny = quota("deny", 100);
  deny.measure.kind = QuotaMeasure::Kind::cost;
  deny.currency = "USD";
  auto allow = deny;
  allow.id = "allow";
  allow.failure = QuotaFailure::allow;
  quotas.define({deny, allow});
  auto unpriced = request(1);
  const auto decision = quotas.ledger->quotas().check(unpriced, quotas.clock.now());
  CHECK_FALSE(decision.allowed);
  CHECK(decision.answers[0].exceeded);
  CHECK_FALSE(decision.answers[1].exceeded);
  unpriced.amounts.cost = 99;
  CHECK(quotas.ledger->quotas().check(unpriced, quotas.clock.now()).allowed);
}

TEST_CASE("cost counts at the price of the event and is priced anew after a restart", "[ledger]") {
  Quotas quotas;
  auto cost = quota("cost", 1000);
  cost.measure.kind = QuotaMeasure::Kind::cost;
  cost.currency = "USD";
  QuotaTerms terms;
  terms.cost_of = [](const UsageTable& usage, std::string_view currency) {
    CHECK(currency == "USD");
    std::vector<std::optional<Int128>> costs;
    for (const auto& row : usage.rows)
      costs.push_back(usage.text(usage.key(row).model) == "claude-opus"
                          ? std::optional<Int128>(3 * row.counts[0])
                          : std::nullopt);
    return costs;
  };
  REQUIRE(quotas.ledger->define_quotas({cost}, terms).has_value());
  auto bound = request(0);
  bound.amounts.cost = 500;
  REQUIRE(quotas.ledger->reserve(bound, "a", quotas.clock.now() + std::chrono::hours{1})
              .value()
              .allowed);
  quotas.use("e", "a", 200);
  quotas.expect("cost", 600, 0, 100);
  quotas.reopen();
  REQUIRE(quotas.ledger->define_quotas({cost}, terms).has_value());
  quotas.expect("cost", 600, 0, 100);
}

TEST_CASE("quotas that this ledger cannot keep are refused by name", "[ledger]") {
  Quotas quotas;
  const auto refused = [&](Quota bad, const std::string& part) {
    const auto result = quotas.ledger->define_quotas({std::move(bad)}, {});
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().sentence.find(part) != std::string::npos);
  };
  auto bad = quota("q", -1);
  refused(bad, "quota 'q' has a limit below zero");
  bad = quota("q", 1);
  bad.window.zone = TimeZone::find("Asia/Kathmandu").value();
  refused(bad, "Asia/Kathmandu");
  bad = quota("q", 1);
  bad.window.kind = QuotaWindow::Kind::rolling;
  bad.window.length = std::chrono::minutes{45};
  refused(bad, "rolling window");
  bad = quota("q", 1, {{Dimension::service_tier, "golden"}});
  refused(bad, "'golden'");
}

TEST_CASE("windows follow the calendar of their zone over daylight saving", "[ledger]") {
  QuotaWindow window;
  window.zone = TimeZone::find("Europe/Berlin").value();
  const auto grain = std::chrono::minutes{30};
  const auto check = [&](QuotaWindow::Kind kind, const char* now, const char* from,
                         const char* until) {
    window.kind = kind;
    const auto found = window.at(at(now), grain);
    CHECK(format_instant(found.from) == from);
    CHECK(format_instant(found.until) == until);
  };
  using Kind = QuotaWindow::Kind;
  check(Kind::day, "2027-03-28T12:00:00Z", "2027-03-27T23:00:00Z", "2027-03-28T22:00:00Z");
  check(Kind::hour, "2027-03-28T01:10:00Z", "2027-03-28T01:00:00Z", "2027-03-28T02:00:00Z");
  check(Kind::week, "2027-03-28T12:00:00Z", "2027-03-21T23:00:00Z", "2027-03-28T22:00:00Z");
  check(Kind::week, "2027-03-29T00:00:00Z", "2027-03-28T22:00:00Z", "2027-04-04T22:00:00Z");
  check(Kind::month, "2027-03-31T21:59:59Z", "2027-02-28T23:00:00Z", "2027-03-31T22:00:00Z");
  window.length = std::chrono::hours{24};
  check(Kind::rolling, "2027-03-28T12:10:00Z", "2027-03-27T12:30:00Z", "2027-03-28T12:30:00Z");
}

TEST_CASE("at every grant of a random history used and held stay within the limit", "[ledger]") {
  std::mt19937_64 random(20'270'115);
  const auto pick = [&](uint64_t n) { return random() % n; };
  for (int history = 0; history < 40; ++history) {
    Quotas quotas;
    quotas.define({quota("q", 500)});
    std::map<std::string, int64_t> live;  // what each holds, as the caller was told
    int64_t used = 0;
    int64_t held = 0;
    int64_t overrun = 0;
    int next = 0;
    for (int step = 0; step < 120; ++step) {
      const auto tokens = static_cast<int64_t>(pick(120));
      const auto any = live.empty() ? live.end() : std::next(live.begin(), pick(live.size()));
      switch (pick(6)) {
        case 0:
        case 1: {
          const auto id = std::to_string(++next);
          const bool granted = quotas.reserve(id, tokens);
          CHECK(granted == (used + held + tokens <= 500));
          if (granted) live[id] = tokens;
          if (granted) held += tokens;
          quotas.flush();
          break;
        }
        case 2:
          if (any == live.end()) break;
          quotas.use("e" + std::to_string(++next), any->first, tokens);
          used += tokens;
          held -= any->second;
          overrun += std::max<int64_t>(0, tokens - any->second);
          live.erase(any);
          break;
        case 3:
          if (any == live.end()) break;
          REQUIRE(quotas.ledger->cancel("default", any->first).has_value());
          quotas.flush();
          held -= any->second;
          live.erase(any);
          break;
        case 4:
          if (any == live.end()) break;
          REQUIRE(
              quotas.ledger->settle("default", any->first, request(tokens).amounts).has_value());
          quotas.flush();
          held += tokens - any->second;
          any->second = tokens;
          break;
        default: quotas.restart(pick(2) == 0);
      }
      quotas.expect("q", used, held, overrun);
    }
  }
}
