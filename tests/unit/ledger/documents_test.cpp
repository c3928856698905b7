// Why: terms and invoices are worth what their history is worth: versions without gaps, two
// times, nothing shown before it is durable, nothing changed afterwards.
#include "ledger/documents.h"

#include "ledger/block.h"
#include "schemas/limits.h"
#include "tests/unit/ledger/events.h"

using namespace gauger;
using namespace gauger::ledger;
using namespace gauger::ledger::testing;

namespace {

DocumentDraft draft(std::string id, std::string content) {
  DocumentDraft draft;
  draft.key = {"default", "price_book", std::move(id)};
  draft.author = "ada";
  draft.media_type = "application/yaml";
  draft.content = std::move(content);
  return draft;
}

std::vector<DocumentVersion> append(Bench& bench, std::vector<DocumentDraft> drafts) {
  auto appended = bench.ledger->append_documents(std::move(drafts));
  REQUIRE(appended.has_value());
  return std::move(appended.value());
}

std::string content_of(const Documents& documents, const DocumentKey& key) {
  const auto latest = documents.latest(key).value();
  REQUIRE(latest);
  return documents.read(*latest).value().content;
}

}  // namespace

TEST_CASE("documents keep every version and say from when each was known", "[ledger]") {
  Bench bench;
  auto first = draft("list", "one");
  first.applies_from = at("2027-01-01");
  const auto one = append(bench, {first}).front();
  bench.commit({usage_event("a", 1, 1)});
  bench.clock.set(at("2027-01-17T00:00:00Z"));
  const auto two = append(bench, {draft("list", "two"), draft("other", "else")}).front();
  CHECK(one.version == 1);
  CHECK(one.known_from == 1);
  CHECK(one.recorded_at == at("2027-01-16T00:00:00Z"));
  CHECK(two.version == 2);
  CHECK(two.known_from == 3);
  CHECK(two.recorded_at == at("2027-01-17T00:00:00Z"));
  CHECK(two.previous_hash == one.hash);

  for (const bool restart : {false, true}) {
    if (restart) bench.reopen(true);
    const auto documents = bench.ledger->documents();
    CHECK(content_of(documents, one.key) == "two");
    CHECK(documents.version(one.key, 1).value()->applies_from == at("2027-01-01"));
    CHECK(documents.read(*documents.version(one.key, 1).value()).value().content == "one");
    CHECK(documents.list("default", "price_book").value().size() == 2);
    CHECK(documents.list("default", "price").value().empty());
    CHECK(documents.list("other", "price_book").value().empty());
    const Documents then(bench.store, 2);
    CHECK(content_of(then, one.key) == "one");
    CHECK(then.list("default", "price_book").value().size() == 1);
    CHECK_FALSE(then.version(one.key, 2).value());
  }
}

TEST_CASE("events and documents of one ledger do not disturb each other", "[ledger]") {
  Bench bench;
  append(bench, {draft("list", "one")});
  bench.commit({usage_event("a", 1, 1)});
  append(bench, {draft("list", "two")});
  append(bench, {draft("list", "three")});
  bench.commit({usage_event("a", 1, 1), usage_event("b", 2, 2)});
  bench.flush();
  bench.reopen();
  bench.commit({usage_event("a", 1, 1), usage_event("b", 2, 2), retraction("r", "b")});
  bench.flush();
  CHECK(bench.requests() == 1);
  CHECK(bench.records(Disposition::duplicate) == 3);
  CHECK(content_of(bench.ledger->documents(), {"default", "price_book", "list"}) == "three");
}

TEST_CASE("two who change the same document do not overwrite each other", "[ledger]") {
  Bench bench;
  auto first = draft("list", "mine");
  first.after_version = 0;
  append(bench, {first});
  auto second = draft("list", "yours");
  second.after_version = 0;
  const auto refused = bench.ledger->append_documents({draft("other", "x"), second});
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == ErrorCode::conflict);
  CHECK(refused.error().sentence.find("price_book 'list' is at version 1, not 0") == 0);
  // All or none.
  CHECK(bench.ledger->documents().list("default", "price_book").value().size() == 1);
  second.after_version = 1;
  CHECK(append(bench, {second}).front().version == 2);
}

TEST_CASE("documents without a name or beyond the limits are refused", "[ledger]") {
  Bench bench;
  auto control = draft("a\nb", "");
  CHECK_FALSE(bench.ledger->append_documents({control}).has_value());
  CHECK_FALSE(bench.ledger->append_documents({draft("", "")}).has_value());
  CHECK_FALSE(bench.ledger->append_documents({draft(std::string(257, 'x'), "")}).has_value());
  auto wordy = draft("a", "");
  wordy.reason = std::string(limits::document_reason_bytes_max + 1, 'x');
  CHECK_FALSE(bench.ledger->append_documents({wordy}).has_value());
  CHECK_FALSE(
      bench.ledger->append_documents({draft("a", std::string(limits::document_bytes_max + 1, ' '))})
          .has_value());
  CHECK(append(bench, {draft("a", "")}).front().version == 1);
}

TEST_CASE("a changed entry or content of a document is noticed when it is read", "[ledger]") {
  Bench bench;
  auto version = append(bench, {draft("list", "one")}).front();
  const auto documents = bench.ledger->documents();
  auto forged = version;
  forged.content_hash[0] ^= 1;
  forged.hash = hash_of(forged);
  CHECK(documents.read(forged).error().code == ErrorCode::corruption);
  version.index = 1;
  CHECK(documents.read(version).error().code == ErrorCode::corruption);
}

TEST_CASE("documents survive their stored form and damage to it is noticed", "[ledger]") {
  MemoryStore store;
  auto full = draft("list", std::string("a\0b", 3));
  full.applies_from = at("1999-01-01");
  full.reason = "because";
  auto documents = next_versions({full, draft("list", "")}, store).value();
  const auto bytes = encode_documents(documents);
  const auto read = decode_documents(bytes).value();
  REQUIRE(read.size() == 2);
  CHECK(read[0].content == full.content);
  CHECK(read[0].version.applies_from == full.applies_from);
  CHECK(read[1].version.hash == documents[1].version.hash);
  CHECK(hash_of(read[1].version) == documents[1].version.hash);
  for (size_t length = 1; length < bytes.size(); ++length)
    CHECK_FALSE(decode_documents(std::string_view(bytes).substr(0, length)).has_value());
}
