// Which fingerprints a set may hold: a split-block Bloom filter (as in Parquet) of 16 bits per
// fingerprint. Says "maybe" for one in some seven hundred that it does not hold; never "no" for
// one that it does. One cache line per question, hidden by `prefetch`.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace gauger::ledger {

class IdentityFilter {
 public:
  static constexpr uint64_t words_per_block = 8;
  static constexpr uint64_t fingerprints_per_block = 16;

  explicit IdentityFilter(uint64_t fingerprints = 0)
      : words_((fingerprints / fingerprints_per_block + 1) * words_per_block) {}
  // Stored words.
  explicit IdentityFilter(std::vector<uint32_t> words) : words_(std::move(words)) {}
  static constexpr uint64_t words_for(uint64_t fingerprints) {
    return (fingerprints / fingerprints_per_block + 1) * words_per_block;
  }

  void insert(uint64_t fingerprint) {
    auto* const block = words_.data() + block_of(fingerprint);
    for (size_t i = 0; i < words_per_block; ++i) block[i] |= bit_of(fingerprint, i);
  }
  void prefetch(uint64_t fingerprint) const {
    __builtin_prefetch(words_.data() + block_of(fingerprint));
  }
  bool may_contain(uint64_t fingerprint) const {
    const auto* const block = words_.data() + block_of(fingerprint);
    uint32_t missing = 0;
    for (size_t i = 0; i < words_per_block; ++i) missing |= bit_of(fingerprint, i) & ~block[i];
    return missing == 0;
  }
  std::span<const uint32_t> words() const { return words_; }

 private:
  // The upper half chooses the block, the lower half the bits.
  size_t block_of(uint64_t fingerprint) const {
    return ((fingerprint >> 32) * (words_.size() / words_per_block) >> 32) * words_per_block;
  }
  static uint32_t bit_of(uint64_t fingerprint, size_t word) {
    constexpr std::array<uint32_t, words_per_block> salts = {0x47B6137BU, 0x44974D91U, 0x8824AD5BU,
                                                             0xA2B7289DU, 0x705495C7U, 0x2DF1424BU,
                                                             0x9EFC4947U, 0x5C6BFB31U};
    return uint32_t{1} << (static_cast<uint32_t>(fingerprint) * salts[word] >> 27);
  }

  std::vector<uint32_t> words_;
};

}  // namespace gauger::ledger
