// JSON documents for people and scripts to compare with: one member per line at the top, small
// objects on one line below. Keys come in the order of the calls.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace gauger::load {

class JsonText {
 public:
  void begin_object() { begin('{'); }
  void begin_array() { begin('['); }
  void end_object() { end('}'); }
  void end_array() { end(']'); }

  JsonText& key(std::string_view name);
  void value(int64_t number);
  void value(std::string_view text);
  void member(std::string_view name, int64_t number) { key(name).value(number); }
  void member(std::string_view name, std::string_view text) { key(name).value(text); }

  // The document; call when every object and array is closed.
  std::string take() { return std::move(text_) + "\n"; }

 private:
  static constexpr int line_depth_max = 2;  // deeper values share a line

  void begin(char bracket);
  void end(char bracket);
  void separate();
  void quote(std::string_view text);

  std::string text_;
  int depth_ = 0;
  bool first_ = true;
  bool after_key_ = false;
};

}  // namespace gauger::load
