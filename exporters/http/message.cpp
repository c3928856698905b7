#include "exporters/http/message.h"

#include <simdjson.h>

#include <algorithm>

#include "schemas/service_limits.h"

namespace gauger::exporters {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

Result<void> check_path(std::string_view path) {
  for (size_t begin = 1; begin <= path.size();) {
    const auto end = std::min(path.find('/', begin), path.size());
    const auto segment = path.substr(begin, end - begin);
    if (segment == "." || segment == ".." || (segment.empty() && path.size() > 1))
      return invalid_argument("the path has an empty, '.' or '..' segment");
    begin = end + 1;
  }
  return success();
}

}  // namespace

std::string_view RequestHead::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (key == name) return value;
  return {};
}

Result<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0) return invalid_argument("a %-escape is not followed by two digits");
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (c == '+' && plus_is_space) {
      c = ' ';
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
      return invalid_argument("the target holds a control character");
    decoded += c;
  }
  if (!simdjson::validate_utf8(decoded)) return invalid_argument("the target is not UTF-8");
  return decoded;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    if (is_unreserved(c)) {
      encoded += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      encoded += '%';
      encoded += digits[byte >> 4];
      encoded += digits[byte & 15];
    }
  }
  return encoded;
}

Result<void> parse_target(std::string_view target, RequestHead& head) {
  if (target.empty() || target.front() != '/' || target.find('#') != std::string_view::npos)
    return invalid_argument("the request target is not a path");
  head.target = target;
  const auto question = target.find('?');
  const auto raw_path = target.substr(0, question);
  TRY(check_path(raw_path));
  // An escaped slash would be a segment to the router and a path to whoever reads the log.
  head.path.clear();
  const bool plain = std::all_of(raw_path.begin(), raw_path.end(),
                                 [](char c) { return is_unreserved(c) || c == '/'; });
  if (plain) head.path = raw_path;
  for (size_t begin = plain ? raw_path.size() : 0; begin < raw_path.size();) {
    const auto end = std::min(raw_path.find('/', begin + 1), raw_path.size());
    TRY(const auto segment, percent_decode(raw_path.substr(begin + 1, end - begin - 1), false));
    if (segment.find('/') != std::string::npos || segment == "." || segment == "..")
      return invalid_argument("the path has a segment that is another path");
    head.path += '/' + segment;
    begin = end;
  }
  head.query.clear();
  if (question == std::string_view::npos) return success();
  const auto raw_query = target.substr(question + 1);
  for (size_t begin = 0; begin < raw_query.size();) {
    const auto end = std::min(raw_query.find('&', begin), raw_query.size());
    const auto pair = raw_query.substr(begin, end - begin);
    begin = end + 1;
    if (pair.empty()) continue;
    const auto equals = std::min(pair.find('='), pair.size());
    TRY(auto name, percent_decode(pair.substr(0, equals), true));
    TRY(auto value, percent_decode(pair.substr(std::min(equals + 1, pair.size())), true));
    for (const auto& [known, other] : head.query)
      if (known == name) return invalid_argument("the query names '" + name + "' twice");
    head.query.emplace_back(std::move(name), std::move(value));
    if (head.query.size() > limits::http_query_parameters_max)
      return invalid_argument("the query has more than 32 parameters");
  }
  return success();
}

}  // namespace gauger::exporters
