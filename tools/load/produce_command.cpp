#include <fmt/format.h>

#include <memory>

#include "tools/load/choice.h"
#include "tools/load/command.h"
#include "tools/load/produce.h"

namespace gauger::load {
namespace {

const Choices<Spread> spread_choices = {
    {"turns", Spread::turns}, {"hash", Spread::hash}, {"key", Spread::key}};

struct Flags {
  ProduceOptions options;
  EventFormat format = EventFormat::jsonl;
  uint64_t seed = 0;
  std::vector<std::string> properties;
};

Result<void> produce_files(Flags flags, bool format_given, bool shuffled) {
  auto& options = flags.options;
  for (const auto& property : flags.properties) {
    const auto equals = property.find('=');
    if (equals == 0 || equals == std::string::npos)
      return invalid_argument(fmt::format("--property takes NAME=VALUE, not '{}'", property));
    options.connection.properties.emplace_back(property.substr(0, equals),
                                               property.substr(equals + 1));
  }
  if (options.spread == Spread::key && options.key.empty())
    return invalid_argument("--spread key needs a --key");
  if (format_given) options.format = flags.format;
  if (shuffled) options.shuffle = flags.seed;
  TRY(const auto produced, produce(options));
  fmt::print(stderr, "{} records, {} bytes in {} ms: {} records per second\n", produced.records,
             produced.bytes, produced.milliseconds,
             produced.records * 1000 / std::max(produced.milliseconds, uint64_t{1}));
  return success();
}

}  // namespace

void add_produce_command(CLI::App& app, Run& run) {
  auto flags = std::make_shared<Flags>();
  auto& options = flags->options;
  auto* command = app.add_subcommand("produce", "records of files into a Kafka topic");
  command->add_option("--brokers", options.connection.brokers, "host:port, comma-separated")
      ->required();
  command->add_option("--topic", options.topic, "where to send")->required();
  command->add_option("--partitions", options.partitions, "make the topic with so many partitions")
      ->check(CLI::Range(1, 10'000));
  auto* format = add_choice(*command, "--format", flags->format, format_choices,
                            "jsonl, or proto (length-delimited); by suffix where not given");
  add_choice(*command, "--spread", options.spread, spread_choices,
             "partitions by turns, by hash of the record or by key")
      ->default_str("turns");
  command->add_option("--key", options.key, "the key of every record, such as the namespace");
  auto* shuffle = command
                      ->add_option("--shuffle", flags->seed,
                                   "send in an order of this seed; all records are held in memory")
                      ->check(CLI::Range(uint64_t{0}, uint64_t{1} << 62));
  command->add_option("--rate", options.rate, "records per second at most")
      ->check(CLI::Range(uint64_t{1}, uint64_t{1'000'000'000}));
  command->add_option("--property", flags->properties, "NAME=VALUE of librdkafka, may be repeated");
  command->add_option("files", options.files, "files to send; - is the standard input")
      ->required()
      ->option_text("FILE...");
  command->footer(
      "Example: gauger-load produce --brokers localhost:9092 --topic usage --partitions 12 "
      "events.pb\n");
  command->callback([&run, flags, format, shuffle] {
    run = [=] { return produce_files(*flags, format->count() > 0, shuffle->count() > 0); };
  });
}

}  // namespace gauger::load
