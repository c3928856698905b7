#include "ledger/cells.h"

namespace gauger::ledger {

void Cells::append(const Cells& other, size_t from, size_t until) {
  if (from == until) return;
  const auto begin = other.heads_[from].begin_and_mask >> mask_bits;
  const auto end =
      until < other.size() ? other.heads_[until].begin_and_mask >> mask_bits : other.values();
  // Modulo 2^64, as it may go down.
  const auto moved = (values_.size() - begin) << mask_bits;
  auto* const heads = heads_.room(until - from);
  for (size_t i = 0; i < until - from; ++i) {
    const auto& head = other.heads_[from + i];
    heads[i] = {head.place, head.begin_and_mask + moved};
  }
  heads_.take(until - from);
  values_.append(other.values_.begin() + begin, end - begin);
}

bool Cells::operator==(const Cells& other) const {
  if (size() != other.size() || values() != other.values()) return false;
  for (size_t i = 0; i < size(); ++i)
    if (heads_[i].place != other.heads_[i].place ||
        heads_[i].begin_and_mask != other.heads_[i].begin_and_mask)
      return false;
  return std::equal(values_.begin(), values_.end(), other.values_.begin());
}

}  // namespace gauger::ledger
