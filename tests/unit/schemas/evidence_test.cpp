// Why: kept evidence is stored for good and decides who pays; it must say again what it was
// told, never more than a text holds, and never a secret.
#include "schemas/evidence.h"

#include "schemas/limits.h"
#include "tests/catch.h"

using namespace gauger;

namespace {

const std::vector<std::string> nothing_else;

}  // namespace

TEST_CASE("kept evidence is read as it was kept", "[schemas]") {
  const std::vector<std::string> also = {"header.x env", "tag.a=b", "user"};
  const auto kept = keep_evidence(std::vector<Evidence>{{"source", "gateway 1"},
                                                        {"tag.a=b", "100%"},
                                                        {"header.x env", "süß\n"},
                                                        {"tag.other", "x"},
                                                        {"provider_account", "acct"},
                                                        {"user", ""},
                                                        {"api_key", "key_1"}},
                                  also);
  CHECK(kept == "api_key=key_1 source=gateway%201 header.x%20env=süß%0a tag.a%3db=100%25");
  const KeptEvidence expected = {{"api_key", "key_1"},
                                 {"source", "gateway 1"},
                                 {"header.x env", "süß\n"},
                                 {"tag.a=b", "100%"}};
  CHECK(read_kept_evidence(kept) == expected);
  CHECK(keep_evidence(std::vector<Evidence>{{"provider_account", "acct"}}, nothing_else).empty());
}

TEST_CASE("names of workloads are no kept evidence", "[schemas]") {
  for (const auto* text : {"", "answers", "a=b", "api_key=", "api_key", "api_key=a b", "api_key=%2",
                           "api_key=%zz", "api_key=a  source=b", "tag.=x"}) {
    INFO(text);
    CHECK_FALSE(read_kept_evidence(text).has_value());
  }
}

TEST_CASE("a piece of evidence that does not fit is left out whole", "[schemas]") {
  const std::string half(limits::text_bytes_max / 2 + 1, 'w');
  const std::string full(limits::text_bytes_max, 's');
  const auto kept = keep_evidence(
      std::vector<Evidence>{
          {"api_key", "k"}, {"workspace", half}, {"subject", half}, {"source", "s"}},
      nothing_else);
  CHECK(kept == "api_key=k workspace=" + half + " source=s");
  CHECK(keep_evidence(std::vector<Evidence>{{"source", full}}, nothing_else).empty());
}

TEST_CASE("a key that may be a secret is kept as its beginning and a digest", "[schemas]") {
  const std::string secret = "sk-ant-api03-0123456789abcdefghijklmnopqrstuvwxyz";
  const auto kept = kept_value("api_key", secret);
  CHECK(kept == "sk-ant-a~" + kept.substr(9));
  CHECK(kept.size() == 9 + 16);
  CHECK(kept != kept_value("api_key", secret + "1"));
  CHECK(kept_value("api_key", kept) == kept);  // what a report shows can be put into a rule
  CHECK(kept_value("api_key", "sk-short").find("sk-short") == std::string::npos);
  CHECK(kept_value("api_key", "apikey_01Rj2N8SVvo6BePZj99NhmiT") ==
        "apikey_01Rj2N8SVvo6BePZj99NhmiT");
  CHECK(kept_value("workspace", secret) == secret);
}
