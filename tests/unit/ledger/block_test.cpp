// Why: blocks are the truth and are read for ever. How: a block that uses every column goes
// through the codec; then every byte of it is damaged in turn.
#include "ledger/block.h"

#include "ledger/config.h"
#include "ledger/packing.h"
#include "tests/catch.h"

using namespace gauger;
using namespace gauger::ledger;

namespace {

// Three records of two partitions: a usage with every text, a rejected one, an outcome.
Block full_block() {
  Block block;
  block.sequence = 7;
  block.first_row = 1'000'000'000'000;
  block.block_time = parse_instant("2027-01-16T00:00:00.5Z").value();
  block.previous_hash = sha256("the block before");
  block.segments = {{StringId{3}, "kafka:abc/usage", 4, 100, 110, 0, 2, 8, 77},
                    {StringId{3}, "kafka:abc/usage", 5, -1, 5, 2, 1, 0, 78}};
  block.dispositions = {Disposition::accepted, Disposition::quarantined, Disposition::accepted};
  block.offsets = {2, 9, 5};
  auto& events = block.events;
  events.row = {0, 2};
  events.content_hash = {UINT64_MAX, 1};
  events.kind = {EventKind::usage, EventKind::outcome};
  events.source = {StringId{5}, StringId{6}};
  events.id.add("0f8fad5b-d9cb-469f-a165-70867728950e");
  events.id.add("chatcmpl-A1b2C3");
  events.key = {0, UINT32_MAX - 1};
  events.completed_us = {1'800'000'000'000'001, 0};
  events.duration_us = {0, -1};
  events.present = {mask_of(Meter::input_uncached) | mask_of(Meter::images), 0};
  events.counts.push(0);
  events.counts.push(1'000'000'000'000'000);
  events.counts.end_event();
  events.counts.end_event();
  for (const auto* text : {"session", ""}) events.agent_session.add(text);
  for (const auto* text : {"", ""}) events.provider_request_id.add(text);
  for (const auto* text : {"", "parent"}) events.parent_id.add(text);
  for (const auto* text : {"reservation", "r2"}) events.reservation_id.add(text);
  events.targets = {{1, StringId{5}, "0f8fad5b", "it was not accepted"}};
  events.extras = {{0, StringId{9}, 12}};
  block.adjustments = {{5,
                        1'800'000'000'000'000,
                        1,
                        Adjustment::no_key,
                        mask_of(Meter::cache_read),
                        {0, 42},
                        {{StringId{9}, 3}}}};
  block.first_string = 3;
  block.strings = {"default", "gateway"};
  block.first_key = 0;
  block.keys.resize(2);
  block.keys[1].team = StringId{4};
  return block;
}

Result<Block> read_back(const StoredBlock& stored) {
  TRY(auto block, decode_block(stored.bytes));
  std::vector<std::string> chunks;
  for (const auto& chunk : stored.identities) chunks.push_back(chunk.bytes);
  TRY(read_identities(chunks, block));
  return block;
}

bool equal(const EventColumns& a, const EventColumns& b) {
  bool texts = true;
  for (size_t i = 0; i < a.size(); ++i)
    texts = texts && a.id[i] == b.id[i] && a.agent_session[i] == b.agent_session[i] &&
            a.provider_request_id[i] == b.provider_request_id[i] &&
            a.parent_id[i] == b.parent_id[i] && a.reservation_id[i] == b.reservation_id[i] &&
            std::ranges::equal(a.counts[i], b.counts[i]);
  return texts && a.row == b.row && a.content_hash == b.content_hash && a.kind == b.kind &&
         a.source == b.source && a.key == b.key && a.completed_us == b.completed_us &&
         a.duration_us == b.duration_us && a.present == b.present &&
         a.targets.size() == b.targets.size() && a.targets[0].id == b.targets[0].id &&
         a.targets[0].reason == b.targets[0].reason && a.extras.size() == b.extras.size() &&
         a.extras[0].count == b.extras[0].count;
}

}  // namespace

TEST_CASE("a block with every column survives a round trip", "[ledger]") {
  const auto block = full_block();
  const auto stored = encode(block);
  const auto read = read_back(stored).value();
  CHECK(read.sequence == block.sequence);
  CHECK(read.first_row == block.first_row);
  CHECK(read.block_time == block.block_time);
  CHECK(read.previous_hash == block.previous_hash);
  REQUIRE(read.segments.size() == 2);
  CHECK(read.segments[1].begin_offset == -1);
  CHECK(read.segments[1].first_record == 2);
  CHECK(read.segments[0].gaps == 8);
  CHECK(read.dispositions == block.dispositions);
  CHECK(read.offsets == block.offsets);
  CHECK(equal(block.events, read.events));
  REQUIRE(read.adjustments.size() == 1);
  CHECK(read.adjustments[0].key_to == Adjustment::no_key);
  CHECK(read.adjustments[0].counts == block.adjustments[0].counts);
  CHECK(read.strings == block.strings);
  CHECK(read.keys == block.keys);
  const auto again = encode(read);
  CHECK(again.bytes == stored.bytes);
  CHECK(again.identities[0].bytes == stored.identities[0].bytes);
}

TEST_CASE("the identities of every row are found again across chunks and gaps", "[ledger]") {
  Block block;
  block.first_row = 1000;
  const uint32_t records = 3 * identity_chunk_records + 17;
  block.segments = {{StringId{3}, "a", 0, 0, 300, 0, 300, 0, 0},
                    {StringId{4}, "b", 0, 0, records - 300, 300, records - 300, 0, 0}};
  auto& events = block.events;
  for (uint32_t record = 0; record < records; ++record) {
    const bool accepted = record < 400 || record % 3 != 0;
    block.dispositions.push_back(accepted ? Disposition::accepted : Disposition::duplicate);
    if (!accepted) continue;
    events.row.push_back(record);
    events.id.add(record % 2 == 0
                      ? "id-" + std::to_string(record)
                      : "0f8fad5b-d9cb-469f-a165-70867728" + std::to_string(1000 + record));
    events.content_hash.push_back(record * 7);
    events.source.push_back(StringId{record % 5});
    events.completed_us.push_back(record % 11 == 0 ? 0 : int64_t{record} << 40);
    events.duration_us.push_back(int64_t{record} - 1);
  }
  uint32_t event = 0;
  uint64_t next_row = block.first_row;
  IdentityChunk chunk;
  for (const auto& [first_row, bytes] : encode_identities(block)) {
    REQUIRE(chunk.read(bytes).has_value());
    CHECK(chunk.first_row() == next_row);
    CHECK(first_row == next_row);
    next_row += chunk.records();
    for (uint64_t row = first_row; row < next_row; ++row) {
      const auto record = static_cast<uint32_t>(row - block.first_row);
      const auto at = chunk.event_of(row);
      REQUIRE((at != IdentityChunk::not_accepted) == block.event_of(record).has_value());
      if (at == IdentityChunk::not_accepted) continue;
      CHECK(chunk.row(at) == row);
      CHECK(chunk.name_space(at) == block.segment_of(record).name_space);
      CHECK(chunk.source(at) == events.source[event]);
      CHECK(chunk.id(at) == events.id[event]);
      CHECK(chunk.content_hash(at) == events.content_hash[event]);
      CHECK(chunk.completed_us(at) == events.completed_us[event]);
      CHECK(chunk.duration_us(at) == events.duration_us[event]);
      ++event;
    }
  }
  CHECK(event == events.row.size());
  CHECK(next_row == block.first_row + records);
}

TEST_CASE("a block damaged in any bit is corruption, never another block", "[ledger]") {
  const auto stored = encode(full_block());
  const auto damage = [](std::string& bytes, size_t at) {
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << (at % 8)));
  };
  for (size_t at = 0; at < stored.bytes.size(); ++at) {
    auto damaged = stored;
    damage(damaged.bytes, at);
    CHECK_FALSE(decode_block(damaged.bytes).has_value());
  }
  for (size_t size = 0; size < stored.bytes.size(); ++size)
    CHECK_FALSE(decode_block(std::string_view(stored.bytes).substr(0, size)).has_value());
  REQUIRE(stored.identities.size() == 1);
  IdentityChunk chunk;
  for (size_t at = 0; at < stored.identities[0].bytes.size(); ++at) {
    auto damaged = stored;
    damage(damaged.identities[0].bytes, at);
    CHECK_FALSE(chunk.read(damaged.identities[0].bytes).has_value());
    CHECK_FALSE(read_back(damaged).has_value());
    const auto cut = std::string_view(stored.identities[0].bytes).substr(0, at);
    CHECK_FALSE(chunk.read(cut).has_value());
  }
}

// As whoever forges a block would, or a mistake of ours: its checksums are right.
TEST_CASE("a block that names what it does not hold is corruption", "[ledger]") {
  const auto refused = [](auto&& change) {
    auto block = full_block();
    change(block);
    const auto decoded = decode_block(encode(block).bytes);
    return !decoded && decoded.error().code == ErrorCode::corruption;
  };
  CHECK(!refused([](Block&) {}));
  CHECK(refused([](Block& block) { block.events.extras[0].event = 2; }));
  CHECK(refused([](Block& block) {
    block.events.extras = {{1, StringId{9}, 12}, {0, StringId{9}, 12}};
  }));
  CHECK(refused([](Block& block) { block.events.targets[0].event = 2; }));
  CHECK(refused([](Block& block) { block.events.targets.push_back(block.events.targets[0]); }));
  CHECK(refused([](Block& block) { block.events.kind[1] = static_cast<EventKind>(3); }));
  CHECK(refused([](Block& block) { block.adjustments[0].present |= MeterMask{1} << meter_count; }));
}

TEST_CASE("a block of a newer format is refused by name", "[ledger]") {
  auto bytes = encode(full_block()).bytes;
  bytes[4] = static_cast<char>(disk_format + 1);
  const auto read = decode_block(bytes);
  REQUIRE_FALSE(read.has_value());
  CHECK(read.error().code == ErrorCode::newer_format);
  CHECK(read.error().sentence.find("journal block 7") != std::string::npos);
}

TEST_CASE("a block key sorts by row and then by sequence", "[ledger]") {
  CHECK(encode(BlockKey{1, 255}) < encode(BlockKey{1, 256}));
  CHECK(encode(BlockKey{1, UINT64_MAX}) < encode(BlockKey{256, 0}));
  CHECK(decode_block_key(encode(BlockKey{5, 9})).value() == BlockKey{5, 9});
  CHECK_FALSE(decode_block_key("short").has_value());
}

TEST_CASE("packed bits give back what went in at every width", "[ledger]") {
  for (unsigned width = 0; width <= 32; ++width) {
    std::vector<uint32_t> values;
    for (uint32_t i = 0; i < 100; ++i)
      values.push_back(width == 0 ? 0 : (i * 2'654'435'761U) >> (32 - width));
    std::string bytes;
    pack_bits(bytes, values);
    CHECK(unpack_bits(bytes, values.size()) == values);
    CHECK_FALSE(unpack_bits(bytes + "x", values.size()).has_value());
  }
}

TEST_CASE("only canonical lower-case UUIDs are packed", "[ledger]") {
  std::string packed(16, '\0');
  CHECK(pack_uuid(packed.data(), "0f8fad5b-d9cb-469f-a165-70867728950e"));
  std::string text;
  unpack_uuid(text, packed);
  CHECK(text == "0f8fad5b-d9cb-469f-a165-70867728950e");
  for (const auto* other :
       {"0F8FAD5B-d9cb-469f-a165-70867728950e", "", "0f8fad5b",
        "0f8fad5b+d9cb-469f-a165-70867728950e", "0f8fad5b-d9cb-469f-a165-70867728950g"})
    CHECK_FALSE(pack_uuid(packed.data(), other));
}
