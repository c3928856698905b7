// Files of records into a Kafka topic, as they are: nothing is decoded or changed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ingest/kafka_connection.h"
#include "schemas/result.h"
#include "tools/load/output_file.h"

namespace gauger::load {

// Which partition a record goes to.
enum class Spread : uint8_t {
  turns,  // the partitions take turns, a run of records each
  hash,   // by the record's bytes: equal records meet in one partition
  key,    // by the key, as every Kafka client does it
};

struct ProduceOptions {
  ingest::KafkaConnection connection;
  std::string topic;
  int32_t partitions = 0;             // of a topic that is made now; 0: it exists
  std::optional<EventFormat> format;  // else by suffix
  Spread spread = Spread::turns;
  std::string key;                  // of every record, such as the namespace
  std::optional<uint64_t> shuffle;  // a seed; holds all records in memory
  uint64_t rate = 0;                // records per second, 0: as fast as can be
  std::vector<std::string> files;
};

struct Produced {
  uint64_t records = 0;
  uint64_t bytes = 0;
  uint64_t milliseconds = 0;
};

// Returns when the brokers have acknowledged every record.
Result<Produced> produce(const ProduceOptions& options);

}  // namespace gauger::load
