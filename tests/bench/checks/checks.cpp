// Quota checks over HTTP at an open rate: request k is due at k / rate, whatever the answers do,
// and its time counts from when it was due, so that a service that stalls cannot slow the question
// down. Connections are kept; a request takes one that is free, as a gateway's pool does, and waits
// for one where none is.
//
//   gauger-bench-checks PORT RATE SECONDS CONNECTIONS BODY-FILE
//
// Prints one JSON object: requests, their rate, and quantiles of their microseconds. It measures on
// one thread, with timers of a microsecond.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "schemas/thread_priority.h"

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::nanoseconds;

constexpr std::chrono::seconds warm_up{1};

[[noreturn]] void give_up(std::string_view why) {
  fmt::print(stderr, "gauger-bench-checks: {}\n", why);
  std::exit(1);
}

struct Connection {
  int socket = -1;
  Clock::time_point due;  // of the request that it carries
  std::string answer;
};

class Load {
 public:
  Load(uint16_t port, int count, std::string body) : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    request_ = fmt::format(
        "POST /v1/quotas/check HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\n"
        "Content-Length: {}\r\n\r\n{}",
        port, body.size(), body);
    connections_.resize(static_cast<size_t>(count));
    for (size_t i = 0; i < connections_.size(); ++i) {
      connect(connections_[i], port);
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.u64 = i;
      ::epoll_ctl(epoll_, EPOLL_CTL_ADD, connections_[i].socket, &event);
      free_.push_back(i);
    }
  }
  ~Load() {
    for (const auto& connection : connections_) ::close(connection.socket);
    ::close(epoll_);
  }
  Load(const Load&) = delete;

  void run(int64_t rate, std::chrono::seconds seconds) {
    begin_ = Clock::now();
    const auto total = rate * (seconds + warm_up).count();
    int64_t sent = 0;
    while (sent < total || free_.size() != connections_.size()) {
      const auto now = Clock::now();
      for (; sent < total && !free_.empty() && due(sent, rate) <= now; ++sent)
        send(due(sent, rate));
      const bool waits = sent < total && !free_.empty();
      receive(waits ? std::max(nanoseconds{0}, nanoseconds{due(sent, rate) - Clock::now()})
                    : nanoseconds{1'000'000'000});
    }
  }

  void print(std::chrono::seconds seconds) {
    std::sort(times_us_.begin(), times_us_.end());
    const auto at = [&](double share) {
      const auto index = static_cast<size_t>(static_cast<double>(times_us_.size()) * share);
      return times_us_[std::min(times_us_.size() - 1, index)];
    };
    fmt::print(
        R"({{"requests": {}, "rate": {:.0f}, "p50": {}, "p90": {}, "p99": {}, "p999": {}, "max": {}}})"
        "\n",
        times_us_.size(),
        static_cast<double>(times_us_.size()) / static_cast<double>(seconds.count()), at(0.5),
        at(0.9), at(0.99), at(0.999), times_us_.back());
  }

 private:
  static void connect(Connection& connection, uint16_t port) {
    connection.socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(connection.socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      give_up("cannot connect");
    const int yes = 1;
    ::setsockopt(connection.socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  }

  Clock::time_point due(int64_t request, int64_t rate) const {
    return begin_ + nanoseconds{request * 1'000'000'000 / rate};
  }

  void send(Clock::time_point due) {
    const auto index = free_.front();
    free_.pop_front();
    auto& connection = connections_[index];
    connection.due = due;
    if (::send(connection.socket, request_.data(), request_.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(request_.size()))
      give_up("a request could not be sent");
  }

  void receive(nanoseconds wait) {
    std::array<epoll_event, 64> events{};
    timespec timeout{wait.count() / 1'000'000'000, wait.count() % 1'000'000'000};
    const int count =
        ::epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), &timeout, nullptr);
    for (int i = 0; i < count; ++i) take(events[static_cast<size_t>(i)].data.u64);
  }

  void take(size_t index) {
    auto& connection = connections_[index];
    std::array<char, 16'384> buffer{};
    const auto bytes = ::recv(connection.socket, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (bytes <= 0) give_up("the service closed a connection");
    auto& answer = connection.answer;
    answer.append(buffer.data(), static_cast<size_t>(bytes));
    const auto head = answer.find("\r\n\r\n");
    if (head == std::string::npos) return;
    const auto length = answer.find("Content-Length: ");
    if (length > head) give_up("an answer without a length");
    if (answer.size() < head + 4 + std::strtoull(answer.c_str() + length + 16, nullptr, 10)) return;
    if (!answer.starts_with("HTTP/1.1 200")) give_up(answer.substr(0, 300));
    const auto took = Clock::now() - connection.due;
    if (connection.due - begin_ >= warm_up)
      times_us_.push_back(std::chrono::duration_cast<std::chrono::microseconds>(took).count());
    answer.clear();
    free_.push_back(index);
  }

  const int epoll_;
  std::string request_;
  std::vector<Connection> connections_;
  std::deque<size_t> free_;
  Clock::time_point begin_;
  std::vector<int64_t> times_us_;
};

}  // namespace

int main(int count, char** arguments) {
  if (count != 6) give_up("PORT RATE SECONDS CONNECTIONS BODY-FILE");
  std::ifstream file(arguments[5]);
  const std::string body{std::istreambuf_iterator<char>(file), {}};
  const std::chrono::seconds seconds{std::atoi(arguments[3])};
  const int64_t rate = std::atoll(arguments[2]);
  const int connections = std::atoi(arguments[4]);
  if (rate < 1 || seconds.count() < 1 || connections < 1 || body.empty())
    give_up("nothing to send");
  ::prctl(PR_SET_TIMERSLACK, 1);
  gauger::run_promptly();
  Load load(static_cast<uint16_t>(std::atoi(arguments[1])), connections, body);
  load.run(rate, seconds);
  load.print(seconds);
}
