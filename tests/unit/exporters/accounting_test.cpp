// Why: what leaves by the API is what the month was invoiced, to whom it concerns and to nobody
// else. How: a month of two teams over a ledger of its own, without sockets.
#include "tests/unit/exporters/api_bench.h"

using namespace gauger;
using namespace gauger::exporters;
using namespace gauger::exporters::testing;

namespace {

Response as(ApiBench& bench, std::string target, std::string accept, std::string token = {}) {
  return bench.ask(
      {Method::get, std::move(target), {}, std::move(token), {{"accept", std::move(accept)}}});
}

// January with usage of two teams, looked at in February.
void fill(ApiBench& bench) {
  bench.clock.set(at("2027-01-20T00:00:00Z"));
  REQUIRE(bench.ask(yaml("/v1/terms/price_book/list", price_book)).status == 201);
  REQUIRE(bench
              .post("/v1/events", "[" + event_json("1", "search", 2'000'000) + "," +
                                      event_json("2", "claims", 100'000) + "]")
              .status == 200);
  bench.clock.set(at("2027-02-02T00:00:00Z"));
}

constexpr std::string_view search_month =
    R"({"period":"2027-01","bill_to":"search","price_book":"list"})";

}  // namespace

TEST_CASE("a month is finalized once and leaves in every format", "[exporters]") {
  ApiBench bench;
  fill(bench);
  auto finalize = Ask{Method::post, "/v1/invoices", std::string(search_month)};
  finalize.headers = {{"idempotency-key", "january"}};
  const auto made = bench.ask(finalize);
  REQUIRE(made.status == 201);
  CHECK(member(made, "version") == "1");
  // The same request gets the same answer, another one finds the month finalized.
  CHECK(bench.ask(finalize).body == made.body);
  CHECK(bench.post("/v1/invoices", std::string(search_month)).status == 422);

  const auto list = bench.get("/v1/invoices");
  CHECK(member(list, "items.0.bill_to") == "search");
  CHECK(member(list, "items.0.total") == "10.00");
  CHECK(member(list, "items.0.state") == "finalized");
  CHECK(member(list, "items.1.number").empty());
  CHECK(member(bench.get("/v1/invoices?period=2026-12"), "items.0.number").empty());

  const auto document = bench.get("/v1/invoices/1");
  CHECK(document.status == 200);
  CHECK(document.body == bench.get("/v1/invoices/" + member(list, "items.0.id")).body);
  CHECK(as(bench, "/v1/invoices/1", "application/pdf").body.starts_with("%PDF-"));
  CHECK(as(bench, "/v1/invoices/1", "text/csv").content_type.starts_with("text/csv"));
  const auto focus = as(bench, "/v1/invoices/1", "application/vnd.focus+csv");
  CHECK(focus.body.find("BilledCost") != std::string::npos);
  CHECK(as(bench, "/v1/invoices/1", "image/png").status == 406);
  // Each form has a tag of its own, which stays over a restart.
  const auto tag = document.headers.front().second;
  CHECK(tag != focus.headers.front().second);
  bench.restart();
  CHECK(bench.ask({Method::get, "/v1/invoices/1", {}, {}, {{"if-none-match", tag}}}).status == 304);
  CHECK(bench.get("/v1/invoices/2").status == 404);
}

TEST_CASE("a month that is not over or has a blocker is not finalized", "[exporters]") {
  ApiBench bench;
  fill(bench);
  bench.clock.set(at("2027-01-25T00:00:00Z"));
  CHECK(bench.post("/v1/invoices", std::string(search_month)).status == 422);
  CHECK(bench.post("/v1/invoices", R"({"period":"2027-01","bill_to":"nobody","price_book":"list"})")
            .status == 404);
  CHECK(bench.post("/v1/invoices", R"({"period":"2027-01","bill_to":"search","price_book":"none"})")
            .status == 404);
  CHECK(bench
            .post("/v1/invoices",
                  R"({"period":"2027-01","bill_to":"search","price_book":"list","force":true})")
            .status == 400);
  CHECK(member(bench.get("/v1/invoices"), "items.0.number").empty());
}

TEST_CASE("a team sees the documents that bill it and no trace of others", "[exporters]") {
  ApiBench bench;
  fill(bench);
  const auto admin = bench.make_token(AccessRole::admin);
  const auto search = bench.make_token(AccessRole::team, {"search"});
  const auto claims = bench.make_token(AccessRole::team, {"claims"});
  const auto elsewhere = bench.make_token(AccessRole::finance, {}, "east");
  REQUIRE(bench.post("/v1/invoices", std::string(search_month), admin).status == 201);
  CHECK(bench.get("/v1/invoices/1", search).status == 200);
  CHECK(member(bench.get("/v1/invoices", search), "items.0.bill_to") == "search");
  for (const auto& stranger : {claims, elsewhere}) {
    CHECK(bench.get("/v1/invoices/1", stranger).status == 404);
    CHECK(bench.get("/v1/invoices/1", stranger).headers ==
          bench.get("/v1/invoices/7", stranger).headers);
    CHECK(member(bench.get("/v1/invoices", stranger), "items.0.number").empty());
    CHECK(as(bench, "/v1/invoices", "application/vnd.focus+csv", stranger).body.find("search") ==
          std::string::npos);
  }
  // Finalizing is for accountants.
  CHECK(bench.post("/v1/invoices", R"({"period":"2027-01","bill_to":"claims"})", claims).status ==
        403);
}

TEST_CASE("usage is read under the re-attributions of its namespace", "[exporters]") {
  ApiBench bench;
  bench.clock.set(at("2027-01-20T00:00:00Z"));
  auto event = event_json("1", "unattributed");
  REQUIRE(bench.post("/v1/events", event).status == 200);
  CHECK(member(bench.get("/v1/usage?by=team"), "rows.0.team") == "unattributed");
  ledger::DocumentDraft draft;
  draft.key = {"default", "reattribution", "opus"};
  draft.content =
      "kind: reattribution\nid: opus\nversion: 2027-01-20\nrules:\n"
      "  - match: {model: claude-opus}\n    team: search\n";
  bench.run([&](ledger::Ledger& ledger) { CHECK(ledger.append_documents({draft}).has_value()); });
  CHECK(member(bench.get("/v1/usage?by=team"), "rows.0.team") == "search");
  const auto search = bench.make_token(AccessRole::team, {"search"});
  CHECK(member(bench.get("/v1/usage?by=team", search), "rows.0.requests") == "1");
}

TEST_CASE("a month is reviewed, decided, finalized, corrected and taken back over the API",
          "[exporters]") {
  ApiBench bench;
  fill(bench);
  constexpr std::string_view terms_query = "period=2027-01&price_book=list";
  const auto review = [&] { return bench.get("/v1/invoices/review?" + std::string(terms_query)); };
  REQUIRE(member(review(), "items.1.bill_to") == "search");
  CHECK(member(review(), "items.1.state") == "draft");
  CHECK(member(review(), "items.1.total") == "10.00");

  // What was looked at is what is finalized: usage that comes in between asks for another look.
  REQUIRE(bench.post("/v1/invoices/review", std::string(search_month)).status == 201);
  CHECK(member(review(), "items.1.state").starts_with("in review by loopback"));
  REQUIRE(bench.post("/v1/events", "[" + event_json("3", "search", 200'000) + "]").status == 200);
  CHECK(bench.post("/v1/invoices", std::string(search_month)).status == 422);
  REQUIRE(bench.post("/v1/invoices/review", std::string(search_month)).status == 201);
  REQUIRE(bench.post("/v1/invoices", std::string(search_month)).status == 201);
  CHECK(member(review(), "items.1.state").starts_with("finalized as"));
  CHECK(bench.get("/v1/invoices/1/correction").status == 422);

  // Late usage is shown, posted once and listed as a note.
  REQUIRE(bench.post("/v1/events", "[" + event_json("4", "search", 400'000) + "]").status == 200);
  CHECK(bench.get("/v1/invoices/1/correction").body.find("debit_note") != std::string::npos);
  Ask correct{Method::post, "/v1/invoices/1/correction", R"({"reason":"the team is closed"})"};
  correct.headers = {{"idempotency-key", "late"}};
  const auto note = bench.ask(correct);
  REQUIRE(note.status == 201);
  CHECK(bench.ask(correct).body == note.body);
  CHECK(bench.post("/v1/invoices/1/correction", R"({"reason":"again"})").status == 422);

  Ask take_back{Method::post, "/v1/invoices/1/void", R"({"reason":"wrong bill-to"})"};
  CHECK(bench.post("/v1/invoices/1/void", "{}").status == 400);
  CHECK(bench.post("/v1/invoices/9/void", R"({"reason":"x"})").status == 404);
  REQUIRE(bench.ask(take_back).status == 201);
  CHECK(bench.ask(take_back).status == 422);

  const auto notes = bench.get("/v1/credit-notes");
  CHECK(member(notes, "items.0.number") == "2");
  CHECK(member(notes, "items.0.total") == "2.00");
  CHECK(member(notes, "items.1.type") == "credit_note");
  CHECK(member(notes, "items.2.number").empty());
  CHECK(bench.get("/v1/credit-notes/3").body == bench.get("/v1/invoices/3").body);
  CHECK(bench.get("/v1/credit-notes/1").status == 404);
  CHECK(as(bench, "/v1/credit-notes/3", "application/pdf").body.starts_with("%PDF-"));
  const auto before = bench.get("/v1/credit-notes").body;
  bench.restart();
  CHECK(bench.get("/v1/credit-notes").body == before);
  // What is not theirs looks to teams like what is not there.
  const auto claims = bench.make_token(AccessRole::team, {"claims"});
  CHECK(member(bench.get("/v1/credit-notes", claims), "items.0.number").empty());
  CHECK(bench.get("/v1/credit-notes/3", claims).body ==
        bench.get("/v1/credit-notes/99", claims)
            .body.replace(bench.get("/v1/credit-notes/99", claims).body.find("99"), 2, "3"));
}

TEST_CASE("what blocks a month is decided over the API on record", "[exporters]") {
  ApiBench bench;
  fill(bench);
  auto unpriced = event_json("9", "search");
  unpriced.replace(unpriced.find("claude-opus"), 11, "claude-none");
  REQUIRE(bench.post("/v1/events", "[" + unpriced + "]").status == 200);
  CHECK(bench.post("/v1/invoices", std::string(search_month)).status == 422);
  const auto review =
      bench.get("/v1/invoices/review?period=2027-01&price_book=list&bill_to=search");
  REQUIRE(member(review, "items.0.blockers.0.kind") == "unpriced");
  CHECK(member(review, "items.0.blockers.0.quantity") == "100");
  const auto id = member(review, "items.0.blockers.0.id");
  const auto decide = [&](std::string_view rest) {
    return bench
        .post("/v1/invoices/decisions",
              R"({"period":"2027-01","bill_to":"search","price_book":"list",)" + std::string(rest) +
                  "}")
        .status;
  };
  CHECK(decide(R"("action":"waive","reason":"a test")") == 400);
  CHECK(decide(R"("action":"forget","blocker":")" + id + R"(","reason":"a test")") == 400);
  CHECK(decide(R"("action":"provisional_price","blocker":")" + id + R"(","reason":"x")") == 400);
  CHECK(decide(R"("action":"waive","blocker":"unpriced:none","reason":"a test")") == 404);
  CHECK(decide(R"("action":"provisional_price","price":"10 per million","blocker":")" + id +
               R"(","reason":"no list price yet")") == 201);
  REQUIRE(bench.post("/v1/invoices", std::string(search_month)).status == 201);
  CHECK(bench.get("/v1/invoices/1").body.find("no list price yet") != std::string::npos);
}
