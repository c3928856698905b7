// Records of one or several protobuf events.
#include <fmt/format.h>

#include "ingest/wire_decoder.h"
#include "ingest/wire_format.h"
#include "schemas/usage_event.pb.h"

namespace gauger::ingest {
namespace {

class WireDecoder final : public Decoder {
 public:
  explicit WireDecoder(WirePacking packing) : packing_(packing) {}

  void decode(std::string_view record, std::span<const RecordHeader>, EventSink& sink) override {
    scratch_.clear();
    if (packing_ == WirePacking::single) return decode_event(record, sink);
    if (record.size() > limits::record_bytes_max)
      return sink.reject(
          RejectReason::record_too_large,
          fmt::format("more than the {} bytes of one record", limits::record_bytes_max), record);
    if (packing_ == WirePacking::delimited) return decode_delimited(record, sink);
    decode_batch(record, sink);
  }

 private:
  void decode_event(std::string_view bytes, EventSink& sink) {
    const auto reason = decode_wire(bytes, event_, scratch_);
    if (reason == RejectReason::none)
      sink.accept(event_);
    else
      sink.reject(reason, scratch_.detail, bytes);
  }

  // Calls `each` with every event of a well-framed batch; false: it is not one, or is unusual.
  template <class Each>
  static bool for_each_in_batch(std::string_view batch, Each each) {
    while (!batch.empty()) {
      uint32_t tag = 0;
      std::string_view bytes;
      if (!take_tag(batch, tag)) return false;
      if (tag != tag_of(v1::UsageEventBatch::kEventsFieldNumber, length_delimited)) {
        if (!skip_field(batch, tag)) return false;
        continue;
      }
      if (!take_bytes(batch, bytes)) return false;
      each(bytes);
    }
    return true;
  }

  template <class Each>
  static bool for_each_delimited(std::string_view record, Each each) {
    while (!record.empty()) {
      std::string_view bytes;
      if (!take_bytes(record, bytes)) return false;
      each(bytes);
    }
    return true;
  }

  void decode_batch(std::string_view record, EventSink& sink) {
    // The framing is walked twice, so that nothing of a broken batch is counted.
    size_t events = 0;
    if (!for_each_in_batch(record, [&](std::string_view) { ++events; }))
      return decode_unusual(record, sink);
    if (events == 0) return refuse_empty(record, sink);
    for_each_in_batch(record, [&](std::string_view bytes) { decode_event(bytes, sink); });
  }

  // Other bytes than a batch may read as one of nothing but unknown fields.
  static void refuse_empty(std::string_view record, EventSink& sink) {
    if (!record.empty())
      sink.reject(RejectReason::undecodable, "a UsageEventBatch without events", record);
  }

  void decode_delimited(std::string_view record, EventSink& sink) {
    if (!for_each_delimited(record, [](std::string_view) {}))
      return sink.reject(RejectReason::undecodable, "not a sequence of length-delimited messages",
                         record);
    for_each_delimited(record, [&](std::string_view bytes) { decode_event(bytes, sink); });
  }

  void decode_unusual(std::string_view record, EventSink& sink) {
    silence_libprotobuf();
    v1::UsageEventBatch batch;
    if (!batch.ParseFromArray(record.data(), static_cast<int>(record.size())))
      return sink.reject(RejectReason::undecodable,
                         "not a protobuf message gauger.v1.UsageEventBatch", record);
    if (batch.events().empty()) return refuse_empty(record, sink);
    for (const auto& message : batch.events()) {
      std::string bytes;
      message.SerializeToString(&bytes);
      decode_event(bytes, sink);
    }
  }

  WirePacking packing_;
  UsageEvent event_;
  WireScratch scratch_;
};

}  // namespace

std::unique_ptr<Decoder> make_wire_decoder(WirePacking packing) {
  return std::make_unique<WireDecoder>(packing);
}

}  // namespace gauger::ingest
