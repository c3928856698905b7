// Why: a token reads and affects only its own namespace and teams (P10). How: every route is called
// by every role and by strangers, and what two teams see of each other is compared.
#include <fstream>

#include "tests/unit/exporters/api_bench.h"

using namespace gauger;
using namespace gauger::exporters;
using namespace gauger::exporters::testing;

namespace {

// A path that the route takes.
std::string example_of(std::string_view path) {
  std::string example(path);
  const auto put = [&](std::string_view name, std::string_view value) {
    if (const auto at = example.find(name); at != std::string::npos)
      example.replace(at, name.size(), value);
  };
  put("{kind}", "price_book");
  put("{id}", "search:1");
  put("{period}", "2027-01");
  put("{basis}", "contract");
  return example;
}

}  // namespace

TEST_CASE("every role gets to its own routes and to no other", "[exporters]") {
  ApiBench bench;
  std::array<std::string, access_role_names.size()> secrets;
  for (size_t i = 0; i < secrets.size(); ++i) {
    const auto role = static_cast<AccessRole>(i);
    secrets[i] =
        bench.make_token(role, role == AccessRole::team ? std::vector<std::string>{"search"}
                                                        : std::vector<std::string>{});
  }
  for (const auto& route : routes()) {
    const auto target = example_of(route.path);
    const std::string body = route.body_bytes_max == 0 ? "" : "{}";
    const auto call = [&](const std::string& token) {
      return bench.ask({route.method, target, body, token}).status;
    };
    INFO(to_string(route.method) << " " << route.path);
    if (route.roles == 0) {
      CHECK(call("") == 200);
      continue;
    }
    CHECK(call("") == 401);
    CHECK(call("gauger_nonsense") == 401);
    CHECK(call(make_token().value()) == 401);
    for (size_t i = 0; i < secrets.size(); ++i) {
      INFO(access_role_names[i]);
      const bool allowed = (route.roles & mask_of(static_cast<AccessRole>(i))) != 0;
      const auto status = call(secrets[i]);
      if (allowed) {
        CHECK(status != 401);
        CHECK(status != 403);
        CHECK(status < 500);
      } else {
        CHECK(status == 403);
      }
    }
  }
}

TEST_CASE("a team sees its own usage and cannot tell others from nothing", "[exporters]") {
  ApiBench bench;
  const auto gateway = bench.make_token(AccessRole::gateway);
  const auto search = bench.make_token(AccessRole::team, {"search"});
  const auto other = bench.make_token(AccessRole::team, {"claims", "legal"});
  const auto finance = bench.make_token(AccessRole::finance);
  REQUIRE(bench
              .post("/v1/events",
                    "[" + event_json("1", "search") + "," + event_json("2", "claims") + "," +
                        event_json("3", "legal") + "]",
                    gateway)
              .status == 200);

  CHECK(member(bench.get("/v1/usage?by=team", finance), "rows.2.team") == "search");
  const auto own = bench.get("/v1/usage?by=team", search);
  CHECK(member(own, "rows.0.team") == "search");
  CHECK(member(own, "rows.1.team").empty());
  // Grouped without teams, the sums hold its own only.
  CHECK(member(bench.get("/v1/usage?by=model", search), "rows.0.requests") == "1");
  CHECK(member(bench.get("/v1/usage?by=model", other), "rows.0.requests") == "2");
  CHECK(member(bench.get("/v1/teams", search), "items.1.team").empty());
  // Another team, and one that does not exist: the same answer but for the name asked for.
  CHECK(bench.get("/v1/usage?by=team&team=claims", search).body ==
        bench.get("/v1/usage?by=team&team=nobody", search).body);
  const auto theirs = bench.get("/v1/invoices/draft?team=claims&period=2027-01", search);
  const auto nobodys = bench.get("/v1/invoices/draft?team=nobody&period=2027-01", search);
  CHECK(theirs.status == 404);
  CHECK(nobodys.status == 404);
  CHECK(theirs.headers == nobodys.headers);
  CHECK(problem_type(theirs) == problem_type(nobodys));
}

TEST_CASE("namespaces do not see each other", "[exporters]") {
  ApiBench bench;
  const auto east = bench.make_token(AccessRole::admin, {}, "east");
  const auto west = bench.make_token(AccessRole::admin, {}, "west");
  REQUIRE(bench.post("/v1/events", event_json("1", "search"), east).status == 200);
  REQUIRE(bench.post("/v1/events", "{\"bad\":1}", east).status == 200);
  CHECK(member(bench.get("/v1/usage", east), "rows.0.requests") == "1");
  CHECK(member(bench.get("/v1/usage", west), "rows.0.requests").empty());
  const auto record = member(bench.get("/v1/quarantine", east), "items.0.id");
  CHECK(bench.get("/v1/quarantine/" + record, east).status == 200);
  CHECK(bench.get("/v1/quarantine/" + record, west).status == 404);
  CHECK(bench.get("/v1/quarantine/" + record + "/raw", west).status == 404);
  CHECK(member(bench.get("/v1/quarantine", west), "items.0.id").empty());
  // The same identity elsewhere is another one.
  CHECK(member(bench.post("/v1/events", event_json("1", "search", 7), west), "accepted") == "1");
  const auto made = bench.post("/v1/tokens", R"({"name":"x","role":"finance"})", east);
  const auto id = member(made, "id");
  CHECK(bench.get("/v1/tokens/" + id, west).status == 404);
  CHECK(bench.ask({Method::delete_, "/v1/tokens/" + id, {}, west}).status == 404);
  CHECK(bench.post("/v1/tokens", R"({"name":"x","role":"finance","namespace":"east"})", west)
            .status == 403);
  CHECK(bench.post("/v1/tokens", R"({"name":"x","role":"finance","namespace":"_system"})", west)
            .status != 201);
}

TEST_CASE("a token bound to teams sends usage of those teams and amends nobody's", "[exporters]") {
  ApiBench bench;
  const auto all = bench.make_token(AccessRole::gateway);
  const auto bound = bench.make_token(AccessRole::gateway, {"search"});
  REQUIRE(bench.post("/v1/events", event_json("c", "claims"), all).status == 200);
  const auto answer = bench.post("/v1/events",
                                 "[" + event_json("1", "search") + "," + event_json("2", "claims") +
                                     R"(,{"source":"gateway","id":"3","retracts":{"id":"c"}}])",
                                 bound);
  CHECK(member(answer, "accepted") == "1");
  CHECK(member(answer, "not_allowed") == "2");
  CHECK(member(answer, "quarantined") == "0");
  CHECK(member(answer, "refused.0.record") == "1");
  CHECK(member(answer, "refused.0.reason") == "not_allowed");
  CHECK(member(answer, "refused.1.reason") == "not_allowed");
  CHECK(member(bench.get("/v1/usage?by=team", bench.make_token(AccessRole::finance)),
               "rows.0.requests") == "1");
}

TEST_CASE("a revoked token is refused at once and after a restart", "[exporters]") {
  ApiBench bench;
  const auto made = bench.post("/v1/tokens", R"({"name":"root","role":"admin"})");
  REQUIRE(made.status == 201);
  const auto admin = member(made, "token");
  CHECK(is_well_formed_token(admin));
  // The first token closed the door that was open to this machine.
  CHECK(bench.get("/v1/usage").status == 401);
  const auto second = bench.post("/v1/tokens", R"({"name":"second","role":"finance"})", admin);
  const auto secret = member(second, "token");
  CHECK(bench.get("/v1/usage", secret).status == 200);
  CHECK(bench.get("/v1/tokens/" + member(second, "id"), admin).body.find(secret) ==
        std::string::npos);
  bench.restart();
  CHECK(bench.get("/v1/usage", secret).status == 200);
  CHECK(bench.ask({Method::delete_, "/v1/tokens/" + member(second, "id"), {}, admin}).status ==
        204);
  CHECK(bench.get("/v1/usage", secret).status == 401);
  bench.restart();
  CHECK(bench.get("/v1/usage", secret).status == 401);
  CHECK(bench.get("/v1/usage", admin).status == 200);
}

TEST_CASE("a token ends at its time", "[exporters]") {
  ApiBench bench;
  const auto made = bench.post(
      "/v1/tokens", R"({"name":"x","role":"admin","expires_at":"2027-01-17T00:00:00Z"})");
  const auto secret = member(made, "token");
  CHECK(bench.get("/v1/usage", secret).status == 200);
  bench.clock.set(at("2027-01-17T00:00:00Z"));
  CHECK(bench.get("/v1/usage", secret).status == 401);
  // Expired, it still closes the door.
  CHECK(bench.get("/v1/usage").status == 401);
}

TEST_CASE("a ledger without tokens serves this machine under its own name only", "[exporters]") {
  ApiBench bench;
  CHECK(bench.get("/v1/usage").status == 200);
  CHECK(bench.ask({Method::get, "/v1/usage", {}, {}, {{"host", "evil.example"}}}).status == 401);
  CHECK(bench.ask({Method::get, "/v1/usage", {}, {}, {}, true}).status == 401);
}

TEST_CASE("denials and changes are on record without any secret", "[exporters]") {
  ApiBench bench;
  const auto admin = member(bench.post("/v1/tokens", R"({"name":"root","role":"admin"})"), "token");
  const auto team = bench.make_token(AccessRole::team, {"search"});
  CHECK(bench.get("/v1/tokens", team).status == 403);
  const auto unknown = make_token().value();
  CHECK(bench.get("/v1/tokens", unknown).status == 401);
  const auto denials = bench.get("/v1/audit?kind=denials", admin);
  CHECK(member(denials, "items.0.action") == "listTokens");
  CHECK(member(denials, "items.0.outcome") == "forbidden");
  CHECK(member(bench.get("/v1/audit", admin), "items.0.action") == "postToken");
  for (const auto* file : {"audit-changes.jsonl", "audit-denials.jsonl"}) {
    std::ifstream stream(bench.directory / file);
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    CHECK_FALSE(text.empty());
    for (const auto& secret : {admin, team, unknown}) CHECK(text.find(secret) == std::string::npos);
  }
}

TEST_CASE("tokens that are mistyped are told apart from those that are not known", "[exporters]") {
  const auto token = make_token().value();
  CHECK(is_well_formed_token(token));
  for (size_t i = 0; i < token.size(); ++i) {
    auto bad = token;
    bad[i] = bad[i] == 'x' ? 'y' : 'x';
    CHECK_FALSE(is_well_formed_token(bad));
  }
  CHECK_FALSE(is_well_formed_token(token + "0"));
  CHECK(make_token().value() != token);
}
