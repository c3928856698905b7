// Why: what the API answers is what other people's programs are built on. How: requests as values
// over a real ledger, restarts included.
#include "exporters/quota/quota_answers.h"
#include "tests/unit/exporters/api_bench.h"

using namespace gauger;
using namespace gauger::exporters;
using namespace gauger::exporters::testing;

namespace {

Ask with(Ask ask, std::string name, std::string value) {
  ask.headers.emplace_back(std::move(name), std::move(value));
  return ask;
}

constexpr std::string_view quota = R"(
kind: quota
id: search-day
scope: {team: search}
measure: tokens
limit: 1000
window: day
)";

std::string reservation(std::string_view id, int tokens, std::string_view team = "search") {
  return R"({"id":")" + std::string(id) + R"(","team":")" + std::string(team) +
         R"(","counts":{"input_uncached":)" + std::to_string(tokens) + "}}";
}

}  // namespace

TEST_CASE("events are counted once and visible when they are acknowledged", "[exporters]") {
  ApiBench bench;
  const auto batch = "[" + event_json("1", "search") + "," + event_json("2", "search") + "," +
                     event_json("1", "search") + R"(,{"source":"gateway"},)" +
                     event_json("2", "search", 5) + "]";
  const auto answer = bench.post("/v1/events", batch);
  CHECK(answer.status == 200);
  CHECK(member(answer, "records") == "5");
  CHECK(member(answer, "accepted") == "2");
  CHECK(member(answer, "duplicate") == "1");
  CHECK(member(answer, "conflict") == "1");
  CHECK(member(answer, "quarantined") == "1");
  CHECK(member(answer, "refused.0.record") == "3");
  CHECK(member(answer, "refused.1.record") == "4");
  CHECK(member(answer, "refused.1.reason") == "conflict");
  const auto usage = bench.get("/v1/usage?by=team");
  CHECK(member(usage, "rows.0.input_uncached") == "200");
  CHECK(std::stoul(member(usage, "as_of_sequence")) >= std::stoul(member(answer, "sequence")));
  bench.restart();
  CHECK(member(bench.post("/v1/events", batch), "accepted") == "0");
  CHECK(member(bench.get("/v1/usage?by=team"), "rows.0.requests") == "2");
}

TEST_CASE("many clients send at once and each is told of its own records", "[exporters]") {
  ApiBench bench;
  std::vector<std::thread> clients;
  std::atomic<int> good{0};
  for (int client = 0; client < 8; ++client)
    clients.emplace_back([&, client] {
      for (int i = 0; i < 20; ++i) {
        const auto id = std::to_string(client) + "-" + std::to_string(i);
        const auto answer = bench.post("/v1/events", "[" + event_json(id, "search") + "," +
                                                         event_json("shared", "search") + "]");
        const auto fresh = std::stoi(member(answer, "accepted"));
        const auto known = std::stoi(member(answer, "duplicate"));
        if (answer.status == 200 && fresh + known == 2 && fresh >= 1) ++good;
      }
    });
  for (auto& client : clients) client.join();
  CHECK(good == 160);
  CHECK(member(bench.get("/v1/usage?by=team"), "rows.0.requests") == "161");
}

TEST_CASE("events of other media types are read by their own rules", "[exporters]") {
  ApiBench bench;
  auto lines = Ask{Method::post, "/v1/events",
                   event_json("a", "search") + "\n\n" + event_json("b", "search") + "\nnonsense\n"};
  lines.headers = {{"content-type", "application/x-ndjson"}};
  const auto answer = bench.ask(lines);
  CHECK(member(answer, "accepted") == "2");
  CHECK(member(answer, "quarantined") == "1");
  auto cloud = Ask{Method::post, "/v1/events",
                   R"({"specversion":"1.0","type":"request","source":"s","id":"c","data":)" +
                       event_json("c", "search") + "}"};
  cloud.headers = {{"content-type", "application/cloudevents+json"}};
  CHECK(bench.ask(cloud).status == 200);
  auto unknown = Ask{Method::post, "/v1/events", "x"};
  unknown.headers = {{"content-type", "image/png"}};
  CHECK(problem_type(bench.ask(unknown)) == "unsupported_media_type");
  CHECK(problem_type(bench.post("/v1/events?format=nonsense", "x")) == "invalid_request");
  CHECK(member(
            bench.ask({Method::post, "/v1/events", "", {}, {{"content-type", "application/json"}}}),
            "records") == "0");
}

TEST_CASE("a repeated write gets the first answer and another one with its key a conflict",
          "[exporters]") {
  ApiBench bench;
  const auto events =
      with({Method::post, "/v1/events", event_json("1", "search")}, "idempotency-key", "k1");
  const auto first = bench.ask(events);
  CHECK(member(first, "accepted") == "1");
  CHECK(bench.ask(events).body == first.body);
  CHECK(problem_type(bench.ask(with({Method::post, "/v1/events", event_json("2", "search")},
                                    "idempotency-key", "k1"))) == "idempotency_conflict");

  const auto terms = with(yaml("/v1/terms/price_book/list", price_book), "idempotency-key", "k2");
  const auto posted = bench.ask(terms);
  CHECK(posted.status == 201);
  CHECK(member(posted, "version") == "1");
  CHECK(bench.ask(terms).body == posted.body);
  // Also when the server was killed before it could answer.
  bench.restart();
  CHECK(bench.ask(terms).body == posted.body);
  CHECK(problem_type(bench.ask(with(yaml("/v1/terms/price_book/other", price_book),
                                    "idempotency-key", "k2"))) == "idempotency_conflict");
  CHECK(member(bench.get("/v1/terms/price_book/list/versions"), "items.1.version").empty());

  const auto token =
      with({Method::post, "/v1/tokens", R"({"name":"a","role":"admin"})"}, "idempotency-key", "k3");
  const auto made = bench.ask(token);
  CHECK(made.status == 201);
  CHECK(bench
            .ask(with({Method::post, "/v1/tokens", R"({"name":"a","role":"admin"})",
                       member(made, "token")},
                      "idempotency-key", "k3"))
            .status == 201);
}

TEST_CASE("documents have tags and are replaced only by who has seen them", "[exporters]") {
  ApiBench bench;
  const auto posted = bench.ask(yaml("/v1/terms/price_book/list", price_book));
  REQUIRE(posted.status == 201);
  const auto got = bench.get("/v1/terms/price_book/list");
  CHECK(got.body == price_book);
  CHECK(got.content_type == "application/yaml");
  const auto tag = got.headers.front().second;
  const auto again = bench.ask(
      with({Method::get, "/v1/terms/price_book/list"}, "if-none-match", "\"x\", W/" + tag));
  CHECK(again.status == 304);
  CHECK(again.body.empty());
  // The same again makes no version; other content needs a version of its own.
  CHECK(bench.ask(yaml("/v1/terms/price_book/list", price_book)).status == 200);
  CHECK(bench.ask(yaml("/v1/terms/price_book/list", std::string(price_book) + "\n")).status == 409);
  CHECK(bench.ask(yaml("/v1/terms/price_book/other", price_book)).status == 400);
  auto changed = std::string(price_book);
  changed.replace(changed.find("2026-01-01"), 10, "2026-02-01");
  CHECK(
      bench.ask(with(yaml("/v1/terms/price_book/list", changed), "if-match", "\"other\"")).status ==
      412);
  CHECK(bench.ask(with(yaml("/v1/terms/price_book/list", changed), "if-none-match", "*")).status ==
        409);
  CHECK(member(bench.ask(with(yaml("/v1/terms/price_book/list", changed), "if-match", tag)),
               "version") == "2");
  CHECK(bench.ask(with(yaml("/v1/terms/price_book/list", changed), "if-match", tag)).status == 412);
  CHECK(problem_type(bench.ask(yaml("/v1/terms/price_book/bad", "prices: ["))) ==
        "invalid_request");
  CHECK(bench.get("/v1/terms/price_book/bad").status == 404);
  CHECK(bench.get("/v1/terms/access_token/x").status == 404);
}

TEST_CASE("pages lead through all rows once and a cursor belongs to its query", "[exporters]") {
  ApiBench bench;
  std::string events;
  for (int i = 0; i < 25; ++i)
    events += event_json("e" + std::to_string(i), "team" + std::to_string(100 + i)) + "\n";
  REQUIRE(
      bench
          .ask({Method::post, "/v1/events", events, {}, {{"content-type", "application/x-ndjson"}}})
          .status == 200);
  std::vector<std::string> teams;
  std::string cursor;
  do {
    const auto page =
        bench.get("/v1/usage?by=team&limit=10" + (cursor.empty() ? "" : "&cursor=" + cursor));
    REQUIRE(page.status == 200);
    for (int i = 0; i < 10; ++i) {
      const auto team = member(page, "rows." + std::to_string(i) + ".team");
      if (!team.empty()) teams.push_back(team);
    }
    cursor = member(page, "next_cursor");
  } while (!cursor.empty());
  CHECK(teams.size() == 25);
  CHECK(std::is_sorted(teams.begin(), teams.end()));
  const auto first = member(bench.get("/v1/usage?by=team&limit=10"), "next_cursor");
  CHECK(bench.get("/v1/usage?by=model&limit=10&cursor=" + first).status == 400);
  CHECK(bench.get("/v1/usage?by=team&limit=10&cursor=nonsense").status == 400);
  CHECK(bench.get("/v1/usage?by=team&limit=0").status == 400);
  CHECK(bench.get("/v1/usage?by=team&limit=1001").status == 400);
}

TEST_CASE("answers come in the form that the client likes best", "[exporters]") {
  ApiBench bench;
  REQUIRE(bench.post("/v1/events", event_json("1", "search")).status == 200);
  const auto as = [&](std::string accept) {
    return bench.ask(with({Method::get, "/v1/usage?by=team"}, "accept", std::move(accept)));
  };
  CHECK(as("text/csv").content_type.starts_with("text/csv"));
  CHECK(as("text/csv").body.starts_with("team,requests,"));
  CHECK(as("text/csv;q=0.5, application/json").content_type == "application/json");
  CHECK(as("text/*").content_type.starts_with("text/csv"));
  CHECK(as("application/json;q=0, */*").content_type.starts_with("text/csv"));
  CHECK(as("image/png").status == 406);
  CHECK(problem_type(as("application/pdf")) == "not_acceptable");
}

TEST_CASE("what a query names and is not known is refused", "[exporters]") {
  ApiBench bench;
  CHECK(bench.get("/v1/usage?bye=team").status == 400);
  CHECK(bench.get("/v1/usage?by=colour").status == 400);
  CHECK(bench.get("/v1/usage?period=2027-13").status == 400);
  CHECK(bench.get("/v1/usage?from=2027-01-01T00:07:00Z").status == 400);
  CHECK(bench.get("/v1/nothing").status == 404);
  const auto wrong = bench.ask({Method::put, "/v1/usage"});
  CHECK(wrong.status == 405);
  CHECK(wrong.headers.front() == std::pair<std::string, std::string>{"Allow", "GET, HEAD"});
}

TEST_CASE("a month is quoted and drafted with the ledger's own terms", "[exporters]") {
  ApiBench bench;
  REQUIRE(bench.post("/v1/events", event_json("1", "search", 1'000'000)).status == 200);
  CHECK(bench.get("/v1/invoices/draft?team=search&period=2027-01").status == 404);
  REQUIRE(bench.ask(yaml("/v1/terms/price_book/list", price_book)).status == 201);
  const auto draft = bench.get("/v1/invoices/draft?team=search&period=2027-01");
  CHECK(member(draft, "total") == "5.00");
  CHECK(member(draft, "blockers.0.kind") == "incomplete");
  const auto quote = bench.post(
      "/v1/quotes", R"({"provider":"anthropic","model":"claude-opus","counts":{"output_text":4}})");
  CHECK(quote.status == 200);
  CHECK(quote.body.find("0.0001") != std::string::npos);
  CHECK(bench.post("/v1/quotes", R"({"provider":"anthropic"})").status == 400);
}

TEST_CASE("a reservation is refused with the quota, what is used and held, and when it resets",
          "[exporters]") {
  ApiBench bench;
  REQUIRE(bench.ask(yaml("/v1/quotas/search-day", quota)).status == 201);
  CHECK(bench.post("/v1/reservations", reservation("r1", 600)).status == 201);
  // The same again is the same grant.
  CHECK(bench.post("/v1/reservations", reservation("r1", 600)).status == 201);
  CHECK(problem_type(bench.post("/v1/reservations", reservation("r1", 601))) == "conflict");
  const auto refused = bench.post("/v1/reservations", reservation("r2", 600));
  CHECK(refused.status == 429);
  CHECK(problem_type(refused) == "quota_exceeded");
  CHECK(member(refused, "quotas.0.quota") == "search-day");
  CHECK(member(refused, "quotas.0.held") == "600");
  CHECK(member(refused, "quotas.0.resets_at") == "2027-01-17T00:00:00Z");
  CHECK(
      member(bench.post("/v1/quotas/check", R"({"team":"search","counts":{"input_uncached":500}})"),
             "allowed") == "false");
  // Quotas and grants outlive the process.
  bench.restart();
  CHECK(bench.post("/v1/reservations", reservation("r2", 600)).status == 429);
  CHECK(member(bench.get("/v1/quotas"), "items.0.held") == "600");
  CHECK(bench.post("/v1/reservations/r1/settle", R"({"counts":{"input_uncached":100}})").status ==
        200);
  CHECK(member(bench.get("/v1/quotas"), "items.0.held") == "100");
  CHECK(bench.ask({Method::delete_, "/v1/reservations/r1"}).status == 204);
  CHECK(bench.ask({Method::delete_, "/v1/reservations/r1"}).status == 404);
  CHECK(bench.post("/v1/reservations", reservation("r2", 1000)).status == 201);
}

TEST_CASE("no number of clients at once gets more granted than the limit", "[exporters]") {
  ApiBench bench;
  REQUIRE(bench.ask(yaml("/v1/quotas/search-day", quota)).status == 201);
  std::atomic<int> granted{0};
  std::vector<std::thread> clients;
  for (int client = 0; client < 16; ++client)
    clients.emplace_back([&, client] {
      for (int i = 0; i < 40; ++i) {
        const auto id = std::to_string(client) + "-" + std::to_string(i);
        if (bench.post("/v1/reservations", reservation(id, 7)).status == 201) ++granted;
      }
    });
  for (auto& client : clients) client.join();
  CHECK(granted == 142);  // 142 x 7 = 994 of 1000
  CHECK(member(bench.get("/v1/quotas"), "items.0.held") == "994");
}

TEST_CASE("quotas of money count at the price of the ledger's book", "[exporters]") {
  // Context tiers and extras have prices of their own; tiers of a month's volume do not count.
  constexpr std::string_view book = R"(
kind: price_book
id: list
version: 2026-01-01
currency: USD
prices:
  - provider: anthropic
    model: claude-opus
    effective_from: 2026-01-01
    per: million
    input_uncached: {graduated: [{up_to: 1000, price: 5}, {price: 1}]}
    extras: {searches: {price: 1, per: unit}}
    context_above: {200000: {input_uncached: 10}}
)";
  ApiBench bench;
  bench.clock.set(at("2027-01-15T13:00:00Z"));
  REQUIRE(bench.ask(yaml("/v1/terms/price_book/list", book)).status == 201);
  REQUIRE(bench
              .ask(yaml("/v1/quotas/spend",
                        "kind: quota\nid: spend\nmeasure: cost\ncurrency: USD\nlimit: 10\n"
                        "window: day\n"))
              .status == 201);
  const auto ask = [&](int tokens) {
    return bench.post(
        "/v1/quotas/check",
        R"({"provider":"anthropic","model":"claude-opus","counts":{"input_uncached":)" +
            std::to_string(tokens) + "}}");
  };
  const auto used = [&] { return member(bench.get("/v1/quotas"), "items.0.used"); };
  CHECK(member(ask(1'000'000), "allowed") == "true");
  CHECK(member(ask(1'000'001), "allowed") == "false");
  auto event = event_json("1", "search", 500'000);
  event.insert(event.size() - 1, R"(,"extras":{"searches":2})");
  REQUIRE(bench.post("/v1/events", event).status == 200);
  CHECK(used() == "7.00");
  CHECK(member(ask(300'000), "allowed") == "true");
  CHECK(member(ask(300'001), "allowed") == "false");
  REQUIRE(bench.post("/v1/events", event_json("2", "search", 100'000)).status == 200);
  CHECK(used() == "7.50");
  bench.restart();
  CHECK(used() == "7.50");
}

TEST_CASE("a gateway bound to a team ends no other team's reservation", "[exporters]") {
  ApiBench bench;
  REQUIRE(bench.ask(yaml("/v1/quotas/search-day", quota)).status == 201);
  const auto all = bench.make_token(AccessRole::gateway);
  const auto claims = bench.make_token(AccessRole::gateway, {"claims"});
  const auto search = bench.make_token(AccessRole::gateway, {"search"});
  CHECK(bench.post("/v1/reservations", reservation("search:1", 10), all).status == 201);
  CHECK(bench.ask({Method::delete_, "/v1/reservations/search:1", {}, claims}).status == 403);
  CHECK(bench.ask({Method::delete_, "/v1/reservations/search:none", {}, claims}).status == 403);
  CHECK(bench.post("/v1/reservations", reservation("claims:1", 10), claims).status == 403);
  CHECK(bench.post("/v1/reservations", reservation("claims:1", 10, "claims"), claims).status ==
        201);
  CHECK(bench.post("/v1/quotas/check", R"({"counts":{}})", claims).status == 403);
  CHECK(bench.ask({Method::delete_, "/v1/reservations/search:1", {}, search}).status == 204);
}

TEST_CASE("the service is ready when it serves and says when it does not", "[exporters]") {
  ApiBench bench;
  CHECK(bench.get("/readyz").status == 200);
  bench.service->status().lag = 2'000'000;
  CHECK(problem_type(bench.get("/readyz")) == "not_ready");
  bench.service->status().lag = 0;
  bench.service->status().ready = false;
  CHECK(bench.get("/readyz").status == 503);
  CHECK(bench.get("/livez").status == 200);
}

TEST_CASE("the text of a quota's decision is the canonical text of its JSON", "[exporters]") {
  ledger::QuotaAnswer answer;
  answer.quota = "say \"no\"\n";
  answer.measure.kind = ledger::QuotaMeasure::Kind::cost;
  answer.limit = Int128{-1};
  answer.used = Int128{1} << 100;
  answer.held = 1'500'000'000'000;
  answer.exceeded = true;
  answer.warn_percent = 80;
  answer.window_from = at("2027-01-01T00:00:00Z");
  answer.resets_at = at("2027-02-01T00:00:00.000001Z");
  ledger::QuotaDecision decision;
  CHECK(decision_text(decision) == decision_json(decision).canonical());
  decision.answers = {answer, {}};
  decision.answers[1].mode = ledger::QuotaMode::shadow;
  decision.allowed = false;
  decision.as_of_sequence = 77;
  CHECK(decision_text(decision) == decision_json(decision).canonical());
}

namespace {

// As ApiBench::ask, for threads: it asserts nothing.
Response quietly(ApiBench& bench, const std::string& path, std::string body) {
  RequestHead head;
  head.method = Method::post;
  head.path = path;
  head.peer_is_loopback = true;
  head.headers = {{"host", "127.0.0.1"}, {"content-type", "application/json"}};
  auto admission = bench.service->admit(std::move(head));
  if (auto* refused = std::get_if<Response>(&admission)) return *refused;
  std::promise<Response> answer;
  std::get<Admitted>(admission).answer(
      std::move(body), [&](Response response) { answer.set_value(std::move(response)); });
  return answer.get_future().get();
}

}  // namespace

TEST_CASE("without reservations a quota is overshot by no more than what is under way",
          "[exporters]") {
  constexpr int gateways = 8;
  constexpr int64_t amount = 100;
  constexpr int64_t limit = 20'050;  // no multiple of the amount: the last one does not fit
  ApiBench bench;
  REQUIRE(bench
              .ask({Method::post,
                    "/v1/quotas/q",
                    "kind: quota\nid: q\nscope: {team: search}\nmeasure: tokens\nlimit: 20050\n"
                    "window: month\n",
                    {},
                    {{"content-type", "application/yaml"}}})
              .status == 201);
  // Each asks, spends, waits until that is counted, and asks again until it is refused.
  std::atomic<int> failures{0};
  std::atomic<int64_t> granted{0};
  std::vector<std::thread> threads;
  for (int gateway = 0; gateway < gateways; ++gateway)
    threads.emplace_back([&, gateway] {
      for (int i = 0;; ++i) {
        const auto check = quietly(bench, "/v1/quotas/check",
                                   R"({"team":"search","counts":{"input_uncached":100}})");
        if (check.body.find(R"("allowed":true)") == std::string::npos) return;
        ++granted;
        const auto id = std::to_string(gateway) + "-" + std::to_string(i);
        const auto sent =
            quietly(bench, "/v1/events", "[" + event_json(id, "search", amount) + "]");
        if (sent.status != 200) ++failures;
      }
    });
  for (auto& thread : threads) thread.join();
  CHECK(failures == 0);
  const auto answer =
      bench.post("/v1/quotas/check", R"({"team":"search","counts":{"input_uncached":100}})");
  CHECK(member(answer, "allowed") == "false");
  const auto used = std::stoll(member(answer, "quotas.0.used"));
  CHECK(used == granted * amount);
  // The bound: who was granted last knew of everything but one request of each of the others.
  CHECK(used > limit - amount);
  CHECK(used <= limit + (gateways - 1) * amount);
}
