#include "exporters/http/connection.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <ctime>
#include <optional>

namespace gauger::exporters {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using Parser = http::request_parser<http::buffer_body>;
constexpr auto awaiting = asio::as_tuple(asio::use_awaitable);

// Bytes that a client may still send after it was refused, so that it gets to read why.
constexpr size_t lingering_bytes_max = 1U << 20;
constexpr std::chrono::seconds lingering_deadline{2};
constexpr size_t chunked_step_bytes = 64U << 10;
// Most requests are shorter; an idle connection keeps no more than this.
constexpr size_t first_read_bytes = 4096;

Method method_of(http::verb verb) {
  switch (verb) {
    case http::verb::get: return Method::get;
    case http::verb::head: return Method::head;
    case http::verb::post: return Method::post;
    case http::verb::put: return Method::put;
    case http::verb::delete_: return Method::delete_;
    default: return Method::other;
  }
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (auto& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

std::string http_date() {
  static thread_local std::time_t at = 0;
  static thread_local std::string text;
  const auto now = std::time(nullptr);
  if (now != at) {
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    std::array<char, 40> buffer{};
    const auto bytes =
        std::strftime(buffer.data(), buffer.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    text.assign(buffer.data(), bytes);
    at = now;
  }
  return text;
}

// A refusal by the transport: status and sentence.
struct Refusal {
  unsigned status = 0;
  std::string_view sentence;
};

std::optional<Refusal> refusal_of(const beast::error_code& error) {
  if (error.category() != make_error_code(http::error::bad_method).category()) return std::nullopt;
  if (error == http::error::end_of_stream || error == http::error::partial_message)
    return std::nullopt;
  if (error == http::error::header_limit)
    return Refusal{431, "the header section is larger than 16 KiB"};
  if (error == http::error::body_limit) return Refusal{413, "the body is too large"};
  if (error == http::error::bad_version) return Refusal{505, "only HTTP/1.1 and HTTP/1.0"};
  return Refusal{400, "this is not a well-formed HTTP/1.1 request"};
}

// Requests whose length or meaning two parsers could see differently.
std::optional<Refusal> check_shape(const Parser& parser) {
  const auto& message = parser.get();
  if (message.version() != 11 && message.version() != 10)
    return Refusal{505, "only HTTP/1.1 and HTTP/1.0"};
  size_t headers = 0;
  for (const auto& field : message) {
    if (++headers > limits::http_headers_max) return Refusal{431, "more than 64 header fields"};
    // Obsolete line folding reaches us unfolded; everything else that is not text is refused.
    for (const char c : field.value())
      if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F)
        return Refusal{400, "a header field holds a control character"};
  }
  for (const auto* name :
       {"host", "content-length", "transfer-encoding", "authorization", "content-type",
        "content-encoding", "idempotency-key", "if-none-match", "if-match", "expect", "accept"})
    if (message.count(name) > 1)
      return Refusal{400, "a header field that may come once came twice"};
  if (message.version() == 11 && message.count(http::field::host) != 1)
    return Refusal{400, "the Host header is missing"};
  const auto coding = message[http::field::transfer_encoding];
  if (message.count(http::field::transfer_encoding) != 0 &&
      (message.version() == 10 || !beast::iequals(coding, "chunked")))
    return Refusal{message.version() == 10 ? 400U : 501U,
                   "the only transfer coding is chunked, in HTTP/1.1"};
  if (message.count(http::field::expect) != 0 &&
      !beast::iequals(message[http::field::expect], "100-continue"))
    return Refusal{417, "the only expectation is 100-continue"};
  return std::nullopt;
}

RequestHead head_of(const Parser& parser, const std::string& address, bool loopback) {
  const auto& message = parser.get();
  RequestHead head;
  head.method = method_of(message.method());
  head.peer = address;
  head.peer_is_loopback = loopback;
  for (const auto& field : message)
    head.headers.emplace_back(lower(field.name_string()), std::string(field.value()));
  return head;
}

// Beginning and end of a stream, by overload: GCC 12 lays out the frame of a coroutine wrongly
// that has an `if constexpr` with an await in its discarded branch.
using PlainStream = beast::tcp_stream;
using TlsStream = beast::ssl_stream<beast::tcp_stream>;

asio::awaitable<beast::error_code> shake_hands(PlainStream&) { co_return beast::error_code(); }
asio::awaitable<beast::error_code> shake_hands(TlsStream& stream) {
  const auto [error] = co_await stream.async_handshake(asio::ssl::stream_base::server, awaiting);
  co_return error;
}
asio::awaitable<void> say_goodbye(PlainStream&) { co_return; }
asio::awaitable<void> say_goodbye(TlsStream& stream) { co_await stream.async_shutdown(awaiting); }

template <class Stream>
class Connection : OpenConnection {
 public:
  Connection(Stream stream, std::string address, ServerShared& shared, IoThread& thread)
      : stream_(std::move(stream)), address_(std::move(address)), shared_(shared), thread_(thread) {
    close = [this] { beast::get_lowest_layer(stream_).cancel(); };
    beast::error_code error;
    loopback_ = socket().remote_endpoint(error).address().is_loopback();
    thread_.connections.insert(this);
  }
  Connection(const Connection&) = delete;
  ~Connection() {
    thread_.connections.erase(this);
    shared_.release(reserved_);
  }

  asio::awaitable<void> run() {
    expire(shared_.config.header_deadline);
    const auto error = co_await shake_hands(stream_);
    if (error) co_return note_cut(error);
    while (co_await serve_one()) {
    }
    co_await hang_up();
  }

 private:
  auto& socket() { return beast::get_lowest_layer(stream_).socket(); }
  void expire(std::chrono::milliseconds after) {
    beast::get_lowest_layer(stream_).expires_after(after);
  }
  void note_cut(const beast::error_code& error) {
    if (error == beast::error::timeout) ++shared_.stats.connections_cut;
  }

  // One request and its answer. False: the connection ends.
  asio::awaitable<bool> serve_one() {
    Parser parser;
    parser.header_limit(limits::http_header_bytes_max);
    parser.body_limit(boost::none);  // bounded below, by what the route allows
    beast::error_code error = co_await read_header(parser);
    if (error) {
      note_cut(error);
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
    beast::get_lowest_layer(stream_).expires_never();
    auto response = co_await answer(admitted, std::move(body));
    shared_.release(std::exchange(reserved_, 0));
    co_return co_await write(std::move(response), parser.keep_alive(), head_only);
  }

  asio::awaitable<beast::error_code> read_header(Parser& parser) {
    // The clock of the header starts with its first byte.
    waiting = buffer_.size() == 0;
    if (waiting) {
      if (shared_.stopping.load()) co_return make_error_code(http::error::end_of_stream);
      expire(shared_.config.idle_deadline);
      const auto [error, bytes] =
          co_await stream_.async_read_some(buffer_.prepare(first_read_bytes), awaiting);
      waiting = false;
      if (error == asio::error::eof) co_return make_error_code(http::error::end_of_stream);
      if (error) co_return error;
      buffer_.commit(bytes);
    }
    expire(shared_.config.header_deadline);
    const auto [error, bytes] =
        co_await http::async_read_header(stream_, buffer_, parser, awaiting);
    co_return error;
  }

  asio::awaitable<std::optional<Refusal>> read_body(Parser& parser, size_t bytes_max,
                                                    std::string& body) {
    const auto length = parser.content_length();
    if (bytes_max == 0) co_return Refusal{400, "this operation takes no body"};
    if (length && *length > bytes_max) co_return Refusal{413, "the body is too large"};
    expire(shared_.config.body_deadline);
    if (parser.get()[http::field::expect].size() != 0) {
      const auto [error, bytes] = co_await asio::async_write(
          stream_, asio::buffer(std::string_view("HTTP/1.1 100 Continue\r\n\r\n")), awaiting);
      if (error) co_return lost(error);
    }
    size_t filled = 0;
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
      const auto [error, bytes] = co_await http::async_read(stream_, buffer_, parser, awaiting);
      filled += space - target.size;
      if (error && error != http::error::need_buffer) {
        if (const auto refusal = refusal_of(error)) co_return refusal;
        co_return lost(error);
      }
    }
    if (filled > bytes_max) co_return Refusal{413, "the body is too large"};
    body.resize(filled);
    co_return std::nullopt;
  }

  std::optional<Refusal> lost(const beast::error_code& error) {
    note_cut(error);
    gone_ = true;
    return std::nullopt;
  }

  asio::awaitable<Response> answer(Admitted& admitted, std::string body) {
    const auto initiate = [&](auto handler) {
      auto shared = std::make_shared<decltype(handler)>(std::move(handler));
      admitted.answer(std::move(body), [shared, &context = thread_.context](Response response) {
        asio::post(context, [shared, response = std::move(response)]() mutable {
          (*shared)(std::move(response));
        });
      });
    };
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(Response)>(
        initiate, asio::use_awaitable);
  }

  asio::awaitable<bool> refuse(Refusal refusal) {
    auto response = shared_.refuse(refusal.status, refusal.sentence);
    response.close = true;
    unread_ = true;
    co_return co_await write(std::move(response), false, false);
  }

  asio::awaitable<bool> write(Response response, bool keep_alive, bool head_only) {
    shared_.answered(response.status);
    const bool ends = response.close || !keep_alive || shared_.stopping.load();
    http::response<http::string_body> message;
    message.version(11);
    message.result(response.status);
    message.set(http::field::date, http_date());
    if (!response.content_type.empty())
      message.set(http::field::content_type, response.content_type);
    message.set("X-Content-Type-Options", "nosniff");
    bool cached = false;
    for (const auto& [name, value] : response.headers) {
      message.set(name, value);
      cached = cached || name == "Cache-Control";
    }
    if (!cached) message.set(http::field::cache_control, "no-store");
    if (ends) message.set(http::field::connection, "close");
    const auto length = response.body.size();
    if (response.status != 304 && response.status != 204) message.content_length(length);
    if (!head_only) message.body() = std::move(response.body);
    expire(shared_.config.write_deadline);
    http::response_serializer<http::string_body> serializer(message);
    const auto [error, bytes] = co_await http::async_write(stream_, serializer, awaiting);
    if (error) note_cut(error);
    co_return !error && !ends;
  }

  // Says goodbye. Where a request was not read to its end it reads on for a moment: a client that
  // is still sending would otherwise get a reset and lose the answer.
  asio::awaitable<void> hang_up() {
    beast::error_code ignored;
    if (!socket().is_open()) co_return;
    expire(lingering_deadline);
    co_await say_goodbye(stream_);
    if (!socket().is_open()) co_return;
    socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    if (!unread_) co_return;
    std::array<char, 16'384> sink{};
    size_t left = lingering_bytes_max;
    while (left != 0) {
      const auto [error, bytes] =
          co_await beast::get_lowest_layer(stream_).async_read_some(asio::buffer(sink), awaiting);
      if (error) break;
      left -= std::min(left, bytes);
    }
  }

  Stream stream_;
  const std::string address_;
  ServerShared& shared_;
  IoThread& thread_;
  beast::flat_buffer buffer_{limits::http_header_bytes_max + chunked_step_bytes};
  bool loopback_ = false;
  bool gone_ = false;
  bool unread_ = false;
  size_t reserved_ = 0;
};

}  // namespace

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

asio::awaitable<void> run_connection(asio::ip::tcp::socket socket, std::string address,
                                     ServerShared& shared, IoThread& thread) {
  beast::error_code ignored;
  socket.set_option(asio::ip::tcp::no_delay(true), ignored);
  beast::tcp_stream plain(std::move(socket));
  if (shared.tls) {
    Connection<TlsStream> connection(TlsStream(std::move(plain), *shared.tls), address, shared,
                                     thread);
    co_await connection.run();
  } else {
    Connection<PlainStream> connection(std::move(plain), address, shared, thread);
    co_await connection.run();
  }
}

}  // namespace gauger::exporters
