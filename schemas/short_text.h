// A short text as three words, so that it is compared, hashed or looked at without a branch on its
// length: names are of many lengths, and every wrong guess costs as much as a name itself.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace gauger {

inline constexpr size_t short_text_bytes_max = 24;

// The text's bytes, then zeros.
struct TextWords {
  std::array<uint64_t, 3> words{};
  // Without a call, which comparing arrays would be.
  bool operator==(const TextWords& other) const {
    uint64_t different = 0;
    for (size_t i = 0; i < words.size(); ++i) different |= words[i] ^ other.words[i];
    return different == 0;
  }
};

namespace detail {

constexpr auto make_text_masks() {
  std::array<TextWords, short_text_bytes_max + 1> masks{};
  for (size_t size = 0; size <= short_text_bytes_max; ++size)
    for (size_t byte = 0; byte < size; ++byte)
      masks[size].words[byte / 8] |= uint64_t{0xFF} << (byte % 8 * 8);
  return masks;
}
inline constexpr auto text_masks = make_text_masks();

}  // namespace detail

// The text has at most short_text_bytes_max bytes, and so many can be read from its begin on.
[[gnu::always_inline]] inline TextWords words_of_readable(std::string_view text) {
  TextWords text_words;
  std::memcpy(text_words.words.data(), text.data(), sizeof text_words.words);
  const auto& mask = detail::text_masks[text.size()];
  for (size_t i = 0; i < mask.words.size(); ++i) text_words.words[i] &= mask.words[i];
  return text_words;
}

// The same of a text that may end where its memory does: from both of its ends, which meet or
// overlap.
inline TextWords words_of(std::string_view text) {
  TextWords text_words;
  auto& words = text_words.words;
  const auto* const begin = text.data();
  const auto size = text.size();
  const auto word = [begin](size_t at) {
    uint64_t loaded = 0;
    std::memcpy(&loaded, begin + at, sizeof loaded);
    return loaded;
  };
  // The last `count` bytes of the text, of which the last eight can be read.
  const auto last = [&](size_t count) { return word(size - 8) >> (8 * (8 - count)); };
  if (size > 16) {
    words = {word(0), word(8), last(size - 16)};
  } else if (size > 8) {
    words = {word(0), last(size - 8), 0};
  } else if (size == 8) {
    words[0] = word(0);
  } else {
    for (size_t i = 0; i < size; ++i)
      words[0] |= uint64_t{static_cast<uint8_t>(begin[i])} << (8 * i);
  }
  return text_words;
}

}  // namespace gauger
