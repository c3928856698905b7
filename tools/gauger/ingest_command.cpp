// gauger ingest: usage events from files or a Kafka topic into a ledger.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <memory>

#include "ingest/file_source.h"
#include "ingest/formats.h"
#include "ingest/intake.h"
#include "ingest/kafka_source.h"
#include "ledger/ledger.h"
#include "tools/gauger/clock.h"
#include "tools/gauger/command.h"
#include "tools/gauger/intake_options.h"
#include "tools/gauger/ledger_options.h"
#include "tools/gauger/text_file.h"
#include "tools/progress.h"

namespace gauger::tools {
namespace {

struct Options {
  std::string data;
  std::vector<std::string> files;
  std::string format;
  std::string csv_mapping;
  std::string attribution;
  std::string source;
  std::string provider;
  std::string provider_account;
  std::string name_space = "default";
  bool backfill = false;
  std::string now;
  KafkaOptions kafka;
  bool until_end = false;
  NewLedgerOptions made;
  uint64_t hot_identities = ledger::LedgerOptions{}.hot_identities_max;
  Output output = Output::table;
};

// Set by SIGINT and SIGTERM: the batch at hand is committed, then the command ends.
std::atomic<bool> stop_asked{false};
void ask_to_stop(int) { stop_asked.store(true); }

// Says once that the intake waits for disk space, and once that it goes on.
class PauseNotice {
 public:
  void look(bool paused, const std::string& data) {
    if (paused == paused_) return;
    paused_ = paused;
    fmt::print(stderr, "gauger: {}\n",
               paused ? "intake pauses: less than 1 GiB is free on the disk of " + data
                      : "intake goes on");
  }

 private:
  bool paused_ = false;
};

ingest::IntakeOptions intake_options(const Options& options) {
  ingest::IntakeOptions intake;
  intake.name_space = options.name_space;
  intake.backfill = options.backfill;
  return intake;
}

// What records of another format leave open, from the flags and the documents they name.
struct Documents {
  ingest::Attribution attribution;
  ingest::DecoderOptions decoder;
};

Result<std::unique_ptr<Documents>> read_documents(const Options& options) {
  auto documents = std::make_unique<Documents>();
  documents->decoder = {options.source, options.provider, options.provider_account, {}, nullptr};
  if (!options.csv_mapping.empty()) {
    TRY(documents->decoder.csv_mapping, read_text_file(options.csv_mapping));
  }
  if (!options.attribution.empty()) {
    TRY(const auto text, read_text_file(options.attribution));
    TRY(documents->attribution, ingest::Attribution::parse(text));
    documents->decoder.attribution = &documents->attribution;
  }
  return documents;
}

Result<std::unique_ptr<ingest::Decoder>> decoder_for(const Options& options,
                                                     const Documents& documents,
                                                     std::string_view by_suffix) {
  const auto name = options.format.empty() ? std::string(by_suffix) : options.format;
  // One protobuf event per record has a path of its own.
  if (name == "proto" && options.attribution.empty()) return std::unique_ptr<ingest::Decoder>();
  return ingest::make_decoder(name, documents.decoder);
}

// What was noticed in one source, beside the ones before.
void add(ingest::IntakeProgress& all, const ingest::IntakeProgress& more) {
  all.unattributed += more.unattributed;
  for (const auto& extra : more.extras) {
    const auto same = std::ranges::find(all.extras, extra.name, &ingest::ExtraSeen::name);
    if (same == all.extras.end())
      all.extras.push_back(extra);
    else
      same->events += extra.events;
  }
}

Result<void> ingest_file(ledger::Ledger& ledger, const Options& options, const Documents& documents,
                         const std::string& path, ingest::IntakeProgress& noticed) {
  ingest::FileSource::Config config;
  config.paths = {path};
  std::string_view by_suffix = "json";
  if (path != "-") {
    TRY(const auto format, ingest::file_format(path));
    by_suffix = format.decoder;
    config.framing = ingest::framing_of(
        options.format.empty() ? by_suffix : std::string_view(options.format), format.framing);
  } else if (options.format == "proto") {
    config.framing = ingest::Framing::delimited;
  }
  auto intake = intake_options(options);
  TRY(intake.decoder, decoder_for(options, documents, by_suffix));
  TRY(const auto source, ingest::FileSource::open(config));
  Progress progress(path, "bytes", static_cast<uint64_t>(source->bytes_total()));
  PauseNotice notice;
  TRY(const auto ended,
      ingest::run_intake(ledger, *source, std::move(intake), [&](const auto& done) {
        notice.look(done.paused, options.data);
        progress.advance_to(static_cast<uint64_t>(source->bytes_done()));
        return !stop_asked.load();
      }));
  add(noticed, ended);
  return success();
}

Result<void> ingest_topic(ledger::Ledger& ledger, const Options& options,
                          const Documents& documents, std::unique_ptr<ingest::KafkaSource> source,
                          ingest::IntakeProgress& noticed) {
  auto intake = intake_options(options);
  TRY(intake.decoder, decoder_for(options, documents, "proto"));
  TRY(source->start(stored_positions(ledger, *source)));
  Progress progress(options.kafka.topic, "records", 0);
  PauseNotice notice;
  TRY(const auto ended,
      ingest::run_intake(ledger, *source, std::move(intake), [&](const auto& done) {
        notice.look(done.paused, options.data);
        progress.set_total(done.records + static_cast<uint64_t>(source->stats().lag));
        progress.advance_to(done.records);
        return !stop_asked.load();
      }));
  add(noticed, ended);
  TRY(ledger.flush());
  if (options.kafka.group.empty()) return success();
  return source->commit(next_offsets(ledger, *source));
}

void print_extras_json(const std::vector<ingest::ExtraSeen>& extras) {
  fmt::print(", \"extras\": {{");
  for (size_t i = 0; i < extras.size(); ++i)
    fmt::print("{}{}: {}", i == 0 ? "" : ", ", json_text(extras[i].name), extras[i].events);
  fmt::print("}}");
}

void print_extras(const std::vector<ingest::ExtraSeen>& extras) {
  if (extras.empty()) return;
  fmt::print("kept as counted extras, which have no price until a price book names them:\n");
  for (const auto& extra : extras)
    fmt::print("  {} in {} {}\n", extra.name, grouped(static_cast<int64_t>(extra.events)),
               extra.events == 1 ? "event" : "events");
}

void print_unattributed(uint64_t events, const std::string& data) {
  if (events == 0) return;
  fmt::print(
      "{} events are of nobody: `gauger usage --data {} --team unattributed --by "
      "project,workload`\n",
      grouped(static_cast<int64_t>(events)), data);
}

void print_report(const Options& options, const ledger::Head& before, const ledger::Head& after,
                  double seconds, const ingest::IntakeProgress& noticed) {
  const auto of = [&](ledger::Disposition disposition) {
    const auto at = static_cast<size_t>(disposition);
    return after.records[at] - before.records[at];
  };
  uint64_t all = 0;
  for (size_t i = 0; i < ledger::disposition_count; ++i)
    all += after.records[i] - before.records[i];
  if (options.output == Output::json) {
    fmt::print("{{\"records\": {}", all);
    for (size_t i = 0; i < ledger::disposition_count; ++i)
      fmt::print(", \"{}\": {}", ledger::disposition_names[i],
                 after.records[i] - before.records[i]);
    fmt::print(", \"unattributed\": {}", noticed.unattributed);
    print_extras_json(noticed.extras);
    fmt::print(", \"sequence\": {}}}\n", after.sequence);
    return;
  }
  fmt::print("{} records in {:.1f} s ({} per second)\n", grouped(static_cast<int64_t>(all)),
             seconds,
             grouped(static_cast<int64_t>(static_cast<double>(all) / std::max(seconds, 0.001))));
  fmt::print("  accepted     {:>14}\n",
             grouped(static_cast<int64_t>(of(ledger::Disposition::accepted))));
  fmt::print("  duplicate    {:>14}\n",
             grouped(static_cast<int64_t>(of(ledger::Disposition::duplicate))));
  fmt::print("  restamped    {:>14}\n",
             grouped(static_cast<int64_t>(of(ledger::Disposition::restamped))));
  fmt::print("  conflict     {:>14}\n",
             grouped(static_cast<int64_t>(of(ledger::Disposition::conflict))));
  fmt::print("  quarantined  {:>14}\n",
             grouped(static_cast<int64_t>(of(ledger::Disposition::quarantined))));
  print_extras(noticed.extras);
  print_unattributed(noticed.unattributed, options.data);
  if (of(ledger::Disposition::quarantined) != 0)
    fmt::print("`gauger quarantine list --data {}` says why records were set aside\n",
               options.data);
  fmt::print("durable up to journal block {}\n", after.sequence);
}

Result<void> check_options(const Options& options, const Documents& documents) {
  if (options.files.empty() == options.kafka.topic.empty())
    return invalid_argument("give either files or --kafka and --topic");
  if (options.kafka.topic.empty() != options.kafka.brokers.empty())
    return invalid_argument("--kafka and --topic go together");
  // Everything that can be refused is refused before a ledger is made.
  if (!options.files.empty()) {
    for (const auto& path : options.files) {
      if (path == "-") continue;
      TRY(ingest::file_format(path));
      ingest::FileSource::Config config;
      config.paths = {path};
      TRY(ingest::FileSource::open(config));
    }
  }
  if (!options.format.empty()) {
    TRY(decoder_for(options, documents, "json"));
  }
  if (const auto config = options.made.config()) {
    TRY(ledger::check(*config));
  }
  return success();
}

Result<void> run_ingest(const Options& options) {
  TRY(const auto documents, read_documents(options));
  TRY(check_options(options, *documents));
  TRY(const auto clock, make_clock(options.now));
  std::signal(SIGINT, ask_to_stop);
  std::signal(SIGTERM, ask_to_stop);
  std::unique_ptr<ingest::KafkaSource> topic;
  if (!options.kafka.topic.empty()) {
    TRY(auto config,
        options.kafka.config(!options.attribution.empty() || reads_headers(options.format)));
    config.until_end = options.until_end;
    TRY(topic, ingest::KafkaSource::connect(std::move(config)));
  }
  ledger::LedgerOptions ledger_options;
  ledger_options.config = options.made.config();
  ledger_options.hot_identities_max = options.hot_identities;
  TRY(const auto ledger, ledger::Ledger::open(options.data, ledger_options, *clock));
  const auto before = ledger->status().head;
  const auto begin = std::chrono::steady_clock::now();
  ingest::IntakeProgress noticed;
  if (topic) {
    TRY(ingest_topic(*ledger, options, *documents, std::move(topic), noticed));
  }
  for (const auto& path : options.files) {
    if (stop_asked.load()) break;
    TRY(ingest_file(*ledger, options, *documents, path, noticed));
  }
  TRY(ledger->close());
  const auto seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  print_report(options, before, ledger->status().head, seconds, noticed);
  return success();
}

}  // namespace

void add_ingest_command(CLI::App& app, Run& run) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("ingest", "take usage events into a ledger");
  command->footer(
      "Examples:\n"
      "  gauger ingest --data ./ledger events.jsonl more.pb.zst\n"
      "  gauger ingest --data ./ledger --kafka localhost:9092 --topic usage --format json\n"
      "Formats by suffix: .jsonl .ndjson .json .pb .binpb .csv, each also with .gz or .zst.");
  add_data_option(*command, options->data);
  command->add_option("files", options->files, "files to read; - is the standard input");
  command->add_option("--format", options->format,
                      fmt::format("where suffix or topic do not say it: {}",
                                  fmt::join(ingest::decoder_names(), ", ")));
  command->add_option("--csv-mapping", options->csv_mapping,
                      "YAML: which columns of a CSV mean what");
  command->add_option("--attribution", options->attribution,
                      "YAML: which team a record without one belongs to");
  command->add_option("--source", options->source, "the source of records that name none");
  command->add_option("--provider", options->provider, "the provider of records that name none")
      ->group("Records of other formats");
  command->add_option("--provider-account", options->provider_account, "likewise its account")
      ->group("Records of other formats");
  command->add_option("--namespace", options->name_space, "whose identities these are")
      ->default_str("default");
  command->add_flag("--backfill", options->backfill,
                    "admit events older than the admission window of 34 days");
  command->add_option("--now", options->now,
                      "let the ledger's clock begin at this time, for replays and demonstrations");
  options->kafka.add_to(*command);
  command->add_flag("--until-end", options->until_end,
                    "end when the topic's present end is reached");
  command
      ->add_option("--hot-identities", options->hot_identities,
                   "identities kept in memory in full, 16 bytes each; older ones lie on disk")
      ->check(CLI::Range(1'000, 200'000'000));
  options->made.add_to(*command);
  add_output_option(*command, options->output);
  command->callback([options, &run] { run = [options] { return run_ingest(*options); }; });
}

}  // namespace gauger::tools
