#include "tools/load/request_id.h"

#include <cstring>

namespace gauger::load {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr std::string_view base62 =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

char* put_hex(char* out, uint64_t value, int digits) {
  for (int i = digits - 1; i >= 0; --i, value >>= 4) out[i] = hex_digits[value & 15];
  return out + digits;
}

// Eleven digits hold 64 bits without loss.
char* put_base62(char* out, uint64_t value) {
  for (int i = 0; i < 11; ++i, value /= 62) *out++ = base62[value % 62];
  return out;
}

char* put_text(char* out, std::string_view text) {
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

// A version 4 UUID. Version and variant take six bits of the second half only.
char* put_uuid(char* out, uint64_t unique, uint64_t random) {
  out = put_hex(out, unique >> 32, 8);
  *out++ = '-';
  out = put_hex(out, unique >> 16 & 0xFFFF, 4);
  *out++ = '-';
  *out++ = '4';
  out = put_hex(out, random & 0xFFF, 3);
  *out++ = '-';
  *out++ = "89ab"[random >> 12 & 3];
  out = put_hex(out, random >> 14 & 0xFFF, 3);
  *out++ = '-';
  out = put_hex(out, unique & 0xFFFF, 4);
  return put_hex(out, random >> 32, 8);
}

}  // namespace

std::string_view make_request_id(IdStyle style, uint64_t seed, uint64_t index, IdText& text) {
  const auto unique = mix(index ^ mix(seed));
  const auto random = mix(unique + seed);
  char* out = text.data();
  switch (style) {
    case IdStyle::uuid: out = put_uuid(out, unique, random); break;
    case IdStyle::openai:
      out = put_base62(put_base62(put_text(out, "chatcmpl-"), unique), random);
      break;
    case IdStyle::anthropic:
      out = put_base62(put_base62(put_text(out, "msg_01"), unique), random);
      break;
    case IdStyle::amazon: out = put_uuid(put_text(out, "br-"), unique, random); break;
  }
  return {text.data(), static_cast<size_t>(out - text.data())};
}

}  // namespace gauger::load
