#include "exporters/http/client.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>

#include "schemas/service_limits.h"

namespace gauger::exporters {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;

// A month of a large company takes seconds to rate.
constexpr std::chrono::seconds answer_deadline{120};
constexpr uint64_t answer_bytes_max = 1U << 30;

struct Url {
  bool tls = false;
  std::string host;
  std::string port;
  std::string host_header;
};

Result<Url> parse_url(const std::string& text) {
  Url url;
  std::string_view rest = text;
  if (rest.starts_with("https://")) {
    url.tls = true;
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else {
    return invalid_argument("a server is http://HOST:PORT or https://HOST:PORT, not '" + text +
                            "'");
  }
  while (rest.ends_with('/')) rest.remove_suffix(1);
  url.host_header = rest;
  const auto bracket = rest.find(']');
  const auto colon = rest.find(':', bracket == std::string_view::npos ? 0 : bracket);
  url.host = rest.substr(0, colon);
  url.port = colon == std::string_view::npos ? (url.tls ? "443" : "80")
                                             : std::string(rest.substr(colon + 1));
  if (url.host.starts_with('[') && url.host.ends_with(']'))
    url.host = url.host.substr(1, url.host.size() - 2);
  if (url.host.empty() || rest.find('/') != std::string_view::npos)
    return invalid_argument("a server is http://HOST:PORT or https://HOST:PORT, not '" + text +
                            "'");
  return url;
}

template <class Stream>
Response exchange(Stream& stream, const Url& url, const ServerAddress& server,
                  const ClientRequest& request) {
  http::request<http::string_body> message;
  message.version(11);
  message.method_string(to_string(request.method));
  message.target(request.target);
  message.set(http::field::host, url.host_header);
  message.set(http::field::accept, request.accept);
  message.set(http::field::user_agent, "gauger");
  message.set(http::field::connection, "close");
  if (!server.token.empty()) message.set(http::field::authorization, "Bearer " + server.token);
  if (!request.content_type.empty()) message.set(http::field::content_type, request.content_type);
  message.body() = request.body;
  message.prepare_payload();
  http::write(stream, message);
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(answer_bytes_max);
  http::read(stream, buffer, parser);
  Response response;
  response.status = parser.get().result_int();
  response.content_type = std::string(parser.get()[http::field::content_type]);
  response.body = std::move(parser.get().body());
  return response;
}

void verify_peer(asio::ssl::context& context, const ServerAddress& server) {
  context.set_verify_mode(asio::ssl::verify_peer);
  if (server.ca_certificate.empty())
    context.set_default_verify_paths();
  else
    context.load_verify_file(server.ca_certificate);
}

Response connect_and_ask(const Url& url, const ServerAddress& server,
                         const ClientRequest& request) {
  asio::io_context io;
  tcp::resolver resolver(io);
  const auto endpoints = resolver.resolve(url.host, url.port);
  if (!url.tls) {
    beast::tcp_stream stream(io);
    stream.expires_after(answer_deadline);
    stream.connect(endpoints);
    return exchange(stream, url, server, request);
  }
  asio::ssl::context context(asio::ssl::context::tls_client);
  verify_peer(context, server);
  beast::ssl_stream<beast::tcp_stream> stream(io, context);
  // What SSL_set_tlsext_host_name does; the macro casts in the old style.
  auto host = url.host;
  SSL_ctrl(stream.native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
           host.data());
  stream.set_verify_callback(asio::ssl::host_name_verification(url.host));
  beast::get_lowest_layer(stream).expires_after(answer_deadline);
  beast::get_lowest_layer(stream).connect(endpoints);
  stream.handshake(asio::ssl::stream_base::client);
  return exchange(stream, url, server, request);
}

}  // namespace

Result<Response> ask_server(const ServerAddress& server, const ClientRequest& request) {
  TRY(const auto url, parse_url(server.url));
  try {
    return connect_and_ask(url, server, request);
  } catch (const std::exception& error) {
    return Error{ErrorCode::unavailable, server.url + " does not answer: " + error.what()};
  }
}

}  // namespace gauger::exporters
