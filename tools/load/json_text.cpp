#include "tools/load/json_text.h"

namespace gauger::load {

void JsonText::separate() {
  if (after_key_) {
    after_key_ = false;
    return;
  }
  if (!first_) text_ += ',';
  if (depth_ > 0 && depth_ <= line_depth_max)
    text_ += "\n" + std::string(static_cast<size_t>(depth_) * 2, ' ');
  else if (!first_)
    text_ += ' ';
  first_ = false;
}

void JsonText::begin(char bracket) {
  separate();
  text_ += bracket;
  ++depth_;
  first_ = true;
}

void JsonText::end(char bracket) {
  --depth_;
  if (!first_ && depth_ < line_depth_max)
    text_ += "\n" + std::string(static_cast<size_t>(depth_) * 2, ' ');
  text_ += bracket;
  first_ = false;
}

JsonText& JsonText::key(std::string_view name) {
  separate();
  quote(name);
  text_ += ": ";
  after_key_ = true;
  return *this;
}

void JsonText::value(int64_t number) {
  separate();
  text_ += std::to_string(number);
}

void JsonText::value(std::string_view text) {
  separate();
  quote(text);
}

void JsonText::quote(std::string_view text) {
  static constexpr std::string_view hex = "0123456789abcdef";
  text_ += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20) {
      text_ += "\\u00";
      text_ += hex[byte >> 4];
      text_ += hex[byte & 15];
      continue;
    }
    if (c == '"' || c == '\\') text_ += '\\';
    text_ += c;
  }
  text_ += '"';
}

}  // namespace gauger::load
