// Names of every length, at every place of a record, must get the dictionary's ids.
#include "ledger/name_memo.h"

#include <string>

#include "tests/catch.h"

namespace gauger::ledger {
namespace {

// Names that differ in one byte, in length only, or in what follows them.
std::vector<std::string> alike_names() {
  std::vector<std::string> names;
  for (size_t size = 0; size <= short_text_bytes_max + 2; ++size) {
    names.emplace_back(size, 'a');
    for (const size_t at : {size_t{0}, size / 2, size - 1}) {
      if (size == 0) break;
      auto other = std::string(size, 'a');
      other[at] = '\0';
      names.push_back(other);
      other[at] = '\xFF';
      names.push_back(other);
    }
  }
  return names;
}

}  // namespace

TEST_CASE("a remembered name has the id that the dictionary gave it", "[ledger]") {
  StringDictionary strings;
  NameMemo memo;
  bool full = false;
  const std::string behind = "behind it lies the rest of the record";
  for (int round = 0; round < 3; ++round)
    for (const auto& name : alike_names()) {
      CAPTURE(name, round);
      const auto record = name + behind;
      const auto within = std::string_view(record).substr(0, name.size());
      const auto id = memo.intern(within, record, strings, full);
      CHECK(strings.text(id) == name);
      // At the end of its record, and in memory of its own.
      CHECK(memo.intern(within, within, strings, full) == id);
      CHECK(memo.intern(name, record, strings, full) == id);
    }
  CHECK(!full);
}

}  // namespace gauger::ledger
