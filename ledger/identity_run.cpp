#include "ledger/identity_run.h"

#include <algorithm>
#include <bit>

#include "ledger/bytes.h"
#include "ledger/crash_point.h"
#include "ledger/packing.h"

namespace gauger::ledger {
namespace {

constexpr uint64_t bucket_entries = 256;
constexpr size_t filter_part_words = 1U << 18;
constexpr size_t write_bytes = 4U << 20;

Error damaged() { return corruption("a run of identities is damaged"); }

std::string run_key(char kind, const RowRange& range) {
  std::string key(1, kind);
  put_key_u64(key, range.first_row);
  put_key_u64(key, range.end_row);
  return key;
}
std::string part_key(char kind, const RowRange& range, uint32_t part) {
  auto key = run_key(kind, range);
  put_key_u32(key, part);
  return key;
}

// So that a bucket holds bucket_entries or fewer on average.
unsigned bits_for(uint64_t count) {
  return static_cast<unsigned>(std::bit_width(count / bucket_entries));
}
uint64_t bucket_begin(uint32_t bucket, unsigned bits) {
  return bits == 0 ? 0 : uint64_t{bucket} << (64 - bits);
}
uint32_t bucket_of(Fingerprint fingerprint, unsigned bits) {
  return bits == 0 ? 0 : static_cast<uint32_t>(fingerprint >> (64 - bits));
}

std::string encode_header(uint64_t count, unsigned bits) {
  std::string bytes;
  put(bytes, count);
  put(bytes, static_cast<uint32_t>(bits));
  put(bytes, uint32_t{0});
  put(bytes, hash64(bytes));
  return bytes;
}

Result<IdentityFilter> read_filter(const Store& store, const RowRange& range, uint64_t count) {
  std::vector<uint32_t> words;
  words.reserve(IdentityFilter::words_for(count));
  TRY(store.scan(Family::identity_runs, part_key('F', range, 0), part_key('F', range, UINT32_MAX),
                 [&](std::string_view, std::string_view value) -> Result<bool> {
                   const auto begin = words.size();
                   if (begin + value.size() / sizeof(uint32_t) > words.capacity()) return damaged();
                   words.resize(begin + value.size() / sizeof(uint32_t));
                   std::memcpy(words.data() + begin, value.data(),
                               value.size() / sizeof(uint32_t) * sizeof(uint32_t));
                   return true;
                 }));
  if (words.size() != IdentityFilter::words_for(count)) return damaged();
  return IdentityFilter(std::move(words));
}

}  // namespace

Result<void> BucketReader::read(uint32_t bucket, std::vector<RunEntry>& entries) {
  const auto key = part_key('B', run_.range, bucket);
  TRY(const auto entry, next_ == bucket ? seeker_->next() : seeker_->at_or_after(key));
  next_ = std::nullopt;
  if (!entry || entry->key != key) return damaged();
  ByteReader reader(entry->value);
  const auto count = reader.varint();
  if (count > entry->value.size()) return damaged();
  entries.resize(count);
  auto fingerprint = bucket_begin(bucket, run_.bucket_bits);
  for (auto& entry_of_bucket : entries)
    entry_of_bucket.fingerprint = fingerprint += reader.varint();
  std::vector<uint32_t> rows(count);
  if (!take_bits(reader, rows) || !reader.complete()) return damaged();
  for (size_t i = 0; i < count; ++i) entries[i].row = rows[i];
  next_ = bucket + 1;
  return success();
}

Result<void> IdentityRun::ask(const Store& store, std::vector<Question>& questions,
                              std::vector<Answer>& answers) const {
  const auto answer = [&](const Question& question, uint32_t row) {
    answers.push_back({range.first_row + row, question.event});
  };
  if (is_warm()) {
    for (const auto& question : questions) {
      const auto bucket = bucket_of(question.fingerprint, bucket_bits);
      const auto begin = fingerprints_.begin() + static_cast<std::ptrdiff_t>(starts_[bucket]);
      const auto end = fingerprints_.begin() + static_cast<std::ptrdiff_t>(starts_[bucket + 1]);
      for (auto at = std::lower_bound(begin, end, question.fingerprint);
           at != end && *at == question.fingerprint; ++at)
        answer(question, rows_[static_cast<size_t>(at - fingerprints_.begin())]);
    }
    return success();
  }
  std::sort(questions.begin(), questions.end(),
            [](const Question& a, const Question& b) { return a.fingerprint < b.fingerprint; });
  BucketReader reader(store, *this);
  std::vector<RunEntry> entries;
  uint64_t read = UINT64_MAX;
  for (const auto& question : questions) {
    const auto bucket = bucket_of(question.fingerprint, bucket_bits);
    if (bucket != read) {
      TRY(reader.read(bucket, entries));
      read = bucket;
    }
    for (auto at = std::lower_bound(
             entries.begin(), entries.end(), question.fingerprint,
             [](const RunEntry&entry, Fingerprint wanted) { return entry.fingerprint < wanted; });
         at != entries.end() && at->fingerprint == question.fingerprint; ++at)
      answer(question, at->row);
  }
  return success();
}

Result<void> IdentityRun::warm(const Store& store) {
  BucketReader reader(store, *this);
  std::vector<RunEntry> entries;
  fingerprints_.reserve(count);
  rows_.reserve(count);
  std::vector<uint64_t> starts;
  for (uint32_t bucket = 0; bucket >> bucket_bits == 0; ++bucket) {
    starts.push_back(fingerprints_.size());
    TRY(reader.read(bucket, entries));
    for (const auto& entry : entries) {
      fingerprints_.push_back(entry.fingerprint);
      rows_.push_back(entry.row);
    }
  }
  if (fingerprints_.size() != count) return damaged();
  starts.push_back(fingerprints_.size());
  starts_ = std::move(starts);
  return success();
}

void IdentityRun::cool() {
  starts_ = {};
  fingerprints_ = {};
  rows_ = {};
}

uint64_t IdentityRun::memory_bytes() const {
  return filter_.words().size_bytes() + (is_warm() ? warm_bytes() + starts_.size() * 8 : 0);
}

IdentityRunWriter::IdentityRunWriter(Store& store, RowRange range, uint64_t count)
    : store_(store),
      range_(range),
      bucket_bits_(bits_for(count)),
      expected_(count),
      filter_(count) {
  VERIFY(range.end_row - range.first_row <= UINT32_MAX, "rows of one run fit in 32 bits");
}

Result<void> IdentityRunWriter::add_bucket(std::vector<RunEntry>& entries) {
  std::sort(entries.begin(), entries.end(), [](const RunEntry& a, const RunEntry& b) {
    return a.fingerprint != b.fingerprint ? a.fingerprint < b.fingerprint : a.row < b.row;
  });
  std::string bytes;
  bytes.reserve(entries.size() * 12 + varint_bytes_max);
  put_varint(bytes, entries.size());
  auto before = bucket_begin(bucket_, bucket_bits_);
  std::vector<uint32_t> rows;
  rows.reserve(entries.size());
  for (const auto& [fingerprint, row] : entries) {
    VERIFY(bucket_of(fingerprint, bucket_bits_) == bucket_, "fingerprints come by bucket");
    put_varint(bytes, fingerprint - before);
    before = fingerprint;
    rows.push_back(row);
    filter_.insert(fingerprint);
  }
  pack_bits(bytes, rows);
  count_ += entries.size();
  return write(part_key('B', range_, bucket_++), std::move(bytes));
}

// The last part always waits for `end_parts`.
Result<void> IdentityRunWriter::write(std::string key, std::string bytes) {
  if (writes_bytes_ >= write_bytes) {
    TRY(store_.write_unlogged(writes_));
    writes_.writes.clear();
    writes_bytes_ = 0;
  }
  writes_bytes_ += bytes.size();
  writes_.put(Family::identity_runs, std::move(key), std::move(bytes));
  return success();
}

// Parts of one kind end up in files of their own, which no later ones overlap: they are moved down
// as they are, and never written again until their run is removed.
Result<void> IdentityRunWriter::end_parts() {
  TRY(store_.write_projection(writes_));
  writes_.writes.clear();
  writes_bytes_ = 0;
  return success();
}

Result<std::shared_ptr<IdentityRun>> IdentityRunWriter::finish() {
  VERIFY(count_ == expected_ && bucket_ == buckets(), "a run is whole");
  TRY(end_parts());
  const auto words = filter_.words();
  for (size_t begin = 0; begin < words.size(); begin += filter_part_words) {
    const auto part = words.subspan(begin, std::min(filter_part_words, words.size() - begin));
    std::string bytes(reinterpret_cast<const char*>(part.data()), part.size_bytes());
    TRY(write(part_key('F', range_, static_cast<uint32_t>(begin / filter_part_words)),
              std::move(bytes)));
  }
  TRY(end_parts());
  WriteSet header;
  header.put(Family::identity_runs, run_key('H', range_), encode_header(count_, bucket_bits_));
  crash_point("before_run_header");
  TRY(store_.write_projection(header));
  crash_point("after_run_header");
  return std::make_shared<IdentityRun>(range_, count_, bucket_bits_, std::move(filter_));
}

Result<std::vector<std::shared_ptr<IdentityRun>>> open_runs(const Store& store, uint64_t end_row,
                                                            std::vector<RowRange>& obsolete) {
  struct Header {
    RowRange range;
    uint64_t count;
    unsigned bits;
  };
  std::vector<Header> headers;
  TRY(store.scan(Family::identity_runs, "H", "I",
                 [&](std::string_view key, std::string_view value) -> Result<bool> {
                   ByteReader key_reader(key.substr(1));
                   Header header{};
                   header.range.first_row = key_reader.get_key_u64();
                   header.range.end_row = key_reader.get_key_u64();
                   ByteReader reader(value);
                   header.count = reader.get<uint64_t>();
                   header.bits = reader.get<uint32_t>();
                   reader.get<uint32_t>();
                   const auto hash = reader.get<uint64_t>();
                   if (!key_reader.complete() || !reader.complete() ||
                       hash != hash64(value.substr(0, 16)) || header.bits != bits_for(header.count))
                     return damaged();
                   headers.push_back(header);
                   return true;
                 }));
  // By first row, then the longest first: what a merge replaced lies within what it made.
  std::sort(headers.begin(), headers.end(), [](const Header& a, const Header& b) {
    return a.range.first_row != b.range.first_row ? a.range.first_row < b.range.first_row
                                                  : a.range.end_row > b.range.end_row;
  });
  std::vector<std::shared_ptr<IdentityRun>> runs;
  uint64_t next_row = 0;
  for (const auto& [range, count, bits] : headers) {
    if (range.first_row != next_row || range.end_row > end_row) {
      obsolete.push_back(range);
      continue;
    }
    TRY(auto filter, read_filter(store, range, count));
    runs.push_back(std::make_shared<IdentityRun>(range, count, bits, std::move(filter)));
    next_row = range.end_row;
  }
  return runs;
}

Result<void> tidy_runs(Store& store, const std::vector<RowRange>& obsolete,
                       const std::vector<RowRange>& kept) {
  for (const auto& range : obsolete) {
    WriteSet header;
    header.remove(Family::identity_runs, run_key('H', range));
    TRY(store.write_projection(header));
  }
  for (const char kind : {'B', 'F'}) {
    auto from = std::string(1, kind);
    for (const auto& range : kept) {
      TRY(store.discard(Family::identity_runs, from, part_key(kind, range, 0)));
      from = part_key(kind, range, UINT32_MAX);
    }
    TRY(store.discard(Family::identity_runs, from, std::string(1, static_cast<char>(kind + 1))));
  }
  return success();
}

}  // namespace gauger::ledger
