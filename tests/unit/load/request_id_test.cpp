#include "tools/load/request_id.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <string>

#include "tests/catch.h"

using namespace gauger::load;

TEST_CASE("request ids have the look of their makers and never repeat", "[load]") {
  IdText text;
  const auto is_base62 = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  std::set<std::string> ids;
  size_t made = 0;
  for (const auto style : {IdStyle::uuid, IdStyle::openai, IdStyle::anthropic, IdStyle::amazon})
    for (uint64_t index = 0; index < 20'000; ++index, ++made)
      ids.emplace(make_request_id(style, 5, index, text));
  CHECK(ids.size() == made);

  const std::string uuid(make_request_id(IdStyle::uuid, 5, 9, text));
  CHECK(uuid.size() == 36);
  CHECK(uuid[14] == '4');
  CHECK(std::string("89ab").find(uuid[19]) != std::string::npos);
  for (const size_t dash : {8u, 13u, 18u, 23u}) CHECK(uuid[dash] == '-');
  CHECK(std::count(uuid.begin(), uuid.end(), '-') == 4);

  const std::string openai(make_request_id(IdStyle::openai, 5, 9, text));
  CHECK(openai.size() == 31);
  CHECK(openai.rfind("chatcmpl-", 0) == 0);
  CHECK(std::all_of(openai.begin() + 9, openai.end(), is_base62));
  CHECK(std::string(make_request_id(IdStyle::anthropic, 5, 9, text)).rfind("msg_01", 0) == 0);
  CHECK(std::string(make_request_id(IdStyle::amazon, 5, 9, text)).size() == 39);
  CHECK(std::string(make_request_id(IdStyle::openai, 5, 9, text)) == openai);
  CHECK(std::string(make_request_id(IdStyle::openai, 6, 9, text)) != openai);
}
