#include "exporters/http/wire.h"

#include <ctime>

#include "schemas/service_limits.h"

namespace gauger::exporters {
namespace {

// Enough for most answers from memory, their body included.
constexpr size_t head_bytes = 1024;

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

// Of the fields that may come once, which one; none of them: -1.
int single_field(const http::fields::value_type& field) {
  switch (field.name()) {
    case http::field::host: return 0;
    case http::field::content_length: return 1;
    case http::field::transfer_encoding: return 2;
    case http::field::authorization: return 3;
    case http::field::content_type: return 4;
    case http::field::content_encoding: return 5;
    case http::field::if_none_match: return 6;
    case http::field::if_match: return 7;
    case http::field::expect: return 8;
    case http::field::accept: return 9;
    case http::field::unknown:
      return beast::iequals(field.name_string(), "idempotency-key") ? 10 : -1;
    default: return -1;
  }
}

}  // namespace

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

std::optional<Refusal> check_shape(const Parser& parser) {
  const auto& message = parser.get();
  if (message.version() != 11 && message.version() != 10)
    return Refusal{505, "only HTTP/1.1 and HTTP/1.0"};
  size_t headers = 0;
  unsigned seen = 0;
  for (const auto& field : message) {
    if (++headers > limits::http_headers_max) return Refusal{431, "more than 64 header fields"};
    // Obsolete line folding reaches us unfolded; everything else that is not text is refused.
    for (const char c : field.value())
      if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F)
        return Refusal{400, "a header field holds a control character"};
    const auto single = single_field(field);
    if (single < 0) continue;
    if ((seen >> single & 1U) != 0)
      return Refusal{400, "a header field that may come once came twice"};
    seen |= 1U << single;
  }
  const auto has = [&](http::field name) { return message.find(name) != message.end(); };
  if (message.version() == 11 && !has(http::field::host))
    return Refusal{400, "the Host header is missing"};
  if (has(http::field::transfer_encoding) &&
      (message.version() == 10 ||
       !beast::iequals(message[http::field::transfer_encoding], "chunked")))
    return Refusal{message.version() == 10 ? 400U : 501U,
                   "the only transfer coding is chunked, in HTTP/1.1"};
  if (has(http::field::expect) && !beast::iequals(message[http::field::expect], "100-continue"))
    return Refusal{417, "the only expectation is 100-continue"};
  return std::nullopt;
}

RequestHead head_of(const Parser& parser, const std::string& address, bool loopback) {
  const auto& message = parser.get();
  RequestHead head;
  head.method = method_of(message.method());
  head.peer = address;
  head.peer_is_loopback = loopback;
  head.headers.reserve(16);
  for (const auto& field : message)
    head.headers.emplace_back(lower(field.name_string()), std::string(field.value()));
  return head;
}

std::string head_text(const Response& response, bool ends) {
  const auto status = http::int_to_status(response.status);
  std::string text;
  text.reserve(head_bytes);
  const auto put = [&](std::string_view name, std::string_view value) {
    text.append(name).append(": ").append(value).append("\r\n");
  };
  text.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ");
  text.append(http::obsolete_reason(status)).append("\r\n");
  put("Date", http_date());
  if (!response.content_type.empty()) put("Content-Type", response.content_type);
  put("X-Content-Type-Options", "nosniff");
  bool cached = false;
  for (const auto& [name, value] : response.headers) {
    put(name, value);
    cached = cached || name == "Cache-Control";
  }
  if (!cached) put("Cache-Control", "no-store");
  if (ends) put("Connection", "close");
  if (response.status != 304 && response.status != 204)
    put("Content-Length", std::to_string(response.body.size()));
  text.append("\r\n");
  return text;
}

}  // namespace gauger::exporters
