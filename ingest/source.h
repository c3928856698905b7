// Where records come from: a Kafka topic, files, HTTP. A source hands over whole batches; the
// views in a batch stay valid until the batch is given back by `release`.
//
// Positions: every record has a partition slot and an offset. For Kafka the offset is the
// log's; for files it is the ordinal of the record in the file. The ledger stores, per
// partition, the offset after the last record it holds, in the same commit as the events.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/decoder.h"
#include "schemas/result.h"

namespace gauger::ingest {

struct Record {
  std::string_view bytes;
  int64_t offset;
  uint32_t partition;          // slot, an index into Source::partitions()
  uint32_t headers_begin = 0;  // into RecordBatch::headers
  uint32_t headers_count = 0;
  // Why the source itself refuses the record (cut off, too large, framing lost): it must not be
  // decoded, since its bytes are not the whole of it. The sentence is defect_sentence's.
  RejectReason defect = RejectReason::none;
};

struct RecordBatch {
  std::vector<Record> records;
  std::vector<RecordHeader> headers;
  size_t bytes = 0;
  // Keeps the memory behind the views alive.
  std::vector<std::shared_ptr<const void>> owners;
  // Offsets consumed although they held no record (control markers, compacted away): the
  // position of a partition after this batch, where it is beyond its last record + 1.
  struct Position {
    uint32_t partition;
    int64_t next_offset;
  };
  std::vector<Position> positions;
  bool at_end = false;  // the source is exhausted (files), or caught up with its end (Kafka)

  void clear() {
    records.clear();
    headers.clear();
    owners.clear();
    positions.clear();
    bytes = 0;
    at_end = false;
  }
};

struct PartitionName {
  std::string source;  // "kafka:<cluster id>/<topic>" or "file:<name>"
  int32_t partition = 0;
};

class Source {
 public:
  virtual ~Source() = default;
  virtual const std::vector<PartitionName>& partitions() const = 0;
  // Appends up to `records_max` records or `bytes_max` bytes to an empty batch, waiting at most
  // `wait` for the first one. An empty batch without at_end means nothing came in time. An
  // error ends the intake; its sentence says what to do.
  virtual Result<void> poll(RecordBatch& batch, size_t records_max, size_t bytes_max,
                            std::chrono::milliseconds wait) = 0;
  // Of a log: where each partition ends now, by slot. Empty for whatever is not a log.
  virtual Result<std::vector<int64_t>> end_offsets() const { return std::vector<int64_t>{}; }
};

}  // namespace gauger::ingest
