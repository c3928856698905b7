#include "ingest/framing.h"

#include <algorithm>
#include <cstring>

#include "ingest/varint.h"

namespace gauger::ingest {
namespace {

using limits::record_bytes_max;

constexpr std::string_view blanks = " \t\r\n";
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

size_t find(std::string_view input, char c) {
  const auto* at = static_cast<const char*>(std::memchr(input.data(), c, input.size()));
  return at == nullptr ? std::string_view::npos : static_cast<size_t>(at - input.data());
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(blanks) == std::string_view::npos;
}

void consume_all(std::string_view& input) { input.remove_prefix(input.size()); }

// A whole record, unless it is too large: then one byte over the limit of it.
Frame whole(std::string_view bytes) {
  if (bytes.size() <= record_bytes_max) return {bytes, RejectReason::none};
  return {bytes.substr(0, record_bytes_max + 1), RejectReason::record_too_large};
}

std::string_view without_carriage_return(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

std::string_view defect_sentence(RejectReason defect) {
  if (defect == RejectReason::record_too_large) return "more than 1048576 bytes in one record";
  return "the input ends, or its framing is lost, within this record";
}
static_assert(record_bytes_max == 1'048'576, "the sentence above names it");

bool Framer::take(std::string_view& input, bool last, Frame& frame) {
  if (!skip_byte_order_mark(input, last)) return false;
  switch (framing_) {
    case Framing::lines: return take_line(input, last, frame);
    case Framing::delimited: return take_delimited(input, last, frame);
    case Framing::json_values:
    case Framing::json_documents: return take_json_value(input, last, frame);
    case Framing::csv: return take_csv_row(input, last, frame);
  }
  return false;
}

size_t Framer::take_plain(std::string_view& input, std::span<std::string_view> frames) {
  if (framing_ == Framing::delimited && !lost_ && skip_bytes_ == 0)
    return take_plain_delimited(input, frames);
  if (framing_ == Framing::lines && !at_start_ && !skipping_)
    return take_plain_lines(input, frames);
  return 0;
}

// Lengths of one byte or two, and all of the record.
size_t Framer::take_plain_delimited(std::string_view& input, std::span<std::string_view> frames) {
  const auto* at = input.data();
  const auto* const end = at + input.size();
  size_t count = 0;
  for (; count < frames.size() && end - at > 2; ++count) {
    const auto first = static_cast<uint8_t>(at[0]);
    const auto second = static_cast<uint8_t>(at[1]);
    const bool is_short = first < 0x80;
    if (!is_short && (second == 0 || second >= 0x80)) break;
    const auto size = is_short ? size_t{first} : (first & size_t{0x7F}) | size_t{second} << 7U;
    const auto* const begin = at + (is_short ? 1 : 2);
    if (size > static_cast<size_t>(end - begin)) break;
    frames[count] = {begin, size};
    at = begin + size;
  }
  input.remove_prefix(static_cast<size_t>(at - input.data()));
  return count;
}

// Lines that begin with something, and have their end.
size_t Framer::take_plain_lines(std::string_view& input, std::span<std::string_view> frames) {
  size_t count = 0;
  for (; count < frames.size() && !input.empty(); ++count) {
    if (static_cast<uint8_t>(input[0]) <= ' ') break;
    const auto size = find(input, '\n');
    if (size == std::string_view::npos || size > plain_bytes_max) break;
    frames[count] = without_carriage_return(input.substr(0, size));
    input.remove_prefix(size + 1);
  }
  return count;
}

// False: too few bytes to tell.
bool Framer::skip_byte_order_mark(std::string_view& input, bool last) {
  if (!at_start_ || framing_ == Framing::delimited) return true;
  const auto size = std::min(input.size(), byte_order_mark.size());
  if (input.substr(0, size) == byte_order_mark.substr(0, size)) {
    if (size < byte_order_mark.size() && !last) return false;
    if (size == byte_order_mark.size()) input.remove_prefix(size);
  }
  at_start_ = false;
  return true;
}

// True once the end of the line that is being skipped was found.
bool Framer::skip_line(std::string_view& input) {
  const auto end = find(input, '\n');
  if (end == std::string_view::npos) {
    consume_all(input);
    return false;
  }
  input.remove_prefix(end + 1);
  skipping_ = false;
  return true;
}

bool Framer::take_line(std::string_view& input, bool last, Frame& frame) {
  if (skipping_ && !skip_line(input)) return false;
  while (!input.empty()) {
    const auto end = find(input, '\n');
    if (end == std::string_view::npos && input.size() > record_bytes_max + 1) {
      frame = whole(input);
      skipping_ = true;
      consume_all(input);
      return true;
    }
    if (end == std::string_view::npos && !last) return false;
    const auto line = without_carriage_return(input.substr(0, end));
    input.remove_prefix(end == std::string_view::npos ? input.size() : end + 1);
    if (is_blank(line)) continue;
    frame = whole(line);
    return true;
  }
  return false;
}

bool Framer::take_delimited(std::string_view& input, bool last, Frame& frame) {
  const auto skipped = std::min<uint64_t>(skip_bytes_, input.size());
  input.remove_prefix(skipped);
  skip_bytes_ -= skipped;
  if (lost_) consume_all(input);
  if (input.empty()) return false;

  auto rest = input;
  uint64_t size = 0;
  constexpr size_t prefix_bytes_max = 10;
  if (!take_varint(rest, size)) {
    if (input.size() < prefix_bytes_max && !last) return false;
    // Not a length, and so nothing after it can be found.
    lost_ = true;
    frame = {input.substr(0, record_bytes_max), RejectReason::undecodable};
    consume_all(input);
    return true;
  }
  const auto wanted = std::min<uint64_t>(size, record_bytes_max + 1);
  if (rest.size() < wanted && !last) return false;
  if (rest.size() < wanted) {
    frame = {rest, RejectReason::undecodable};
    consume_all(input);
    return true;
  }
  frame = whole(rest.substr(0, wanted));
  rest.remove_prefix(wanted);
  skip_bytes_ = size - wanted;
  input = rest;
  return true;
}

// --- JSON values ----------------------------------------------------------------------------

namespace {

// Advances over one character of a value; true where the value ends with it.
template <class Scan>
bool ends_value(Scan& scan, char c) {
  if (scan.in_string) {
    if (scan.escaped)
      scan.escaped = false;
    else if (c == '\\')
      scan.escaped = true;
    else if (c == '"')
      scan.in_string = false;
    return false;
  }
  if (c == '"') {
    scan.in_string = true;
  } else if (c == '{' || c == '[') {
    ++scan.depth;
  } else if (c == '}' || c == ']') {
    return --scan.depth == 0;
  }
  return false;
}

}  // namespace

bool Framer::skip_json_value(std::string_view& input) {
  for (size_t i = 0; i < input.size(); ++i) {
    if (!ends_value(scan_, input[i])) continue;
    input.remove_prefix(i + 1);
    skipping_ = false;
    return true;
  }
  consume_all(input);
  return false;
}

// Passes over white space and the punctuation of a top-level array. False: the input ends here;
// `found` where that is a defect to be answered.
bool Framer::skip_between_json_values(std::string_view& input, bool last, Frame& frame,
                                      bool& found) {
  found = false;
  while (!input.empty()) {
    const auto c = input[0];
    const auto opens = c == '[' && framing_ == Framing::json_values;
    const auto is_punctuation = in_array_ ? c == ',' || c == ']' : opens;
    if (!is_punctuation && blanks.find(c) == std::string_view::npos) return true;
    if (c == '[') in_array_ = true;
    if (c == ']') in_array_ = false;
    input.remove_prefix(1);
  }
  if (last && in_array_) {
    in_array_ = false;
    frame = {input, RejectReason::undecodable};
    found = true;
  }
  return false;
}

// Something that is neither object nor array: up to where a value could begin again.
bool Framer::take_json_token(std::string_view& input, bool last, Frame& frame) {
  const auto end = input.find_first_of(in_array_ ? " \t\r\n,]" : " \t\r\n", 1);
  if (end == std::string_view::npos && !last && input.size() <= record_bytes_max) return false;
  const auto token = input.substr(0, end);
  frame = whole(token);
  input.remove_prefix(token.size());
  return true;
}

bool Framer::take_json_value(std::string_view& input, bool last, Frame& frame) {
  if (skipping_ && !skip_json_value(input)) return false;
  bool found = false;
  if (!skip_between_json_values(input, last, frame, found)) return found;
  if (input[0] != '{' && input[0] != '[') return take_json_token(input, last, frame);
  Scan scan;
  for (size_t i = 0; i < input.size(); ++i) {
    if (!ends_value(scan, input[i])) continue;
    frame = whole(input.substr(0, i + 1));
    input.remove_prefix(i + 1);
    return true;
  }
  if (input.size() > record_bytes_max) {
    frame = whole(input);
    skipping_ = true;
    scan_ = scan;
    consume_all(input);
    return true;
  }
  if (!last) return false;
  in_array_ = false;
  frame = {input, RejectReason::undecodable};
  consume_all(input);
  return true;
}

// --- CSV ------------------------------------------------------------------------------------

bool Framer::take_csv_row(std::string_view& input, bool last, Frame& frame) {
  if (skipping_ && !skip_line(input)) return false;
  while (!input.empty()) {
    const auto scanned = std::min(input.size(), record_bytes_max + 2);
    bool quoted = false;
    size_t end = 0;
    for (; end < scanned && (quoted || input[end] != '\n'); ++end) quoted ^= input[end] == '"';
    if (end == record_bytes_max + 2) {
      // A quote that never ends must not swallow the file: rows go on at the next line.
      frame = whole(input.substr(0, end));
      input.remove_prefix(end);
      skipping_ = true;
      return true;
    }
    const auto is_cut = end == input.size();
    if (is_cut && !last) return false;
    const auto row = without_carriage_return(input.substr(0, end));
    input.remove_prefix(is_cut ? end : end + 1);
    if (is_blank(row)) continue;
    frame = quoted ? Frame{row, RejectReason::undecodable} : whole(row);
    if (!csv_columns_.empty() || frame.defect != RejectReason::none) return true;
    csv_columns_ = row;
  }
  return false;
}

}  // namespace gauger::ingest
