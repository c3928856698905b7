// The ids of names that came lately, beside the dictionary: a short name is known again by its
// bytes, without hashing them and without following the dictionary's pointers to where it keeps
// them. Ids never change meaning, so what is remembered stays true.
//
// One thread, the interning one. Figure: some 4 ns per name; the dictionary takes some 15.
#pragma once

#include <string_view>
#include <vector>

#include "ledger/dictionary.h"
#include "schemas/short_text.h"

namespace gauger::ledger {

class NameMemo {
 public:
  // As StringDictionary::intern, but for a full dictionary, which sets `full` and leaves it else:
  // an optional value would be put together in memory for every name. A text that lies well within
  // `record` is read faster.
  [[gnu::always_inline]] StringId intern(std::string_view text, std::string_view record,
                                         StringDictionary& strings, bool& full) {
    if (text.empty()) return StringId{0};
    if (text.size() > short_text_bytes_max) return ask(text, strings, full);
    const auto name = is_readable(text, record) ? words_of_readable(text) : words_of(text);
    auto& entry = entries_[slot_of(name, text.size())];
    if (entry.name != name || entry.size != text.size()) [[unlikely]] {
      const auto id = ask(text, strings, full);
      if (id.value == 0) return id;
      entry = {name, static_cast<uint32_t>(text.size()), id};
    }
    return entry.id;
  }

 private:
  static constexpr unsigned slots_log2 = 13;

  struct Entry {
    TextWords name;
    uint32_t size = 0;
    StringId id;
  };

  static bool is_readable(std::string_view text, std::string_view record) {
    if (record.size() < short_text_bytes_max) return false;
    const auto at = reinterpret_cast<uintptr_t>(text.data());
    const auto begin = reinterpret_cast<uintptr_t>(record.data());
    return at - begin <= record.size() - short_text_bytes_max;
  }

  static size_t slot_of(const TextWords& name, size_t size) {
    const auto& words = name.words;
    const auto mixed = (words[0] ^ size) * 0x9E3779B97F4A7C15U + words[1] * 0xC2B2AE3D27D4EB4FU +
                       words[2] * 0x165667B19E3779F9U;
    return (mixed ^ mixed >> 29) * 0x9E3779B97F4A7C15U >> (64 - slots_log2);
  }

  [[gnu::noinline]] static StringId ask(std::string_view text, StringDictionary& strings,
                                        bool& full) {
    const auto id = strings.intern(text);
    full = full || !id;
    return id.value_or(StringId{});
  }

  std::vector<Entry> entries_ = std::vector<Entry>(size_t{1} << slots_log2);
};

}  // namespace gauger::ledger
