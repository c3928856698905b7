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

void PackedSums::add(std::span<const CellView> cells, std::span<const KindOfTeam> kinds) {
  add_recent(cells, kinds);
  if (recent_.size() > std::max(recent_min, kinds_.size() / recent_share)) pack_recent();
}

PackedSums::Rows PackedSums::rows_of(uint32_t team) const {
  const auto found = seek<TeamBegin>(teams_, 0, {team, 0});
  if (found == teams_.size() || teams_[found].team != team) return {0, 0};
  const auto end = found + 1 < teams_.size() ? teams_[found + 1].row : kinds_.size();
  return {teams_[found].row, end};
}

void PackedSums::add_recent(std::span<const CellView> cells, std::span<const KindOfTeam> kinds) {
  std::vector<uint32_t> fresh;
  size_t at = 0;
  for (uint32_t i = 0; i < cells.size(); ++i) {
    at = seek<KindOfTeam>(recent_kinds_, at, kinds[i]);
    if (at == recent_kinds_.size() || recent_kinds_[at] != kinds[i])
      fresh.push_back(i);
    else
      recent_[at].add(cells[i]);
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
      recent_[into] = {};
      recent_[into].add(cells[i]);
      fresh.pop_back();
    }
  }
}

namespace {

// Packed sums that are put together anew: untouched stretches are moved as they are.
class Packing {
 public:
  Packing(const std::vector<uint32_t>& kinds, const std::vector<uint64_t>& begins,
          const std::string& bytes, size_t more)
      : old_kinds_(kinds),
        old_begins_(begins),
        old_bytes_(bytes),
        buffer_(bytes.size() + more * sum_bytes_max),
        at_(buffer_.begin()) {
    kinds_.reserve(kinds.size() + more);
    begins_.reserve(kinds.size() + more);
  }

  void move(size_t from, size_t until) {
    if (from == until) return;
    const auto end = until < old_begins_.size() ? old_begins_[until] : old_bytes_.size();
    const auto moved = static_cast<uint64_t>(at_ - buffer_.begin()) - old_begins_[from];
    kinds_.insert(kinds_.end(), old_kinds_.begin() + static_cast<std::ptrdiff_t>(from),
                  old_kinds_.begin() + static_cast<std::ptrdiff_t>(until));
    for (auto i = from; i < until; ++i) begins_.push_back(old_begins_[i] + moved);
    at_ = std::copy(old_bytes_.data() + old_begins_[from], old_bytes_.data() + end, at_);
  }
  void add(uint32_t kind, const Sum& sum) {
    kinds_.push_back(kind);
    begins_.push_back(static_cast<uint64_t>(at_ - buffer_.begin()));
    at_ = pack(sum, at_);
  }

  uint32_t rows() const { return static_cast<uint32_t>(kinds_.size()); }
  std::vector<uint32_t>& kinds() { return kinds_; }
  std::vector<uint64_t>& begins() { return begins_; }
  std::string_view bytes() const { return buffer_.until(at_); }

 private:
  const std::vector<uint32_t>& old_kinds_;
  const std::vector<uint64_t>& old_begins_;
  const std::string& old_bytes_;
  std::vector<uint32_t> kinds_;
  std::vector<uint64_t> begins_;
  WriteBuffer buffer_;
  char* at_;
};

}  // namespace

// Weaves what is recent into what is packed, team by team.
void PackedSums::pack_recent() {
  Packing packing(kinds_, begins_, bytes_, recent_.size());
  std::vector<TeamBegin> teams;
  size_t old_team = 0;
  for (size_t next = 0; old_team < teams_.size() || next < recent_.size();) {
    const auto recent_team = next < recent_.size() ? recent_kinds_[next].team : UINT32_MAX;
    const auto team =
        old_team < teams_.size() ? std::min(teams_[old_team].team, recent_team) : recent_team;
    teams.push_back({team, packing.rows()});
    auto [row, end] = rows_of(team);
    if (row != end) ++old_team;
    for (; next < recent_.size() && recent_kinds_[next].team == team; ++next) {
      const auto kind = recent_kinds_[next].kind;
      const auto found = seek<uint32_t>(std::span(kinds_).first(end), row, kind);
      packing.move(row, found);
      row = found;
      auto sum = recent_[next];
      if (row < end && kinds_[row] == kind) {
        ByteReader reader(std::string_view(bytes_).substr(begins_[row++]));
        sum.add(unpack(reader));
      }
      packing.add(kind, sum);
    }
    packing.move(row, end);
  }
  teams_ = std::move(teams);
  kinds_ = std::move(packing.kinds());
  begins_ = std::move(packing.begins());
  bytes_ = packing.bytes();
  recent_kinds_ = {};
  recent_ = {};
}

Sum PackedSums::unpack(ByteReader& reader) {
  Sum sum;
  sum.requests = reader.signed_varint();
  for (auto mask = static_cast<unsigned>(reader.varint()); mask != 0; mask &= mask - 1)
    sum.counts[static_cast<size_t>(__builtin_ctz(mask))] = reader.signed_varint();
  VERIFY(!reader.bad(), "packed sums are whole");
  return sum;
}

}  // namespace gauger::ledger
