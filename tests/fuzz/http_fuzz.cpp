// Bytes on a connection: whatever they are, every answer is one of HTTP, the connection ends, no
// request is seen that was not sent whole, and the next client is served.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "exporters/http/server.h"
#include "tests/fuzz/fuzz_input.h"

using namespace gauger::exporters;
using gauger::ingest::require;

namespace {

class Running {
 public:
  Running() {
    ServerConfig config;
    config.drain_deadline = std::chrono::milliseconds{50};
    config.connections_per_address_max = 64;
    server_ = std::move(Server::listen(
                            config,
                            [](RequestHead head) -> Admission {
                              require(head.path.starts_with('/'), "a request without a path");
                              if (head.method != Method::post) return Response{};
                              return Admitted{1 << 16, [](std::string body, Reply reply) {
                                                Response response;
                                                response.body = std::move(body);
                                                reply(std::move(response));
                                              }};
                            },
                            [](unsigned status, std::string_view sentence) {
                              require(status >= 400 && !sentence.empty(), "refused for no reason");
                              Response response;
                              response.status = status;
                              response.close = true;
                              return response;
                            },
                            [](unsigned) {})
                            .value());
    // libFuzzer's alarm would end a call that waits for the server.
    sigset_t alarm;
    ::sigemptyset(&alarm);
    ::sigaddset(&alarm, SIGALRM);
    ::pthread_sigmask(SIG_BLOCK, &alarm, nullptr);
  }

  std::string ask(std::string_view bytes) const {
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(server_->port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    require(::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0,
            "the server does not listen" + state());
    const timeval patience{10, 0};
    ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    while (!bytes.empty()) {
      const auto size = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (size <= 0) break;  // refused midway, which is an answer
      bytes.remove_prefix(static_cast<size_t>(size));
    }
    ::shutdown(socket, SHUT_WR);
    std::string answer;
    char piece[4096];
    for (;;) {
      const auto size = ::recv(socket, piece, sizeof piece, 0);
      require(size >= 0 || errno != EAGAIN, "a connection hangs");
      if (size <= 0) break;
      answer.append(piece, static_cast<size_t>(size));
    }
    ::close(socket);
    return answer;
  }

  std::string state() const {
    const auto& stats = server_->stats();
    return " (" + std::to_string(stats.connections_open) + " connections open, " +
           std::to_string(stats.connections_refused) + " refused, " +
           std::to_string(stats.connections_cut) + " cut, " + std::strerror(errno) + ")";
  }

 private:
  std::unique_ptr<Server> server_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Running running;
  const auto answer = running.ask(gauger::ingest::view(data, size));
  require(answer.empty() || answer.starts_with("HTTP/1.1 "), "an answer that is not HTTP");
  const auto next = running.ask("GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  require(next.starts_with("HTTP/1.1 200"),
          "the next client is not served: " + next + running.state());
  return 0;
}
