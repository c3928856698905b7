// One connection, as a coroutine on its I/O thread. Private to exporters/http.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "exporters/http/server.h"

namespace gauger::exporters {

namespace asio = boost::asio;

// The executor is named, so that nothing of the path of a request is called through a table.
using IoExecutor = asio::io_context::executor_type;
template <class Value>
using IoTask = asio::awaitable<Value, IoExecutor>;
using IoSocket = asio::basic_stream_socket<asio::ip::tcp, IoExecutor>;

// What an I/O thread knows of a connection of its own, so that it can end it.
class OpenConnection {
 public:
  virtual ~OpenConnection() = default;
  // Past its deadline.
  virtual void cut() = 0;
  // The server stops: it goes, if it is between two requests.
  virtual void let_go() = 0;

  size_t place = 0;  // in IoThread::connections
};

// Deadlines lie beside each other and are looked through a few times a second: setting one is a
// store, where a timer of its own would cost each request several turns of the loop.
struct IoThread {
  using Deadline = std::chrono::steady_clock::time_point;

  std::vector<OpenConnection*> connections;
  std::vector<Deadline> deadlines;  // of each
  asio::io_context context{1};      // last: what it destroys uses the above

  void enter(OpenConnection& connection);
  void leave(OpenConnection& connection);
  // Ends what is late, for ever.
  IoTask<void> watch();
};

// What all connections of a server share.
struct ServerShared {
  ServerConfig config;
  Admit admit;
  Refuse refuse;
  Answered answered;
  std::unique_ptr<asio::ssl::context> tls;  // none: plain
  ServerStats stats;
  std::atomic<bool> stopping{false};

  std::mutex mutex;
  std::unordered_map<std::string, size_t> by_address;

  // False when a cap is reached; each success is given back by `leave`.
  bool enter(const std::string& address);
  void leave(const std::string& address);
  // Room for so many more bytes of bodies; given back by `release`.
  bool reserve(size_t bytes);
  void release(size_t bytes) { stats.body_bytes -= bytes; }
};

IoTask<void> run_connection(IoSocket socket, std::string address, ServerShared& shared,
                            IoThread& thread);

}  // namespace gauger::exporters
