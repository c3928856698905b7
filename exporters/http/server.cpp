#include "exporters/http/server.h"

#include <openssl/ssl.h>
#include <sys/resource.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <thread>

#include "exporters/http/connection.h"
#include "schemas/thread_priority.h"

namespace gauger::exporters {
namespace {

using asio::ip::tcp;
constexpr auto awaiting = asio::as_tuple(asio::use_awaitable);
constexpr int backlog = 1024;
constexpr std::chrono::milliseconds accept_pause{50};

// A peer's share of the connections: its address, of IPv6 its network, since one host has 2^64.
std::string share_of(const asio::ip::address& address) {
  if (!address.is_v6()) return address.to_string();
  const auto v6 = address.to_v6();
  if (v6.is_v4_mapped()) return asio::ip::make_address_v4(asio::ip::v4_mapped, v6).to_string();
  auto bytes = v6.to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), uint8_t{0});
  return asio::ip::address_v6(bytes).to_string();
}

// As many descriptors as the system allows, up to what the caps need.
void raise_descriptor_limit(size_t connections) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const rlim_t wanted = connections + 1024;
  if (limit.rlim_cur >= wanted) return;
  limit.rlim_cur = std::min<rlim_t>(wanted, limit.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

Result<std::unique_ptr<asio::ssl::context>> make_tls(const ServerConfig& config) {
  if (config.tls_certificate.empty() != config.tls_key.empty())
    return invalid_argument("TLS needs a certificate and its key");
  if (config.tls_certificate.empty()) return std::unique_ptr<asio::ssl::context>();
  auto tls = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_server);
  boost::system::error_code error;
  tls->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                       asio::ssl::context::no_tlsv1_1 | asio::ssl::context::no_compression,
                   error);
  SSL_CTX_set_min_proto_version(tls->native_handle(), TLS1_2_VERSION);
  SSL_CTX_set_options(tls->native_handle(), SSL_OP_NO_RENEGOTIATION);
  tls->use_certificate_chain_file(config.tls_certificate, error);
  if (error)
    return invalid_argument("cannot use the certificate " + config.tls_certificate + ": " +
                            error.message());
  tls->use_private_key_file(config.tls_key, asio::ssl::context::pem, error);
  if (error)
    return invalid_argument("cannot use the key " + config.tls_key + ": " + error.message());
  return tls;
}

}  // namespace

struct Server::Impl {
  ServerShared shared;
  std::vector<std::unique_ptr<IoThread>> threads;
  std::unique_ptr<tcp::acceptor> acceptor;
  std::vector<std::thread> running;
  std::vector<asio::executor_work_guard<asio::io_context::executor_type>> guards;
  uint16_t port = 0;
  bool stopped = false;

  asio::awaitable<void> accept_loop();
  IoTask<void> serve(IoSocket socket, std::string address, IoThread& thread);
  Result<void> bind();
  void stop();
};

IoTask<void> Server::Impl::serve(IoSocket socket, std::string address, IoThread& thread) {
  // Nothing of a single connection may end the process: out of memory cuts it.
  try {
    co_await run_connection(std::move(socket), address, shared, thread);
  } catch (const std::exception&) {
    ++shared.stats.connections_cut;
  }
  shared.leave(address);
}

asio::awaitable<void> Server::Impl::accept_loop() {
  for (size_t next = 0; !shared.stopping.load(); ++next) {
    auto& thread = *threads[next % threads.size()];
    auto [error, socket] = co_await acceptor->async_accept(thread.context, awaiting);
    if (error == asio::error::operation_aborted || !acceptor->is_open()) co_return;
    if (error) {
      // Mostly out of descriptors: those that end will free some.
      asio::steady_timer pause(threads[0]->context, accept_pause);
      co_await pause.async_wait(awaiting);
      continue;
    }
    boost::system::error_code gone;
    const auto peer = socket.remote_endpoint(gone);
    if (gone) continue;
    auto address = share_of(peer.address());
    if (!shared.enter(address)) continue;
    asio::co_spawn(thread.context, serve(std::move(socket), std::move(address), thread),
                   asio::detached);
  }
}

Result<void> Server::Impl::bind() {
  boost::system::error_code error;
  const auto address = asio::ip::make_address(shared.config.address, error);
  if (error)
    return invalid_argument("'" + shared.config.address + "' is not an IP address to listen on");
  const tcp::endpoint endpoint(address, shared.config.port);
  acceptor = std::make_unique<tcp::acceptor>(threads[0]->context);
  const auto refused = [&] {
    return Error{ErrorCode::unavailable, "cannot listen on " + shared.config.address + " port " +
                                             std::to_string(shared.config.port) + ": " +
                                             error.message()};
  };
  acceptor->open(endpoint.protocol(), error);
  if (error) return refused();
  acceptor->set_option(asio::socket_base::reuse_address(true), error);
  acceptor->bind(endpoint, error);
  if (error) return refused();
  acceptor->listen(backlog, error);
  if (error) return refused();
  port = acceptor->local_endpoint(error).port();
  return success();
}

void Server::Impl::stop() {
  if (std::exchange(stopped, true)) return;
  shared.stopping = true;
  asio::post(threads[0]->context, [this] {
    boost::system::error_code ignored;
    acceptor->close(ignored);
  });
  for (auto& thread : threads)
    asio::post(thread->context, [&thread = *thread] {
      for (auto* connection : thread.connections) connection->let_go();
    });
  const auto until = std::chrono::steady_clock::now() + shared.config.drain_deadline;
  while (shared.stats.connections_open.load() != 0 && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  guards.clear();
  for (auto& thread : threads) thread->context.stop();
  for (auto& thread : running) thread.join();
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Server::~Server() { impl_->stop(); }

Result<std::unique_ptr<Server>> Server::listen(const ServerConfig& config, Admit admit,
                                               Refuse refuse, Answered answered) {
  auto impl = std::make_unique<Impl>();
  impl->shared.config = config;
  impl->shared.admit = std::move(admit);
  impl->shared.refuse = std::move(refuse);
  impl->shared.answered = std::move(answered);
  TRY(impl->shared.tls, make_tls(config));
  raise_descriptor_limit(config.connections_max);
  for (unsigned i = 0; i < std::max(1U, config.io_threads); ++i)
    impl->threads.push_back(std::make_unique<IoThread>());
  TRY(impl->bind());
  asio::co_spawn(impl->threads[0]->context, impl->accept_loop(), asio::detached);
  for (auto& thread : impl->threads) {
    impl->guards.push_back(asio::make_work_guard(thread->context));
    asio::co_spawn(thread->context, thread->watch(), asio::detached);
    impl->running.emplace_back([&context = thread->context] {
      run_promptly();
      context.run();
    });
  }
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

uint16_t Server::port() const { return impl_->port; }
const ServerStats& Server::stats() const { return impl_->shared.stats; }
void Server::stop() { impl_->stop(); }

}  // namespace gauger::exporters
