// The cold form of the identity index: the fingerprints of a stretch of rows, sorted, in buckets on
// disk; in memory a filter of 2 bytes per identity. A projection of the journal: never ahead of
// what is durable, written without the log, and made anew when it is missing.
//
// On disk, in Family::identity_runs, little-endian but for the keys; r = first row, end row (u64):
//   'B' r bucket(u32)  the fingerprints whose upper bits are the bucket's number: varint count,
//                      then per fingerprint its difference to the one before (varints; the first
//                      to the bucket's smallest), then packed bits: row - first row
//   'F' r part(u32)    words of the filter
//   'H' r              u64 fingerprints, u32 bits of a bucket's number, u32 zero, u64 XXH3 of
//   these;
//                      written last: a run without it does not exist
//
// Threads: the constants are anyone's; asking belongs to one thread.
#pragma once

#include <memory>
#include <vector>

#include "ledger/identity_filter.h"
#include "ledger/identity_index.h"
#include "ledger/store.h"

namespace gauger::ledger {

struct RowRange {
  uint64_t first_row;
  uint64_t end_row;
  bool operator==(const RowRange&) const = default;
};

struct RunEntry {
  Fingerprint fingerprint;
  uint32_t row;  // less the first row of the run
};

class IdentityRun {
 public:
  struct Question {
    Fingerprint fingerprint;
    uint32_t event;
  };
  struct Answer {
    uint64_t row;
    uint32_t event;
  };

  const RowRange range;
  const uint64_t count;
  const unsigned bucket_bits;

  IdentityRun(RowRange rows, uint64_t fingerprints, unsigned bits, IdentityFilter filter)
      : range(rows), count(fingerprints), bucket_bits(bits), filter_(std::move(filter)) {}

  void prefetch(Fingerprint fingerprint) const { filter_.prefetch(fingerprint); }
  bool may_contain(Fingerprint fingerprint) const { return filter_.may_contain(fingerprint); }

  // The rows of these fingerprints, from disk or, when it was warmed, from memory. Sorts the
  // questions. Figure: some 4 us each when cold, 50 ns when warm.
  Result<void> ask(const Store& store, std::vector<Question>& questions,
                   std::vector<Answer>& answers) const;

  // Takes the whole run into memory, 12 bytes per identity, while many of it are asked for.
  Result<void> warm(const Store& store);
  void cool();
  bool is_warm() const { return !starts_.empty(); }
  uint64_t memory_bytes() const;
  uint64_t warm_bytes() const { return count * 12; }

 private:
  IdentityFilter filter_;
  // When warm: all entries in order, and where each bucket's begin.
  std::vector<Fingerprint> fingerprints_;
  std::vector<uint32_t> rows_;
  std::vector<uint64_t> starts_;
};

// Writes a run, fingerprints in ascending order.
class IdentityRunWriter {
 public:
  IdentityRunWriter(Store& store, RowRange range, uint64_t count);
  // The entries of the next bucket; sorts them.
  Result<void> add_bucket(std::vector<RunEntry>& entries);
  uint32_t buckets() const { return uint32_t{1} << bucket_bits_; }
  unsigned bucket_bits() const { return bucket_bits_; }
  // Durable when it returns.
  Result<std::shared_ptr<IdentityRun>> finish();

 private:
  Result<void> write(std::string key, std::string bytes);
  Result<void> end_parts();

  Store& store_;
  const RowRange range_;
  const unsigned bucket_bits_;
  uint64_t expected_;
  uint64_t count_ = 0;
  uint32_t bucket_ = 0;
  IdentityFilter filter_;
  WriteSet writes_;
  size_t writes_bytes_ = 0;
};

// Reads the buckets of a run; neighbours in ascending order are found fastest.
class BucketReader {
 public:
  BucketReader(const Store& store, const IdentityRun& run)
      : seeker_(store.seeker(Family::identity_runs)), run_(run) {}
  // The entries of a bucket, in place of those of `entries`; rows relative to the run.
  Result<void> read(uint32_t bucket, std::vector<RunEntry>& entries);

 private:
  std::unique_ptr<Store::Seeker> seeker_;
  const IdentityRun& run_;
  std::optional<uint32_t> next_;  // the bucket behind the one that was read last
};

// The runs that exist below `end_row`, oldest first, without overlap; others are named in
// `obsolete`.
Result<std::vector<std::shared_ptr<IdentityRun>>> open_runs(const Store& store, uint64_t end_row,
                                                            std::vector<RowRange>& obsolete);
// Removes those, and what lies of other runs than the kept ones: parts whose run was removed or
// never got its header. `kept` is oldest first. May leave files that the next call finds.
Result<void> tidy_runs(Store& store, const std::vector<RowRange>& obsolete,
                       const std::vector<RowRange>& kept);

}  // namespace gauger::ledger
