// What the ledger stores: whatever the bytes, reading answers or says corruption; what was read is
// written back as what it was read from, and folds. Checksums are made right first, so that what
// lies behind them is reached: they guard against damage, not against a hostile disk.
#include "ledger/backup/manifest.h"
#include "ledger/block.h"
#include "ledger/documents.h"
#include "ledger/fold.h"
#include "ledger/head.h"
#include "ledger/identity_chunk.h"
#include "ledger/position.h"
#include "ledger/quarantine.h"
#include "ledger/reservation.h"
#include "ledger/rollup_codec.h"
#include "tests/fuzz/fuzz_input.h"

using namespace gauger;
using namespace gauger::ledger;
using gauger::ingest::require;

namespace {

// The checksum over everything but its own eight bytes, as the codecs lay it.
void mend_checksum(std::string& bytes, size_t at) {
  if (bytes.size() < at + sizeof(uint64_t)) return;
  const std::string_view view(bytes);
  const auto checksum = hash64(view.substr(at + sizeof(uint64_t)), hash64(view.substr(0, at)));
  std::memcpy(bytes.data() + at, &checksum, sizeof checksum);
}
void mend_last_checksum(std::string& bytes) {
  if (bytes.size() < sizeof(uint64_t)) return;
  const auto end = bytes.size() - sizeof(uint64_t);
  const auto checksum = hash64(std::string_view(bytes).substr(0, end));
  std::memcpy(bytes.data() + end, &checksum, sizeof checksum);
}

void read_block(std::string bytes) {
  mend_checksum(bytes, 88);
  for (const auto columns : {Columns::documents, Columns::fold, Columns::all}) {
    const auto block = decode_block(bytes, columns);
    if (!block.has_value()) continue;
    if (columns == Columns::documents) continue;
    const auto change = fold(block.value(), std::chrono::minutes{30});
    for (size_t i = 1; i < change.cells.size(); ++i)
      require(change.cells.place(i - 1) < change.cells.place(i), "cells are not sorted");
  }
}

void read_chunk(std::string bytes) {
  mend_checksum(bytes, 16);
  IdentityChunk chunk;
  if (!chunk.read(bytes).has_value()) return;
  for (uint32_t i = 0; i < chunk.events(); ++i) {
    require(chunk.holds(chunk.row(i)), "a chunk does not hold its own row");
    require(chunk.event_of(chunk.row(i)) == i, "a row leads to another event");
    static_cast<void>(chunk.id(i));
  }
}

void read_rollup(std::string bytes) {
  mend_checksum(bytes, 36);
  const auto change = decode_rollup(bytes);
  if (!change.has_value()) return;
  const auto& read = change.value();
  const auto again = decode_rollup(encode_rollup(read));
  require(again.has_value() && again.value() == read, "a rollup reads back as another one");
}

template <class Decode>
void read_back(std::string_view bytes, Decode&& decode) {
  const auto value = decode(bytes);
  if (!value.has_value()) return;
  const auto text = encode(value.value());
  const auto again = decode(text);
  require(again.has_value() && encode(again.value()) == text, "it reads back as something else");
}

}  // namespace

// The first byte chooses what is read.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  std::string bytes(gauger::ingest::view(data + 1, size - 1));
  switch (data[0] % 11) {
    case 0: read_block(std::move(bytes)); break;
    case 1: read_chunk(std::move(bytes)); break;
    case 2: read_rollup(std::move(bytes)); break;
    case 3: {
      const auto documents = decode_documents(bytes);
      if (documents.has_value())
        require(decode_documents(encode_documents(documents.value())).has_value(),
                "documents cannot be read back");
      break;
    }
    case 4: read_back(bytes, decode_document_version); break;
    case 5: read_back(bytes, decode_reservation); break;
    case 6: {
      const auto records = decode_reservations(bytes);
      if (records.has_value())
        require(decode_reservations(encode_reservations(records.value())).has_value(),
                "reservations cannot be read back");
      break;
    }
    case 7:
      mend_last_checksum(bytes);
      read_back(bytes, decode_head);
      break;
    case 8:
      read_back(bytes, [](std::string_view value) {
        return decode_position(position_key("kafka:c/t", 3), value);
      });
      break;
    case 9:
      read_back(bytes, [](std::string_view value) {
        return decode_quarantined(quarantine_key(7, 1), value);
      });
      break;
    default: {
      bytes += "sha256 " + to_hex(sha256(bytes)) + "\n";
      const auto backup = parse_manifest(bytes, "fuzz");
      if (backup.has_value())
        require(parse_manifest(manifest_text(backup.value()), "again").has_value(),
                "a manifest cannot be read back");
    }
  }
  return 0;
}
