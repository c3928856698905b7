// What the commands that write a ledger take: where the log is, and how a ledger is made.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ingest/kafka_source.h"
#include "ledger/config.h"
#include "ledger/ledger.h"

namespace gauger::tools {

// --kafka, --topic, --group, --property.
struct KafkaOptions {
  std::string brokers;
  std::string topic;
  std::string group;
  std::vector<std::string> properties;
  void add_to(CLI::App& command);
  Result<ingest::KafkaConfig> config(bool headers) const;
};

// Whether records of the format leave open what only their headers say: the canonical ones do not.
bool reads_headers(std::string_view format);

std::vector<ingest::KafkaPosition> stored_positions(const ledger::Ledger& ledger,
                                                    const ingest::Source& source);
// Where the ledger stands in each partition, for publishing.
std::vector<int64_t> next_offsets(const ledger::Ledger& ledger, const ingest::Source& source);

// --grain, --time-zone, --context-boundaries.
struct NewLedgerOptions {
  int grain = 0;
  std::string time_zone;
  std::vector<int64_t> context_boundaries;
  void add_to(CLI::App& command);
  // None where nothing was given.
  std::optional<ledger::LedgerConfig> config() const;
};

}  // namespace gauger::tools
