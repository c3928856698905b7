// Why: the port is open to whatever connects. How: raw sockets say what no client would, and a
// well-behaved request is asked for afterwards.
#include "exporters/http/server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "exporters/api/problem.h"
#include "tests/catch.h"

using namespace gauger;
using namespace gauger::exporters;
using namespace std::chrono_literals;

namespace {

class Socket {
 public:
  explicit Socket(uint16_t port, const char* from = nullptr)
      : number_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    if (from != nullptr) {
      ::inet_pton(AF_INET, from, &address.sin_addr);
      REQUIRE(::bind(number_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    }
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected = ::connect(number_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~Socket() { ::close(number_); }
  Socket(const Socket&) = delete;

  bool send(std::string_view bytes) {
    return ::send(number_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
  }
  // Everything up to the end of the connection, or until `enough` is in it, or `wait` has passed.
  std::string receive(std::string_view enough = "", std::chrono::milliseconds wait = 5s) {
    std::string all;
    const auto until = std::chrono::steady_clock::now() + wait;
    std::array<char, 65'536> buffer{};
    while (enough.empty() || all.find(enough) == std::string::npos) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
          until - std::chrono::steady_clock::now());
      pollfd ready{number_, POLLIN, 0};
      if (left.count() <= 0 || ::poll(&ready, 1, static_cast<int>(left.count())) <= 0) {
        timed_out = true;
        break;
      }
      const auto got = ::recv(number_, buffer.data(), buffer.size(), 0);
      if (got <= 0) break;
      all.append(buffer.data(), static_cast<size_t>(got));
    }
    return all;
  }

  bool connected = false;
  bool timed_out = false;

 private:
  int number_;
};

ServerConfig quick_config() {
  ServerConfig config;
  config.header_deadline = 300ms;
  config.body_deadline = 300ms;
  config.write_deadline = 500ms;
  config.idle_deadline = 500ms;
  config.drain_deadline = 2s;
  return config;
}

// Answers /echo with the body, /slow after a while and on another thread, the rest with 404.
struct Bench {
  explicit Bench(const ServerConfig& config = quick_config()) {
    auto listening = Server::listen(
        config,
        [this](RequestHead head) -> Admission {
          if (head.path == "/echo")
            return Admitted{10'000, [](std::string body, Reply reply) {
                              Response response;
                              response.content_type = "text/plain";
                              response.body = std::move(body);
                              reply(std::move(response));
                            }};
          if (head.path == "/slow")
            return Admitted{0, [this](std::string, Reply reply) {
                              later.emplace_back([reply = std::move(reply)] {
                                std::this_thread::sleep_for(200ms);
                                reply(Response{200, "text/plain", "late", {}, false});
                              });
                            }};
          return problem(Problem::not_found, "nothing here");
        },
        problem_of_status, [](unsigned) {});
    REQUIRE(listening.has_value());
    server = std::move(listening.value());
  }
  ~Bench() {
    server->stop();
    for (auto& thread : later) thread.join();
  }

  std::string ask(std::string_view bytes, std::chrono::milliseconds wait = 5s) const {
    Socket socket(server->port());
    socket.send(bytes);
    auto answer = socket.receive("", wait);
    CHECK_FALSE(socket.timed_out);
    return answer;
  }
  bool serves() const {
    return ask("GET /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .starts_with("HTTP/1.1 200");
  }

  std::vector<std::thread> later;
  std::unique_ptr<Server> server;
};

std::string status_of(const std::string& answer) {
  return answer.size() < 12 ? answer : answer.substr(9, 3);
}

}  // namespace

TEST_CASE("requests follow each other on one connection and bodies come back whole",
          "[exporters]") {
  Bench bench;
  Socket socket(bench.server->port());
  const std::string body(9'000, 'x');
  for (int i = 0; i < 3; ++i) {
    socket.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\n" + body);
    CHECK(socket.receive(body).starts_with("HTTP/1.1 200"));
  }
  // Two at once, the second in chunks.
  socket.send(
      "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n"
      "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n");
  CHECK(socket.receive("abcdefg").find("abcdefg") != std::string::npos);
  socket.send("HEAD /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const auto head = socket.receive();
  CHECK(status_of(head) == "200");
  CHECK(head.ends_with("\r\n\r\n"));
}

TEST_CASE("shapes that two parsers could read differently are refused", "[exporters]") {
  Bench bench;
  const auto refused = [&](std::string_view request) {
    INFO(request);
    const auto answer = bench.ask(request);
    const auto status = status_of(answer);
    CHECK((status == "400" || status == "501" || status == "505" || status == "431"));
    CHECK(answer.find("Connection: close") != std::string::npos);
    CHECK(answer.find("application/problem+json") != std::string::npos);
  };
  refused(
      "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: "
      "chunked\r\n\r\n0\r\n\r\n");
  refused(
      "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: "
      "3\r\n\r\n0\r\n\r\n");
  refused("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd");
  refused("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc");
  refused("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: +3\r\n\r\nabc");
  refused("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3 3\r\n\r\nabc");
  refused("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n");
  refused("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n");
  refused("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n");
  refused("POST /echo HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
  refused(
      "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n");
  refused(
      "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n");
  refused("GET /echo HTTP/1.1\r\n\r\n");
  refused("GET /echo HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n");
  refused("GET /echo HTTP/1.1\r\nHost : x\r\n\r\n");
  refused("GET /echo HTTP/9.9\r\nHost: x\r\n\r\n");
  refused("GET  /echo HTTP/1.1\r\nHost: x\r\n\r\n");
  refused("GET http://x/echo HTTP/1.1\r\nHost: x\r\n\r\n");
  refused("GET /%2e%2e/echo HTTP/1.1\r\nHost: x\r\n\r\n");
  refused("GET /a%2Fb HTTP/1.1\r\nHost: x\r\n\r\n");
  refused("GET /echo%00 HTTP/1.1\r\nHost: x\r\n\r\n");
  refused("GET /echo%f HTTP/1.1\r\nHost: x\r\n\r\n");
  refused("GET /%ff HTTP/1.1\r\nHost: x\r\n\r\n");
  refused("GET /echo?a=1&a=2 HTTP/1.1\r\nHost: x\r\n\r\n");
  refused("GET /echo HTTP/1.1\r\nHost: x\r\nA: " + std::string(20'000, 'a') + "\r\n\r\n");
  std::string many = "GET /echo HTTP/1.1\r\nHost: x\r\n";
  for (int i = 0; i < 70; ++i) many += "A" + std::to_string(i) + ": 1\r\n";
  refused(many + "\r\n");
  refused("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n");
  CHECK(bench.serves());
}

TEST_CASE("bodies over the route's limit are refused before or while they are read",
          "[exporters]") {
  Bench bench;
  CHECK(status_of(bench.ask("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10001\r\n\r\n")) ==
        "413");
  std::string chunked = "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 11; ++i) chunked += "3e8\r\n" + std::string(1000, 'a') + "\r\n";
  CHECK(status_of(bench.ask(chunked + "0\r\n\r\n")) == "413");
  CHECK(status_of(bench.ask("POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab")) ==
        "400");
  CHECK(bench.server->stats().body_bytes == 0);
  // An operation that does not exist does not read its body either.
  CHECK(status_of(bench.ask(
            "POST /none HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\nabc")) == "404");
}

TEST_CASE("the bodies of all requests are bounded together", "[exporters]") {
  auto config = quick_config();
  config.bodies_bytes_max = 15'000;
  config.body_deadline = 2s;
  Bench bench(config);
  Socket first(bench.server->port());
  first.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\nabc");
  while (bench.server->stats().body_bytes == 0) std::this_thread::sleep_for(1ms);
  const auto second =
      bench.ask("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\nabc");
  CHECK(status_of(second) == "503");
  CHECK(second.find("Retry-After") != std::string::npos);
}

TEST_CASE("a client that expects to be asked for its body is asked or refused", "[exporters]") {
  Bench bench;
  Socket socket(bench.server->port());
  socket.send(
      "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  CHECK(socket.receive("\r\n\r\n").starts_with("HTTP/1.1 100"));
  socket.send("abc");
  CHECK(socket.receive("abc").starts_with("HTTP/1.1 200"));
  CHECK(status_of(bench.ask("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n"
                            "Expect: 100-continue\r\n\r\n")) == "413");
  CHECK(status_of(bench.ask("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
                            "Expect: tea\r\n\r\n")) == "417");
}

TEST_CASE("who is too slow is cut although a byte comes now and then", "[exporters]") {
  Bench bench;
  const auto trickle = [&](std::string_view begin, std::string_view rest) {
    Socket socket(bench.server->port());
    socket.send(begin);
    const auto started = std::chrono::steady_clock::now();
    bool open = true;
    for (size_t i = 0; open && i < 200; ++i) {
      open = socket.send(rest.substr(i % rest.size(), 1));
      std::this_thread::sleep_for(20ms);
    }
    CHECK_FALSE(open);
    CHECK(std::chrono::steady_clock::now() - started < 3s);
  };
  trickle("GET /echo HTTP/1.1\r\nHost: x\r\n", "X-Slow: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
  trickle("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\n", "aaaaaaaa");
  Socket idle(bench.server->port());
  CHECK(idle.receive("", 3s).empty());
  CHECK_FALSE(idle.timed_out);
  // The client may see its end before the server has counted it.
  for (int i = 0; i < 100 && bench.server->stats().connections_cut < 3; ++i)
    std::this_thread::sleep_for(20ms);
  CHECK(bench.server->stats().connections_cut >= 3);
  CHECK(bench.serves());
}

TEST_CASE("a client that does not read its answer is cut", "[exporters]") {
  Bench bench;
  Socket socket(bench.server->port());
  const auto request =
      "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\n" + std::string(9'000, 'x');
  // Sends until both directions are full and nothing moves; the cut ends the sending.
  std::thread feeding([&] {
    while (socket.send(request)) {
    }
  });
  feeding.join();
  // The client may see its end before the server has counted it.
  for (int i = 0; i < 200 && bench.server->stats().connections_cut == 0; ++i)
    std::this_thread::sleep_for(10ms);
  CHECK(bench.server->stats().connections_cut == 1);
  CHECK(bench.serves());
}

TEST_CASE("connections are capped by address and in all", "[exporters]") {
  auto config = quick_config();
  config.connections_max = 8;
  config.connections_per_address_max = 5;
  config.idle_deadline = 5s;
  Bench bench(config);
  std::vector<std::unique_ptr<Socket>> sockets;
  for (int i = 0; i < 6; ++i) sockets.push_back(std::make_unique<Socket>(bench.server->port()));
  CHECK(sockets.back()->receive("", 2s).empty());
  CHECK(bench.server->stats().connections_open == 5);
  CHECK(bench.server->stats().connections_refused == 1);
  // Another address has its own share, until all is taken.
  for (int i = 0; i < 4; ++i)
    sockets.push_back(std::make_unique<Socket>(bench.server->port(), "127.0.0.2"));
  CHECK(sockets.back()->receive("", 2s).empty());
  CHECK(bench.server->stats().connections_open == 8);
  sockets.clear();
  for (int i = 0; i < 200 && bench.server->stats().connections_open != 0; ++i)
    std::this_thread::sleep_for(10ms);
  CHECK(bench.serves());
}

TEST_CASE("a stop lets answers out that are under way and idle clients go", "[exporters]") {
  auto config = quick_config();
  config.idle_deadline = 30s;
  Bench bench(config);
  Socket idle(bench.server->port());
  Socket busy(bench.server->port());
  busy.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
  std::this_thread::sleep_for(50ms);
  const auto started = std::chrono::steady_clock::now();
  bench.server->stop();
  CHECK(std::chrono::steady_clock::now() - started < 2s);
  const auto answer = busy.receive();
  CHECK(status_of(answer) == "200");
  CHECK(answer.find("late") != std::string::npos);
  CHECK(answer.find("Connection: close") != std::string::npos);
  CHECK(idle.receive("", 1s).empty());
}

TEST_CASE("addresses and certificates that cannot be used are named", "[exporters]") {
  const auto listen = [](ServerConfig config) {
    return Server::listen(
        config, [](RequestHead) -> Admission { return Response{}; }, problem_of_status,
        [](unsigned) {});
  };
  ServerConfig config;
  config.address = "not-an-address";
  CHECK(listen(config).error().sentence.find("not-an-address") != std::string::npos);
  config.address = "127.0.0.1";
  config.tls_certificate = "/nonexistent.pem";
  CHECK(listen(config).error().code == ErrorCode::invalid_argument);
  config.tls_key = "/nonexistent.key";
  CHECK(listen(config).error().sentence.find("/nonexistent.pem") != std::string::npos);
  config = {};
  const auto first = listen(config);
  REQUIRE(first.has_value());
  config.port = first.value()->port();
  CHECK(listen(config).error().code == ErrorCode::unavailable);
}
