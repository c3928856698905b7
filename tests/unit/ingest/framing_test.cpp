// Why: a framer that loses its place loses or invents records, and how the bytes arrive in
// pieces must make no difference.
// How: every input is framed whole and in pieces of all small sizes; the frames must be equal.
#include "ingest/framing.h"

#include <array>
#include <random>
#include <vector>

#include "tests/catch.h"
#include "tests/guarded_bytes.h"

using namespace gauger;
using namespace gauger::ingest;

namespace {

using Frames = std::vector<std::pair<std::string, RejectReason>>;

// One by one, or as many at once as there are without a defect.
enum class Taking { single, plain };

// Frames of a stream that arrives in pieces of the given size.
Frames frames_by(Framing framing, const std::string& stream, size_t piece,
                 Taking taking = Taking::single) {
  Framer framer(framing);
  Frames frames;
  std::string pending;
  for (size_t at = 0; at <= stream.size(); at += piece) {
    const auto last = at + piece > stream.size();
    pending += stream.substr(at, piece);
    static GuardedBytes guarded;
    auto input = guarded.hold(pending);
    for (bool more = true; more;) {
      std::array<std::string_view, 3> several;
      const auto count = taking == Taking::plain ? framer.take_plain(input, several) : 0;
      for (size_t i = 0; i < count; ++i) frames.emplace_back(several[i], RejectReason::none);
      Frame frame;
      more = framer.take(input, last, frame);
      if (more) frames.emplace_back(frame.bytes, frame.defect);
    }
    pending = input;
  }
  return frames;
}

Frames frames(Framing framing, const std::string& stream) {
  const auto whole = frames_by(framing, stream, stream.size() + 1);
  CHECK(frames_by(framing, stream, stream.size() + 1, Taking::plain) == whole);
  for (const size_t piece : {1, 2, 3, 5, 7, 64})
    if (stream.size() < 4096)
      for (const auto taking : {Taking::single, Taking::plain})
        CHECK(frames_by(framing, stream, piece, taking) == whole);
  return whole;
}

Frames good(std::initializer_list<std::string> records) {
  Frames result;
  for (const auto& record : records) result.emplace_back(record, RejectReason::none);
  return result;
}

std::string delimited(const std::string& record) {
  std::string result;
  auto size = record.size();
  for (; size >= 0x80; size >>= 7U) result.push_back(static_cast<char>(size | 0x80U));
  result.push_back(static_cast<char>(size));
  return result + record;
}

const std::string too_large(limits::record_bytes_max + 5, 'x');
const std::string head(limits::record_bytes_max + 1, 'x');

}  // namespace

TEST_CASE("lines end with LF or CRLF or the end, and blank ones are passed over", "[ingest]") {
  CHECK(frames(Framing::lines, "") == good({}));
  CHECK(frames(Framing::lines, "\n\r\n  \n\t\r\n") == good({}));
  CHECK(frames(Framing::lines, "a\nb\n") == good({"a", "b"}));
  CHECK(frames(Framing::lines, "a\r\n\r\nb") == good({"a", "b"}));
  CHECK(frames(Framing::lines, "a\rb\n c \n") == good({"a\rb", " c "}));
  CHECK(frames(Framing::lines, "\xEF\xBB\xBF{}\n\xEF\xBB\xBF{}") == good({"{}", "\xEF\xBB\xBF{}"}));
  CHECK(frames(Framing::lines, "\xEF\xBB") == good({"\xEF\xBB"}));
}

TEST_CASE("a line that is too large is cut, and the lines after it are read", "[ingest]") {
  const auto stream = "a\n" + too_large + "\nb\n" + too_large;
  const Frames expected = {{"a", RejectReason::none},
                           {head, RejectReason::record_too_large},
                           {"b", RejectReason::none},
                           {head, RejectReason::record_too_large}};
  CHECK(frames(Framing::lines, stream) == expected);
  CHECK(frames_by(Framing::lines, stream, 100'000) == expected);
  const auto largest = too_large.substr(0, limits::record_bytes_max);
  CHECK(frames(Framing::lines, largest + "\r\nb") == good({largest, "b"}));
}

TEST_CASE("length-delimited records are found by their lengths", "[ingest]") {
  CHECK(frames(Framing::delimited, "") == good({}));
  const auto long_record = std::string(300, '\n');
  CHECK(frames(Framing::delimited, delimited("ab") + delimited("") + delimited(long_record)) ==
        good({"ab", "", long_record}));
}

TEST_CASE("a length-delimited record that is cut off is a defect", "[ingest]") {
  const auto one = delimited("abc");
  CHECK(frames(Framing::delimited, one + one.substr(0, 3)) ==
        Frames{{"abc", RejectReason::none}, {"ab", RejectReason::undecodable}});
  CHECK(frames(Framing::delimited, one + "\x83") ==
        Frames{{"abc", RejectReason::none}, {"\x83", RejectReason::undecodable}});
}

TEST_CASE("a length-delimited record that is too large is cut, and the next is read", "[ingest]") {
  const auto stream = delimited(too_large) + delimited("b");
  const Frames expected = {{head, RejectReason::record_too_large}, {"b", RejectReason::none}};
  CHECK(frames(Framing::delimited, stream) == expected);
  CHECK(frames_by(Framing::delimited, stream, 100'000) == expected);
}

TEST_CASE("what is no length ends a delimited stream with one defect", "[ingest]") {
  const std::string no_length(12, '\xFF');
  CHECK(frames_by(Framing::delimited, delimited("a") + no_length + delimited("b"), 1000) ==
        Frames{{"a", RejectReason::none}, {no_length + delimited("b"), RejectReason::undecodable}});
  for (const size_t piece : {1, 3, 20}) {
    const auto found = frames_by(Framing::delimited, delimited("a") + no_length + "more", piece);
    REQUIRE(found.size() == 2);
    CHECK(found[1].second == RejectReason::undecodable);
  }
}

TEST_CASE("JSON values are found in whatever way they are laid out", "[ingest]") {
  CHECK(frames(Framing::json_values, " \n") == good({}));
  CHECK(frames(Framing::json_values, "{\"a\":1}\n{\"b\":\"}\\\"{\"} {}") ==
        good({"{\"a\":1}", "{\"b\":\"}\\\"{\"}", "{}"}));
  CHECK(frames(Framing::json_values, "{\n  \"a\": [\n 1, {}]\n}\n") ==
        good({"{\n  \"a\": [\n 1, {}]\n}"}));
  CHECK(frames(Framing::json_values, "[{\"a\":[1]},\n [2] , {}]\n{\"c\":3}[]") ==
        good({"{\"a\":[1]}", "[2]", "{}", "{\"c\":3}"}));
  CHECK(frames(Framing::json_values, "nonsense {} 5") == good({"nonsense", "{}", "5"}));
  CHECK(frames(Framing::json_values, "[x,{}]") == good({"x", "{}"}));
}

TEST_CASE("JSON documents keep their lists", "[ingest]") {
  CHECK(frames(Framing::json_documents, " [{\"a\":1},{}]\n{} [[]]") ==
        good({"[{\"a\":1},{}]", "{}", "[[]]"}));
  CHECK(frames(Framing::json_documents, "[{},") == Frames{{"[{},", RejectReason::undecodable}});
}

TEST_CASE("JSON values that are cut off or too large are defects", "[ingest]") {
  CHECK(frames(Framing::json_values, "{} {\"a\":") ==
        Frames{{"{}", RejectReason::none}, {"{\"a\":", RejectReason::undecodable}});
  CHECK(frames(Framing::json_values, "[{},") ==
        Frames{{"{}", RejectReason::none}, {"", RejectReason::undecodable}});
  const auto large = "{\"a\":\"" + too_large + "}\",\"b\":{}}";
  const auto stream = "{}" + large + "{\"c\":1}";
  const Frames expected = {{"{}", RejectReason::none},
                           {large.substr(0, head.size()), RejectReason::record_too_large},
                           {"{\"c\":1}", RejectReason::none}};
  CHECK(frames(Framing::json_values, stream) == expected);
  CHECK(frames_by(Framing::json_values, stream, 100'000) == expected);
}

TEST_CASE("CSV rows may hold quoted line breaks, and the first names the columns", "[ingest]") {
  CHECK(frames(Framing::csv, "a,b\r\n1,\"x\ny\"\r\n\r\n2,\"\"\"\"\n3,z") ==
        good({"1,\"x\ny\"", "2,\"\"\"\"", "3,z"}));
  Framer framer(Framing::csv);
  std::string_view input = "\xEF\xBB\xBFid,tokens\n1,2\n";
  Frame frame;
  REQUIRE(framer.take(input, true, frame));
  CHECK(framer.csv_columns() == "id,tokens");
  CHECK(frames(Framing::csv, "a,b\n1,\"x\ny") == Frames{{"1,\"x\ny", RejectReason::undecodable}});
}

TEST_CASE("a quote that never ends costs one CSV row, not the file", "[ingest]") {
  const auto stream = "a,b\n1,\"" + too_large + "\n2,x\n3,y\n";
  const auto found = frames(Framing::csv, stream);
  REQUIRE(found.size() == 3);
  CHECK(found[0].second == RejectReason::record_too_large);
  CHECK(found[1].first == "2,x");
  CHECK(frames_by(Framing::csv, stream, 100'000) == found);
}

TEST_CASE("framing does not depend on how the bytes arrive", "[ingest]") {
  std::mt19937 random(20270116);
  const std::string alphabet = "{}[],\"\\\n\r \x01\x02\x05\x81x";
  for (int round = 0; round < 3'000; ++round) {
    std::string stream;
    for (auto size = random() % 60; size > 0; --size)
      stream += alphabet[random() % alphabet.size()];
    for (const auto framing : {Framing::lines, Framing::json_values, Framing::csv})
      frames(framing, stream);
    // Where a length is none, what is shown of the rest depends on the pieces.
    for (const size_t piece : {1, 2, 3, 5, 7, 64})
      CHECK(frames_by(Framing::delimited, stream, piece, Taking::plain) ==
            frames_by(Framing::delimited, stream, piece));
  }
}
