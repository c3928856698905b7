// One connection, as a coroutine on its I/O thread. Private to exporters/http.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <mutex>
#include <unordered_map>
#include <unordered_set>

#include "exporters/http/server.h"

namespace gauger::exporters {

namespace asio = boost::asio;

// What an I/O thread knows of a connection of its own, so that a stop can let go of it.
struct OpenConnection {
  bool waiting = false;  // between requests
  std::function<void()> close;
};

struct IoThread {
  asio::io_context context{1};
  std::unordered_set<OpenConnection*> connections;
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

asio::awaitable<void> run_connection(asio::ip::tcp::socket socket, std::string address,
                                     ServerShared& shared, IoThread& thread);

}  // namespace gauger::exporters
