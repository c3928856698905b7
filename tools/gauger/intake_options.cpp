#include "tools/gauger/intake_options.h"

#include <fmt/format.h>

namespace gauger::tools {

void KafkaOptions::add_to(CLI::App& command) {
  command.add_option("--kafka", brokers, "brokers, host:port by comma");
  command.add_option("--topic", topic, "the topic to read");
  command.add_option("--group", group, "publish positions under this consumer group");
  command.add_option("--property", properties, "a setting of librdkafka, NAME=VALUE");
}

Result<ingest::KafkaConfig> KafkaOptions::config(bool headers) const {
  ingest::KafkaConfig config;
  config.connection.brokers = brokers;
  config.topic = topic;
  config.group_id = group;
  config.headers = headers;
  config.connection.log = [](std::string_view line) {
    fmt::print(stderr, "gauger: kafka: {}\n", line);
  };
  for (const auto& property : properties) {
    const auto equals = property.find('=');
    if (equals == std::string::npos)
      return invalid_argument("--property takes NAME=VALUE, not '" + property + "'");
    config.connection.properties.emplace_back(property.substr(0, equals),
                                              property.substr(equals + 1));
  }
  return config;
}

bool reads_headers(std::string_view format) {
  for (const auto* canonical : {"", "proto", "proto-batch", "proto-delimited", "json"})
    if (format == canonical) return false;
  return true;
}

std::vector<ingest::KafkaPosition> stored_positions(const ledger::Ledger& ledger,
                                                    const ingest::Source& source) {
  std::vector<ingest::KafkaPosition> positions;
  for (const auto& position : ledger.positions(source.partitions().front().source))
    positions.push_back({position.partition, position.next_offset, position.last_record_offset,
                         position.last_record_hash});
  return positions;
}

std::vector<int64_t> next_offsets(const ledger::Ledger& ledger, const ingest::Source& source) {
  std::vector<int64_t> next;
  for (const auto& partition : source.partitions()) {
    const auto position = ledger.position(partition.source, partition.partition);
    next.push_back(position ? position->next_offset : 0);
  }
  return next;
}

void NewLedgerOptions::add_to(CLI::App& command) {
  const auto* made = "A ledger that is made now";
  command.add_option("--grain", grain, "minutes of the fine rollups: 15, 30 or 60")->group(made);
  command.add_option("--time-zone", time_zone, "zone of its days and months")->group(made);
  command
      .add_option("--context-boundaries", context_boundaries,
                  "tokens of input above which providers charge another price")
      ->delimiter(',')
      ->group(made);
}

std::optional<ledger::LedgerConfig> NewLedgerOptions::config() const {
  if (grain == 0 && time_zone.empty() && context_boundaries.empty()) return std::nullopt;
  ledger::LedgerConfig config;
  if (grain != 0) config.grain = std::chrono::minutes{grain};
  if (!time_zone.empty()) config.time_zone = time_zone;
  if (!context_boundaries.empty()) config.context_boundaries = context_boundaries;
  return config;
}

}  // namespace gauger::tools
