#include "exporters/http/connection.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <thread>

#include "exporters/http/wire.h"

namespace gauger::exporters {
namespace {

using Awaitable = asio::use_awaitable_t<IoExecutor>;
constexpr auto awaiting = asio::as_tuple(Awaitable());

// Bytes that a client may still send after it was refused, so that it gets to read why.
constexpr size_t lingering_bytes_max = 1U << 20;
constexpr std::chrono::seconds lingering_deadline{2};
constexpr size_t chunked_step_bytes = 64U << 10;
// Most requests are shorter; an idle connection keeps no more than this.
constexpr size_t first_read_bytes = 4096;
// An answer up to here travels with its head in one piece.
constexpr size_t joined_body_bytes_max = 16U << 10;
// Of requests that came together, so many are answered before others get their turn.
constexpr int requests_in_turn = 16;
constexpr std::chrono::milliseconds watch_interval{100};

// What differs between streams, by overload: GCC 12 lays out the frame of a coroutine wrongly that
// has an `if constexpr` with an await in its discarded branch.
using PlainStream = IoSocket;
using TlsStream = asio::ssl::stream<IoSocket>;

IoTask<beast::error_code> shake_hands(PlainStream&) { co_return beast::error_code(); }
IoTask<beast::error_code> shake_hands(TlsStream& stream) {
  const auto [error] = co_await stream.async_handshake(asio::ssl::stream_base::server, awaiting);
  co_return error;
}
IoTask<void> say_goodbye(PlainStream&) { co_return; }
IoTask<void> say_goodbye(TlsStream& stream) { co_await stream.async_shutdown(awaiting); }

IoSocket& socket_of(PlainStream& stream) { return stream; }
IoSocket& socket_of(TlsStream& stream) { return stream.next_layer(); }

// Bytes that go without waiting.
size_t write_now(PlainStream& stream, std::string_view bytes, beast::error_code& error) {
  if (bytes.empty()) return 0;
  const auto written = stream.write_some(asio::buffer(bytes), error);
  if (error == asio::error::would_block || error == asio::error::try_again) error = {};
  return written;
}
size_t write_now(TlsStream&, std::string_view, beast::error_code&) { return 0; }

// An answer that is being worked out. Everything but `thread` belongs to the I/O thread.
struct PendingAnswer {
  const std::thread::id thread = std::this_thread::get_id();
  bool asking = true;  // the handler has not returned yet
  std::optional<Response> response;
  std::function<void(Response)> resume;

  void deliver(Response answer) {
    if (resume)
      std::exchange(resume, nullptr)(std::move(answer));
    else
      response = std::move(answer);
  }
};

template <class Stream>
class Connection final : public OpenConnection {
 public:
  Connection(Stream stream, std::string address, ServerShared& shared, IoThread& thread)
      : stream_(std::move(stream)), address_(std::move(address)), shared_(shared), thread_(thread) {
    beast::error_code error;
    loopback_ = socket().remote_endpoint(error).address().is_loopback();
    thread_.enter(*this);
  }
  Connection(const Connection&) = delete;
  ~Connection() override {
    thread_.leave(*this);
    shared_.release(reserved_);
  }

  IoTask<void> run() {
    expire(shared_.config.header_deadline);
    const auto error = co_await shake_hands(stream_);
    if (error) co_return;
    while (co_await serve_one()) {
    }
    co_await hang_up();
  }

  void cut() override {
    if (!leaving_) ++shared_.stats.connections_cut;
    beast::error_code ignored;
    socket().close(ignored);
  }
  void let_go() override {
    beast::error_code ignored;
    if (waiting_) socket().cancel(ignored);
  }

 private:
  IoSocket& socket() { return socket_of(stream_); }
  void expire(std::chrono::milliseconds after) {
    thread_.deadlines[place] = std::chrono::steady_clock::now() + after;
  }
  void expire_never() { thread_.deadlines[place] = IoThread::Deadline::max(); }

  // One request and its answer. False: the connection ends.
  IoTask<bool> serve_one() {
    Parser parser;
    parser.header_limit(limits::http_header_bytes_max);
    parser.body_limit(boost::none);  // bounded below, by what the route allows
    beast::error_code error = co_await read_header(parser);
    if (error) {
      const auto refusal = refusal_of(error);
      if (!refusal) co_return false;
      co_return co_await refuse(*refusal);
    }
    if (const auto refusal = check_shape(parser)) co_return co_await refuse(*refusal);
    auto head = head_of(parser, address_, loopback_);
    if (const auto parsed = parse_target(parser.get().target(), head); !parsed)
      co_return co_await refuse({400, parsed.error().sentence});
    const bool head_only = head.method == Method::head;
    auto admission = shared_.admit(std::move(head));
    if (auto* response = std::get_if<Response>(&admission)) {
      // A body that was not read would be taken for the next request.
      unread_ = !parser.is_done();
      response->close = response->close || unread_;
      co_return co_await write(std::move(*response), parser.keep_alive(), head_only);
    }
    auto& admitted = std::get<Admitted>(admission);
    std::string body;
    if (!parser.is_done()) {
      const auto refusal = co_await read_body(parser, admitted.body_bytes_max, body);
      if (gone_) co_return false;
      if (refusal) co_return co_await refuse(*refusal);
    }
    expire_never();
    auto response = co_await answer(admitted, std::move(body));
    shared_.release(std::exchange(reserved_, 0));
    co_return co_await write(std::move(response), parser.keep_alive(), head_only);
  }

  // Some more bytes into the buffer.
  IoTask<beast::error_code> read_some(size_t bytes_max) {
    const auto room = std::min(bytes_max, buffer_.max_size() - buffer_.size());
    if (room == 0) co_return make_error_code(http::error::buffer_overflow);
    const auto [error, bytes] = co_await stream_.async_read_some(buffer_.prepare(room), awaiting);
    in_turn_ = 0;
    if (error) co_return error;
    buffer_.commit(bytes);
    co_return beast::error_code();
  }

  // What of the buffer the parser takes. need_more: nothing, until there is more of it.
  beast::error_code parse(Parser& parser) {
    if (buffer_.size() == 0) return make_error_code(http::error::need_more);
    beast::error_code error;
    const auto bytes = parser.put(buffer_.data(), error);
    buffer_.consume(bytes);
    if (!error && bytes == 0) return make_error_code(http::error::need_more);
    return error;
  }

  IoTask<beast::error_code> read_header(Parser& parser) {
    if (buffer_.size() == 0) {
      if (shared_.stopping.load()) co_return make_error_code(http::error::end_of_stream);
      expire(shared_.config.idle_deadline);
      waiting_ = true;
      const auto error = co_await read_some(first_read_bytes);
      waiting_ = false;
      if (error) co_return error;
    } else if (++in_turn_ > requests_in_turn) {
      in_turn_ = 0;
      co_await asio::post(thread_.context, Awaitable());
    }
    for (bool first = true;; first = false) {
      const auto error = parse(parser);
      if (parser.is_header_done() || (error && error != http::error::need_more)) co_return error;
      // The clock of the header starts with its first byte.
      if (first) expire(shared_.config.header_deadline);
      if (!error) continue;
      const auto late_error = co_await read_some(first_read_bytes);
      if (late_error) co_return late_error;
    }
  }

  IoTask<std::optional<Refusal>> read_body(Parser& parser, size_t bytes_max, std::string& body) {
    const auto length = parser.content_length();
    if (bytes_max == 0) co_return Refusal{400, "this operation takes no body"};
    if (length && *length > bytes_max) co_return Refusal{413, "the body is too large"};
    if (parser.get()[http::field::expect].size() != 0) {
      expire(shared_.config.body_deadline);
      const auto [error, bytes] = co_await asio::async_write(
          stream_, asio::buffer(std::string_view("HTTP/1.1 100 Continue\r\n\r\n")), awaiting);
      if (error) co_return lost();
    }
    parser.eager(true);
    size_t filled = 0;
    bool waited = false;
    while (!parser.is_done()) {
      if (filled == body.size()) {
        // One byte over the limit tells that a chunked body is too large.
        const auto wanted =
            length ? static_cast<size_t>(*length)
                   : std::min(bytes_max + 1, std::max(chunked_step_bytes, body.size() * 2));
        if (filled > bytes_max) co_return Refusal{413, "the body is too large"};
        if (!shared_.reserve(wanted - body.size()))
          co_return Refusal{503, "the bodies of other requests fill the memory kept for them"};
        reserved_ += wanted - body.size();
        body.resize(wanted);
      }
      auto& target = parser.get().body();
      target.data = body.data() + filled;
      target.size = body.size() - filled;
      const auto space = target.size;
      const auto error = parse(parser);
      filled += space - target.size;
      if (error == http::error::need_more) {
        if (!std::exchange(waited, true)) expire(shared_.config.body_deadline);
        const auto late_error = co_await read_some(chunked_step_bytes);
        if (late_error) co_return lost();
      } else if (error && error != http::error::need_buffer) {
        if (const auto refusal = refusal_of(error)) co_return refusal;
        co_return lost();
      }
    }
    if (filled > bytes_max) co_return Refusal{413, "the body is too large"};
    body.resize(filled);
    co_return std::nullopt;
  }

  std::optional<Refusal> lost() {
    gone_ = true;
    return std::nullopt;
  }

  // What is answered from memory is there when the handler returns; everything else comes back to
  // this thread as a turn of its loop.
  IoTask<Response> answer(Admitted& admitted, std::string body) {
    auto pending = std::make_shared<PendingAnswer>();
    admitted.answer(std::move(body), [pending, &context = thread_.context](Response response) {
      if (pending->thread == std::this_thread::get_id() && pending->asking)
        return pending->deliver(std::move(response));
      asio::post(context, [pending, response = std::move(response)]() mutable {
        pending->deliver(std::move(response));
      });
    });
    pending->asking = false;
    if (pending->response) co_return std::move(*pending->response);
    in_turn_ = 0;
    const auto initiate = [&](auto handler) {
      auto shared = std::make_shared<decltype(handler)>(std::move(handler));
      pending->resume = [shared](Response response) { (*shared)(std::move(response)); };
    };
    co_return co_await asio::async_initiate<const Awaitable, void(Response)>(initiate, Awaitable());
  }

  IoTask<bool> refuse(Refusal refusal) {
    auto response = shared_.refuse(refusal.status, refusal.sentence);
    response.close = true;
    unread_ = true;
    co_return co_await write(std::move(response), false, false);
  }

  IoTask<bool> write(Response response, bool keep_alive, bool head_only) {
    shared_.answered(response.status);
    const bool ends = response.close || !keep_alive || shared_.stopping.load();
    auto text = head_text(response, ends);
    if (head_only) response.body.clear();
    if (response.body.size() <= joined_body_bytes_max) {
      text += response.body;
      response.body.clear();
    }
    bool written = co_await write_all(text);
    if (written) written = co_await write_all(response.body);
    co_return written && !ends;
  }

  IoTask<bool> write_all(std::string_view bytes) {
    beast::error_code error;
    bytes.remove_prefix(write_now(stream_, bytes, error));
    if (!error && !bytes.empty()) {
      expire(shared_.config.write_deadline);
      const auto [late_error, written] =
          co_await asio::async_write(stream_, asio::buffer(bytes), awaiting);
      in_turn_ = 0;
      error = late_error;
    }
    co_return !error;
  }

  // Says goodbye. Where a request was not read to its end it reads on for a moment: a client that
  // is still sending would otherwise get a reset and lose the answer.
  IoTask<void> hang_up() {
    beast::error_code ignored;
    if (!socket().is_open()) co_return;
    leaving_ = true;
    expire(lingering_deadline);
    co_await say_goodbye(stream_);
    if (!socket().is_open()) co_return;
    socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    if (!unread_) co_return;
    std::array<char, 16'384> sink{};
    size_t left = lingering_bytes_max;
    while (left != 0) {
      const auto [error, bytes] = co_await socket().async_read_some(asio::buffer(sink), awaiting);
      if (error) break;
      left -= std::min(left, bytes);
    }
  }

  Stream stream_;
  const std::string address_;
  ServerShared& shared_;
  IoThread& thread_;
  beast::flat_buffer buffer_{limits::http_header_bytes_max + chunked_step_bytes};
  int in_turn_ = 0;
  bool waiting_ = false;  // between two requests
  bool leaving_ = false;
  bool loopback_ = false;
  bool gone_ = false;
  bool unread_ = false;
  size_t reserved_ = 0;
};

}  // namespace

void IoThread::enter(OpenConnection& connection) {
  connection.place = connections.size();
  connections.push_back(&connection);
  deadlines.push_back(Deadline::max());
}

void IoThread::leave(OpenConnection& connection) {
  // The last one takes its place.
  connections.back()->place = connection.place;
  connections[connection.place] = connections.back();
  deadlines[connection.place] = deadlines.back();
  connections.pop_back();
  deadlines.pop_back();
}

IoTask<void> IoThread::watch() {
  asio::steady_timer timer(context);
  for (;;) {
    timer.expires_after(watch_interval);
    const auto [error] = co_await timer.async_wait(asio::as_tuple(Awaitable()));
    if (error) co_return;
    const auto now = std::chrono::steady_clock::now();
    for (size_t i = 0; i < deadlines.size(); ++i) {
      if (deadlines[i] > now) continue;
      deadlines[i] = Deadline::max();
      connections[i]->cut();
    }
  }
}

bool ServerShared::enter(const std::string& address) {
  const std::lock_guard guard(mutex);
  auto& count = by_address[address];
  if (stats.connections_open.load() >= config.connections_max ||
      count >= config.connections_per_address_max) {
    if (count == 0) by_address.erase(address);
    ++stats.connections_refused;
    return false;
  }
  ++count;
  ++stats.connections_open;
  ++stats.connections_accepted;
  return true;
}

void ServerShared::leave(const std::string& address) {
  const std::lock_guard guard(mutex);
  const auto found = by_address.find(address);
  if (--found->second == 0) by_address.erase(found);
  --stats.connections_open;
}

bool ServerShared::reserve(size_t bytes) {
  if (stats.body_bytes.fetch_add(bytes) + bytes <= config.bodies_bytes_max) return true;
  stats.body_bytes -= bytes;
  return false;
}

IoTask<void> run_connection(IoSocket socket, std::string address, ServerShared& shared,
                            IoThread& thread) {
  beast::error_code ignored;
  socket.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket.non_blocking(true, ignored);
  if (shared.tls) {
    Connection<TlsStream> connection(TlsStream(std::move(socket), *shared.tls), address, shared,
                                     thread);
    co_await connection.run();
  } else {
    Connection<PlainStream> connection(std::move(socket), address, shared, thread);
    co_await connection.run();
  }
}

}  // namespace gauger::exporters
