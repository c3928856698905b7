#include "ledger/packed_sums.h"

#include <algorithm>

#include "ledger/bytes.h"
#include "schemas/verify.h"

namespace gauger::ledger {
namespace {

constexpr size_t recent_min = 4096;
constexpr size_t recent_share = 8;
constexpr size_t sum_bytes_max = (2 + meter_count) * varint_bytes_max;

char* pack(const Sum& sum, char* at) {
  unsigned mask = 0;
  for (unsigned i = 0; i < meter_count; ++i) mask |= unsigned{sum.counts[i] != 0} << i;
  at = write_varint(at, zigzag(sum.requests));
  at = write_varint(at, mask);
  for (; mask != 0; mask &= mask - 1)
    at = write_varint(at, zigzag(sum.counts[static_cast<size_t>(__builtin_ctz(mask))]));
  return at;
}

}  // namespace

size_t seek(std::span<const uint32_t> sorted, size_t from, uint32_t wanted) {
  size_t step = 1;
  size_t low = from;
  while (low + step < sorted.size() && sorted[low + step] < wanted) {
    low += step;
    step *= 2;
  }
  const auto begin = sorted.begin() + static_cast<std::ptrdiff_t>(low);
  const auto end =
      sorted.begin() + static_cast<std::ptrdiff_t>(std::min(sorted.size(), low + step + 1));
  return static_cast<size_t>(std::lower_bound(begin, end, wanted) - sorted.begin());
}

void PackedSums::add(std::span<const Cell> cells, std::span<const uint32_t> kinds) {
  add_recent(cells, kinds);
  if (recent_.size() > std::max(recent_min, kinds_.size() / recent_share)) pack_recent();
}

// Adds to the kinds that are there at once, then makes room for the others from behind.
void PackedSums::add_recent(std::span<const Cell> cells, std::span<const uint32_t> kinds) {
  std::vector<uint32_t> fresh;
  size_t at = 0;
  for (uint32_t i = 0; i < cells.size(); ++i) {
    at = seek(recent_kinds_, at, kinds[i]);
    if (at == recent_kinds_.size() || recent_kinds_[at] != kinds[i])
      fresh.push_back(i);
    else
      recent_[at].add({cells[i].requests, cells[i].counts});
  }
  auto from = recent_kinds_.size();
  auto into = from + fresh.size();
  recent_kinds_.resize(into);
  recent_.resize(into);
  while (!fresh.empty()) {
    --into;
    const auto i = fresh.back();
    if (from > 0 && recent_kinds_[from - 1] > kinds[i]) {
      --from;
      recent_kinds_[into] = recent_kinds_[from];
      recent_[into] = recent_[from];
    } else {
      recent_kinds_[into] = kinds[i];
      recent_[into] = {cells[i].requests, cells[i].counts};
      fresh.pop_back();
    }
  }
}

// Weaves what is recent into what is packed, whose untouched stretches are moved as they are.
void PackedSums::pack_recent() {
  std::vector<uint32_t> kinds;
  std::vector<uint64_t> begins;
  kinds.reserve(kinds_.size() + recent_.size());
  begins.reserve(kinds_.size() + recent_.size());
  WriteBuffer bytes(bytes_.size() + recent_.size() * sum_bytes_max);
  auto* at = bytes.begin();
  const auto move_until = [&](size_t from, size_t until) {
    if (from == until) return;
    const auto end = until < begins_.size() ? begins_[until] : bytes_.size();
    const auto moved = static_cast<uint64_t>(at - bytes.begin()) - begins_[from];
    kinds.insert(kinds.end(), kinds_.begin() + static_cast<std::ptrdiff_t>(from),
                 kinds_.begin() + static_cast<std::ptrdiff_t>(until));
    for (auto i = from; i < until; ++i) begins.push_back(begins_[i] + moved);
    at = std::copy(bytes_.data() + begins_[from], bytes_.data() + end, at);
  };
  size_t next = 0;
  for (size_t i = 0; i < recent_.size(); ++i) {
    const auto found = seek(kinds_, next, recent_kinds_[i]);
    move_until(next, found);
    next = found;
    auto sum = recent_[i];
    if (found < kinds_.size() && kinds_[found] == recent_kinds_[i]) sum.add(unpack(next++));
    kinds.push_back(recent_kinds_[i]);
    begins.push_back(static_cast<uint64_t>(at - bytes.begin()));
    at = pack(sum, at);
  }
  move_until(next, kinds_.size());
  kinds_ = std::move(kinds);
  begins_ = std::move(begins);
  bytes_ = bytes.until(at);
  recent_kinds_ = {};
  recent_ = {};
}

Sum PackedSums::unpack(size_t at) const {
  ByteReader reader(std::string_view(bytes_).substr(begins_[at]));
  Sum sum;
  sum.requests = reader.signed_varint();
  for (auto mask = static_cast<unsigned>(reader.varint()); mask != 0; mask &= mask - 1)
    sum.counts[static_cast<size_t>(__builtin_ctz(mask))] = reader.signed_varint();
  VERIFY(!reader.bad(), "packed sums are whole");
  return sum;
}

}  // namespace gauger::ledger
