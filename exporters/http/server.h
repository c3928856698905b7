// The transport: HTTP/1.1 over TCP or TLS, Boost.Beast behind it. It reads requests, bounds them,
// and hands them on as values; what they mean is decided elsewhere (message.h).
//
// Invariants
// - Every connection is under an absolute deadline at any time (waiting, header, body, writing),
//   but while its answer is being worked out. What is too slow is cut.
// - Whatever a client sends is answered once or cut. A request whose end two parsers could see at
//   different places (two lengths, a length beside chunks, a coding that is not chunked, a bare
//   line feed) is answered 400 and the connection closed.
// - Bodies in memory are bounded together; above it the answer is 503.
//
// Threads: each connection belongs to one I/O thread. `admit` and `answered` run there; replies
// may come from any thread. listen, stop and the destructor belong to the owner.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "exporters/http/message.h"
#include "schemas/result.h"
#include "schemas/service_limits.h"

namespace gauger::exporters {

struct ServerConfig {
  std::string address = "127.0.0.1";
  uint16_t port = 0;  // 0: any free one
  // PEM files. Both or none; TLS 1.2 or newer.
  std::string tls_certificate;
  std::string tls_key;
  unsigned io_threads = 1;
  size_t connections_max = limits::http_connections_max;
  size_t connections_per_address_max = limits::http_connections_per_address_max;
  size_t bodies_bytes_max = limits::http_bodies_bytes_max;
  std::chrono::milliseconds header_deadline = limits::http_header_deadline;
  std::chrono::milliseconds body_deadline = limits::http_body_deadline;
  std::chrono::milliseconds write_deadline = limits::http_write_deadline;
  std::chrono::milliseconds idle_deadline = limits::http_idle_deadline;
  std::chrono::milliseconds drain_deadline = limits::http_drain_deadline;
};

struct ServerStats {
  std::atomic<uint64_t> connections_open{0};
  std::atomic<uint64_t> connections_accepted{0};
  std::atomic<uint64_t> connections_refused{0};  // over a cap
  std::atomic<uint64_t> connections_cut{0};      // past a deadline
  std::atomic<uint64_t> body_bytes{0};           // in memory now
};

class Server {
 public:
  // invalid_argument: an address, certificate or key that cannot be used.
  static Result<std::unique_ptr<Server>> listen(const ServerConfig& config, Admit admit,
                                                Refuse refuse, Answered answered);
  ~Server();

  uint16_t port() const;
  const ServerStats& stats() const;
  // Takes no more connections, lets go of the idle ones, waits for answers that are under way.
  void stop();

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace gauger::exporters
