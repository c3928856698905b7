// Confluent's wire format, as schema registry clients write it:
//   0   magic      u8    0: an id follows; 1: a GUID follows
//   1   id / GUID  u32 big-endian / 16 bytes
//   …   indexes    zigzag varints: count, then the path to the message in its schema file;
//                  the path [0] is written as the single byte 0 (or as count 1, index 0)
//   …   payload    protobuf
// JSON Schema has no indexes: the payload begins with '{' or '['. Newer clients put magic, GUID
// and indexes into the header __value_schema_id and leave the value bare. The registry itself is
// not asked: [0] is UsageEvent and [1] UsageEventBatch of schemas/usage_event.proto.
#include <fmt/format.h>

#include <vector>

#include "ingest/formats/adapters.h"
#include "ingest/json_decoder.h"
#include "ingest/varint.h"
#include "ingest/wire_decoder.h"

namespace gauger::ingest {
namespace {

constexpr size_t indexes_max = 16;

// Reads count and indexes; false where they are malformed.
bool take_indexes(std::string_view& bytes, std::vector<int64_t>& indexes) {
  const auto take_zigzag = [&](int64_t& value) {
    uint64_t raw = 0;
    if (!take_varint(bytes, raw)) return false;
    value = static_cast<int64_t>(raw >> 1U) ^ -static_cast<int64_t>(raw & 1U);
    return true;
  };
  int64_t count = 0;
  if (!take_zigzag(count) || count < 0 || count > static_cast<int64_t>(indexes_max)) return false;
  indexes.assign(static_cast<size_t>(std::max<int64_t>(count, 1)), 0);
  if (count == 0) return true;
  for (auto& index : indexes)
    if (!take_zigzag(index) || index < 0) return false;
  return true;
}

// Removes magic and id or GUID; false where they are not there.
bool take_schema_id(std::string_view& bytes) {
  if (bytes.empty() || (bytes[0] != 0 && bytes[0] != 1)) return false;
  const size_t size = bytes[0] == 0 ? 1 + 4 : 1 + 16;
  if (bytes.size() < size) return false;
  bytes.remove_prefix(size);
  return true;
}

class ConfluentDecoder final : public Decoder {
 public:
  void decode(std::string_view record, std::span<const RecordHeader> headers,
              EventSink& sink) override {
    auto prefix = find_header(headers, "__value_schema_id");
    auto payload = record;
    // The header, where there is one, holds what otherwise leads the value.
    auto& framed = prefix.empty() ? payload : prefix;
    if (!take_schema_id(framed))
      return sink.reject(RejectReason::undecodable,
                         "neither Confluent's magic byte 0 with an id nor 1 with a GUID", record);
    if (payload.starts_with('{') || payload.starts_with('['))
      return json_->decode(payload, headers, sink);
    if (!take_indexes(framed, indexes_))
      return sink.reject(RejectReason::undecodable, "the message indexes are malformed", record);
    if (indexes_.size() == 1 && indexes_[0] == 0) return single_->decode(payload, headers, sink);
    if (indexes_.size() == 1 && indexes_[0] == 1) return batch_->decode(payload, headers, sink);
    sink.reject(RejectReason::undecodable,
                fmt::format("message index {} is neither UsageEvent (0) nor UsageEventBatch (1)",
                            fmt::join(indexes_, ".")),
                record);
  }

 private:
  std::unique_ptr<Decoder> single_ = make_wire_decoder(WirePacking::single);
  std::unique_ptr<Decoder> batch_ = make_wire_decoder(WirePacking::batch);
  std::unique_ptr<Decoder> json_ = make_json_decoder();
  std::vector<int64_t> indexes_;
};

}  // namespace

std::unique_ptr<Decoder> make_confluent_decoder() { return std::make_unique<ConfluentDecoder>(); }

}  // namespace gauger::ingest
