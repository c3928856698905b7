// gauger serve: the ledger as a service. One process: HTTP in and out, a Kafka topic in where there
// is one, and the ledger embedded.
//
// Threads: this one commits (and reads the topic); the committer acknowledges; I/O threads answer
// HTTP; a few workers read and rate. The order of the end is that of the data: no new connections,
// answers under way, what waits to be committed, the ledger.
#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <limits>
#include <memory>
#include <thread>

#include "exporters/access/audit_log.h"
#include "exporters/api/service.h"
#include "exporters/http/server.h"
#include "ingest/formats.h"
#include "ingest/intake.h"
#include "ledger/online_verifier.h"
#include "schemas/thread_priority.h"
#include "tools/gauger/clock.h"
#include "tools/gauger/command.h"
#include "tools/gauger/intake_options.h"
#include "tools/gauger/ledger_options.h"
#include "tools/gauger/service_manager.h"
#include "tools/gauger/text_file.h"

namespace gauger::tools {
namespace {

using std::chrono::steady_clock;
using namespace std::chrono_literals;

struct Options {
  std::string data;
  std::string listen = "127.0.0.1:8383";
  bool plaintext = false;
  exporters::ServerConfig server;
  std::string attribution;
  std::string format;
  std::string name_space = "default";
  std::string now;
  int64_t lag_max = 1'000'000;
  uint64_t verify_mib_per_s = 8;
  KafkaOptions kafka;
  NewLedgerOptions made;
};

std::atomic<bool> stop_asked{false};
void ask_to_stop(int) { stop_asked.store(true); }

bool is_loopback(const std::string& address) {
  return address.starts_with("127.") || address == "::1";
}

// "127.0.0.1:8383", "[::1]:8383".
Result<void> parse_listen(Options& options) {
  const auto& text = options.listen;
  const auto colon = text.rfind(':');
  auto address = colon == std::string::npos ? text : text.substr(0, colon);
  if (address.size() > 2 && address.front() == '[' && address.back() == ']')
    address = address.substr(1, address.size() - 2);
  int port = -1;
  const auto digits = colon == std::string::npos ? std::string() : text.substr(colon + 1);
  if (!digits.empty() && digits.size() <= 5 &&
      digits.find_first_not_of("0123456789") == std::string::npos)
    port = std::stoi(digits);
  if (port < 0 || port > 65'535 || address.empty())
    return invalid_argument("--listen takes ADDRESS:PORT, such as 127.0.0.1:8383, not '" + text +
                            "'");
  options.server.address = address;
  options.server.port = static_cast<uint16_t>(port);
  return success();
}

// Elsewhere than on this machine nobody is served without a token, nor in the clear.
Result<void> check_exposure(const Options& options, const exporters::TokenBook& tokens) {
  if (is_loopback(options.server.address)) return success();
  if (tokens.empty())
    return Error{ErrorCode::refused,
                 "this ledger has no access tokens, and " + options.server.address +
                     " can be reached from other machines. Make one first: gauger token create "
                     "--data " +
                     options.data + " --name me --role admin"};
  if (options.server.tls_certificate.empty() && !options.plaintext)
    return Error{ErrorCode::refused,
                 "access tokens would travel in the clear: give --tls-cert and --tls-key, or "
                 "--plaintext where a proxy in front speaks TLS"};
  return success();
}

// Ends a poll early when requests wait, so that they share the thread with the topic.
class InterleavedSource final : public ingest::Source {
 public:
  InterleavedSource(ingest::Source& log, const exporters::Committer& committer)
      : log_(log), committer_(committer) {}

  const std::vector<ingest::PartitionName>& partitions() const override {
    return log_.partitions();
  }
  Result<void> poll(ingest::RecordBatch& batch, size_t records_max, size_t bytes_max,
                    std::chrono::milliseconds wait) override {
    const auto until = steady_clock::now() + wait;
    do {
      const auto step =
          committer_.has_work() ? 0ms : std::min<std::chrono::milliseconds>(wait, 1ms);
      TRY(log_.poll(batch, records_max, bytes_max, step));
      if (!batch.records.empty() || !batch.positions.empty() || batch.at_end) break;
    } while (!committer_.has_work() && steady_clock::now() < until);
    return success();
  }
  Result<std::vector<int64_t>> end_offsets() const override { return log_.end_offsets(); }

 private:
  ingest::Source& log_;
  const exporters::Committer& committer_;
};

// Everything that serves, in the order in which it is made; it ends in the other order.
class Serving {
 public:
  explicit Serving(const Options& options) : options_(options) {}

  Result<void> open() {
    TRY(clock_, make_clock(options_.now));
    if (!options_.attribution.empty()) {
      TRY(const auto text, read_text_file(options_.attribution));
      TRY(attribution_, ingest::Attribution::parse(text));
    }
    ledger::LedgerOptions ledger_options;
    ledger_options.config = options_.made.config();
    TRY(open_ledger(ledger_options));
    const auto documents = ledger_->documents();
    TRY(const auto known,
        documents.list(exporters::system_name_space, exporters::access_token_kind));
    TRY(auto key, exporters::TokenKey::open(options_.data, known.empty()));
    TRY(tokens_, exporters::TokenBook::load(documents, key));
    TRY(check_exposure(options_, *tokens_));
    TRY(audit_, exporters::AuditLog::open(options_.data, *clock_));
    exporters::Committer::Config config;
    config.tick = [](ledger::Ledger& ledger) -> Result<bool> {
      TRY(const auto expired, ledger.expire_reservations());
      return expired != 0;
    };
    committer_ = std::make_unique<exporters::Committer>(*ledger_, config);
    exporters::ServiceConfig service_config;
    service_config.attribution = options_.attribution.empty() ? nullptr : &attribution_;
    service_ = std::make_unique<exporters::Service>(*ledger_, *committer_, *tokens_, audit_.get(),
                                                    *clock_, service_config);
    TRY(service_->quotas().refresh());
    service_->status().lag_max = options_.lag_max;
    begin_verification();
    return success();
  }

  Result<void> serve() {
    TRY(server_,
        exporters::Server::listen(
            options_.server,
            [this](exporters::RequestHead head) { return service_->admit(std::move(head)); },
            exporters::problem_of_status, [](unsigned) {}));
    service_->server_stats = &server_->stats();
    fmt::print(stderr, "gauger: {} on {}{}, ledger {} at block {}\n",
               options_.server.tls_certificate.empty() ? "HTTP" : "HTTPS",
               options_.server.address + ":" + std::to_string(server_->port()),
               tokens_->empty() ? ", without access tokens for this machine" : "", options_.data,
               ledger_->durable_head().sequence);
    // From here on this thread commits; those that answer have begun.
    run_behind();
    const auto done = options_.kafka.topic.empty() ? follow_requests() : follow_topic();
    service_->status().ready = false;
    notify_service_manager("STOPPING=1");
    return done;
  }

  // Whatever happened: answers that are under way get out, what was taken is committed.
  Result<void> close(bool healthy) {
    std::thread draining([this] {
      if (server_) server_->stop();
    });
    // Answers wait for commits, and commits for this thread.
    while (healthy && server_ && server_->stats().connections_open.load() != 0 &&
           steady_clock::now() < drain_until_) {
      if (!committer_->serve_waiting()) break;
      std::this_thread::sleep_for(1ms);
    }
    draining.join();
    if (verifier_) verifier_->stop();
    committer_->stop();
    service_->stop();
    if (!healthy) return success();
    TRY(committer_->drain());
    return ledger_->close();
  }

  void begin_drain() { drain_until_ = steady_clock::now() + options_.server.drain_deadline; }

 private:
  // The ledger's threads inherit that they run behind those which answer.
  Result<void> open_ledger(const ledger::LedgerOptions& options) {
    Result<void> opened = success();
    std::thread opening([&] {
      run_behind();
      auto ledger = ledger::Ledger::open(options_.data, options, *clock_);
      if (ledger)
        ledger_ = std::move(ledger.value());
      else
        opened = ledger.error();
    });
    opening.join();
    return opened;
  }

  Result<void> follow_requests() {
    announce();
    while (!stop_asked.load()) {
      TRY(committer_->wait_and_serve());
      notify_alive();
    }
    return success();
  }

  Result<void> follow_topic() {
    TRY(auto config,
        options_.kafka.config(reads_headers(options_.format) || !options_.attribution.empty()));
    TRY(topic_, ingest::KafkaSource::connect(std::move(config)));
    TRY(topic_->start(stored_positions(*ledger_, *topic_)));
    ingest::IntakeOptions intake;
    intake.name_space = options_.name_space;
    const auto format = options_.format.empty() ? std::string("proto") : options_.format;
    if (format != "proto" || !options_.attribution.empty()) {
      ingest::DecoderOptions decoder;
      decoder.attribution = options_.attribution.empty() ? nullptr : &attribution_;
      TRY(intake.decoder, ingest::make_decoder(format, decoder));
    }
    InterleavedSource source(*topic_, *committer_);
    service_->status().following = true;
    announce();
    std::optional<Error> failure;
    TRY(ingest::run_intake(*ledger_, source, std::move(intake), [&](const auto&) {
      if (const auto done = committer_->serve_waiting(); !done) failure = done.error();
      if (const auto done = publish_positions(); !done) failure = done.error();
      look_at_log();
      notify_alive();
      return !stop_asked.load() && !failure;
    }));
    if (failure) return *failure;
    TRY(ledger_->flush());
    if (options_.kafka.group.empty()) return success();
    return topic_->commit(next_offsets(*ledger_, *topic_));
  }

  void look_at_log() {
    const auto now = steady_clock::now();
    if (now < look_due_) return;
    look_due_ = now + 100ms;
    service_->status().lag = topic_->stats().lag;
    int64_t complete_us = std::numeric_limits<int64_t>::max();
    for (const auto& partition : topic_->partitions()) {
      const auto position = ledger_->position(partition.source, partition.partition);
      const bool known = position && position->complete_at;
      complete_us = std::min(complete_us, known ? to_us(*position->complete_at) : 0);
    }
    service_->status().complete_us = complete_us;
  }

  // Now and then, and only what is durable: positions of a while ago, once their block is.
  Result<void> publish_positions() {
    if (options_.kafka.group.empty() || steady_clock::now() < publish_due_) return success();
    publish_due_ = steady_clock::now() + 5s;
    if (!unpublished_.empty() && ledger_->durable_head().sequence >= unpublished_sequence_) {
      TRY(topic_->commit(unpublished_));
      unpublished_.clear();
    }
    if (unpublished_.empty()) {
      unpublished_ = next_offsets(*ledger_, *topic_);
      unpublished_sequence_ = ledger_->status().head.sequence;
    }
    return success();
  }

  // Tells each finding once on stderr, beside the metrics.
  void begin_verification() {
    if (options_.verify_mib_per_s == 0) return;
    ledger::OnlineVerifier::Config pace;
    pace.bytes_per_second = options_.verify_mib_per_s << 20;
    verifier_ = std::make_unique<ledger::OnlineVerifier>(
        ledger_->store(), ledger_->config(), [this] { return ledger_->durable_head(); }, pace);
    verifier_->start([this](const auto& state) {
      auto& status = service_->status();
      if (state.mismatches != status.verification_mismatches.load())
        fmt::print(stderr, "gauger: MISMATCH: {}\n", state.last_finding);
      status.verified_through = state.verified_through;
      status.verification_passes = state.passes;
      status.verification_mismatches = state.mismatches;
    });
  }

  void announce() {
    service_->status().ready = true;
    notify_service_manager("READY=1");
  }

  void notify_alive() {
    const auto now = steady_clock::now();
    if (now < alive_due_) return;
    alive_due_ = now + 5s;
    notify_service_manager("WATCHDOG=1");
  }

  const Options& options_;
  std::unique_ptr<Clock> clock_;
  ingest::Attribution attribution_;
  std::unique_ptr<ledger::Ledger> ledger_;
  std::unique_ptr<exporters::TokenBook> tokens_;
  std::unique_ptr<exporters::AuditLog> audit_;
  // The server before those that answer through it: its connections end first and its memory last.
  std::unique_ptr<exporters::Server> server_;
  std::unique_ptr<exporters::Committer> committer_;
  std::unique_ptr<exporters::Service> service_;
  // It reads the ledger and tells the service: the first to end.
  std::unique_ptr<ledger::OnlineVerifier> verifier_;
  std::unique_ptr<ingest::KafkaSource> topic_;
  steady_clock::time_point drain_until_{};
  steady_clock::time_point publish_due_{};
  steady_clock::time_point look_due_{};
  steady_clock::time_point alive_due_{};
  std::vector<int64_t> unpublished_;
  uint64_t unpublished_sequence_ = 0;
};

Result<void> run_serve(Options& options) {
  TRY(parse_listen(options));
  if (options.kafka.topic.empty() != options.kafka.brokers.empty())
    return invalid_argument("--kafka and --topic go together");
  std::signal(SIGINT, ask_to_stop);
  std::signal(SIGTERM, ask_to_stop);
  std::signal(SIGPIPE, SIG_IGN);
  Serving serving(options);
  TRY(serving.open());
  const auto served = serving.serve();
  serving.begin_drain();
  const auto closed = serving.close(served.has_value());
  TRY(served);
  return closed;
}

}  // namespace

void add_serve_command(CLI::App& app, Run& run) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("serve", "the ledger as a service: HTTP API, quotas, metrics");
  command->footer(
      "Examples:\n"
      "  gauger serve --data ./ledger\n"
      "  gauger serve --data ./ledger --listen 0.0.0.0:8383 --tls-cert server.pem --tls-key "
      "key.pem\n"
      "  gauger serve --data ./ledger --kafka localhost:9092 --topic usage\n"
      "The API is described at /v1/openapi.yaml. SIGTERM ends it after what is under way.");
  add_data_option(*command, options->data);
  command->add_option("--listen", options->listen, "ADDRESS:PORT; port 0 takes a free one")
      ->default_str("127.0.0.1:8383");
  command->add_option("--tls-cert", options->server.tls_certificate, "PEM: the certificate chain");
  command->add_option("--tls-key", options->server.tls_key, "PEM: its private key");
  command->add_flag("--plaintext", options->plaintext,
                    "serve other machines without TLS, behind a proxy that speaks it");
  command->add_option("--io-threads", options->server.io_threads, "threads that answer HTTP")
      ->check(CLI::Range(1, 64))
      ->default_str("1");
  command->add_option("--connections-max", options->server.connections_max)
      ->check(CLI::Range(1, 100'000))
      ->default_str("8192");
  command->add_option("--connections-per-address-max", options->server.connections_per_address_max)
      ->check(CLI::Range(1, 100'000))
      ->default_str("1024");
  command
      ->add_option("--lag-max", options->lag_max,
                   "records behind the topic above which the service is not ready")
      ->default_str("1000000");
  command
      ->add_option("--verify-rate", options->verify_mib_per_s,
                   "MiB per second that the online verifier folds anew; 0: none")
      ->check(CLI::Range(0, 10'000))
      ->default_str("8");
  command->add_option("--attribution", options->attribution,
                      "YAML: which team a record without one belongs to");
  command->add_option("--format", options->format, "of the topic's records; default proto");
  command->add_option("--namespace", options->name_space, "whose identities the topic's are")
      ->default_str("default");
  command->add_option("--now", options->now,
                      "let the ledger's clock begin at this time, for demonstrations");
  options->kafka.add_to(*command);
  options->made.add_to(*command);
  command->callback([options, &run] { run = [options] { return run_serve(*options); }; });
}

}  // namespace gauger::tools
