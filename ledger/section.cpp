#include "ledger/section.h"

#include <zstd.h>

#include <memory>

#include "ledger/bytes.h"
#include "schemas/limits.h"

namespace gauger::ledger {
namespace {

constexpr size_t compress_bytes_min = 64;
// What a section may grow to: a batch of the largest records.
constexpr size_t section_bytes_max = 2 * limits::batch_bytes_max;
static_assert(limits::documents_bytes_max + (1U << 20) < section_bytes_max);

struct ContextDeleter {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

ZSTD_CCtx* compressor() {
  static thread_local const std::unique_ptr<ZSTD_CCtx, ContextDeleter> context(ZSTD_createCCtx());
  return context.get();
}

ZSTD_DCtx* decompressor() {
  static thread_local const std::unique_ptr<ZSTD_DCtx, ContextDeleter> context(ZSTD_createDCtx());
  return context.get();
}

}  // namespace

StoredSection store_section(std::string_view bytes, Compress compress) {
  const auto raw_bytes = static_cast<uint32_t>(bytes.size());
  if (compress == Compress::yes && bytes.size() >= compress_bytes_min) {
    const auto bound = ZSTD_compressBound(bytes.size());
    WriteBuffer compressed(bound);
    const auto size =
        ZSTD_compressCCtx(compressor(), compressed.begin(), bound, bytes.data(), bytes.size(), -3);
    if (ZSTD_isError(size) == 0 && size < bytes.size() - bytes.size() / 16)
      return {1, raw_bytes, std::string(compressed.until(compressed.begin() + size))};
  }
  return {0, raw_bytes, std::string(bytes)};
}

void SectionWriter::add(SectionId id, const StoredSection& section) {
  if (section.raw_bytes == 0) return;
  contents_.append(section.bytes);
  put(table_, static_cast<uint16_t>(id));
  put(table_, section.codec);
  put(table_, section.raw_bytes);
  put(table_, static_cast<uint32_t>(section.bytes.size()));
  ++count_;
}

void SectionWriter::append_to(std::string& out) const {
  out.append(table_);
  out.append(contents_);
}

Result<SectionReader> SectionReader::open(std::string_view bytes, uint32_t count) {
  ByteReader reader(bytes);
  SectionReader sections;
  if (count > 64) return corruption("a block has too many sections");
  for (uint32_t i = 0; i < count; ++i) {
    Entry entry{};
    entry.id = static_cast<SectionId>(reader.get<uint16_t>());
    entry.codec = reader.get<uint16_t>();
    entry.raw_bytes = reader.get<uint32_t>();
    const auto stored = reader.get<uint32_t>();
    entry.stored = std::string_view(nullptr, stored);
    if (entry.codec > 1 || entry.raw_bytes > section_bytes_max ||
        (entry.codec == 0 && stored != entry.raw_bytes))
      return corruption("a block's section table is damaged");
    sections.entries_.push_back(entry);
  }
  for (auto& entry : sections.entries_) entry.stored = reader.take(entry.stored.size());
  if (!reader.complete()) return corruption("a block's sections do not fill it");
  sections.decompressed_.reserve(count);
  return sections;
}

Result<std::string_view> SectionReader::get(SectionId id) {
  for (const auto& entry : entries_) {
    if (entry.id != id) continue;
    if (entry.codec == 0) return entry.stored;
    std::string raw(entry.raw_bytes, '\0');
    const auto size = ZSTD_decompressDCtx(decompressor(), raw.data(), raw.size(),
                                          entry.stored.data(), entry.stored.size());
    if (ZSTD_isError(size) != 0 || size != raw.size())
      return corruption("a block's section does not decompress");
    if (decompressed_.size() == decompressed_.capacity())
      return corruption("a block's section is asked for twice");
    decompressed_.push_back(std::move(raw));
    return std::string_view(decompressed_.back());
  }
  return std::string_view();
}

}  // namespace gauger::ledger
