// Byte tables, varints where nothing else is said.
//   description   text namespace, kind, id; version; u8 whether it applies from, zigzag when
//                 (microseconds); text author, reason, media type; content bytes; content hash,
//                 previous hash, hash (32 bytes each)
//   stored        u16 format, description, known from, index, zigzag recorded at, first row
//   section       count, then per document: description, its content
#include "ledger/documents.h"

#include <algorithm>
#include <map>

#include "ledger/block.h"
#include "ledger/bytes.h"
#include "ledger/config.h"
#include "ledger/digest_codec.h"
#include "schemas/limits.h"

namespace gauger::ledger {
namespace {

constexpr char separator = '\0';

bool is_name(std::string_view text, size_t bytes_max) {
  return !text.empty() && text.size() <= bytes_max &&
         std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

std::string prefix_of(std::string_view name_space, std::string_view kind) {
  std::string prefix(name_space);
  prefix += separator;
  prefix += kind;
  prefix += separator;
  return prefix;
}

std::string prefix_of(const DocumentKey& key) {
  return prefix_of(key.name_space, key.kind) + key.id + separator;
}

// The first key behind all that begin with the prefix.
std::string behind(std::string prefix) {
  prefix.back() = static_cast<char>(separator + 1);
  return prefix;
}

std::string hashed_part(const DocumentVersion& version) {
  std::string out;
  put_text(out, version.key.name_space);
  put_text(out, version.key.kind);
  put_text(out, version.key.id);
  put_varint(out, version.version);
  put(out, static_cast<uint8_t>(version.applies_from.has_value()));
  if (version.applies_from) put_varint(out, zigzag(to_us(*version.applies_from)));
  put_text(out, version.author);
  put_text(out, version.reason);
  put_text(out, version.media_type);
  put_varint(out, version.content_bytes);
  put_digest(out, version.content_hash);
  put_digest(out, version.previous_hash);
  return out;
}

void put_description(std::string& out, const DocumentVersion& version) {
  out += hashed_part(version);
  put_digest(out, version.hash);
}

DocumentVersion get_description(ByteReader& reader) {
  DocumentVersion version;
  version.key.name_space = std::string(reader.text());
  version.key.kind = std::string(reader.text());
  version.key.id = std::string(reader.text());
  version.version = static_cast<uint32_t>(reader.varint());
  if (reader.get<uint8_t>() != 0) version.applies_from = instant_from_us(reader.signed_varint());
  version.author = std::string(reader.text());
  version.reason = std::string(reader.text());
  version.media_type = std::string(reader.text());
  version.content_bytes = reader.varint();
  version.content_hash = get_digest(reader);
  version.previous_hash = get_digest(reader);
  version.hash = get_digest(reader);
  return version;
}

std::string name_of(const DocumentKey& key) { return key.kind + " '" + key.id + "'"; }

}  // namespace

Result<void> check(const DocumentDraft& draft) {
  const auto& key = draft.key;
  if (!is_name(key.name_space, limits::text_bytes_max) ||
      !is_name(key.kind, limits::text_bytes_max))
    return invalid_argument("a document needs a namespace and a kind in printable characters");
  if (!is_name(key.id, limits::identity_bytes_max))
    return invalid_argument("a " + key.kind + " needs an id of 1 to " +
                            std::to_string(limits::identity_bytes_max) + " printable characters");
  if (!is_name(draft.media_type, limits::text_bytes_max))
    return invalid_argument(name_of(key) + " has no media type");
  if (draft.author.size() > limits::text_bytes_max)
    return invalid_argument("the author of " + name_of(key) + " is longer than " +
                            std::to_string(limits::text_bytes_max) + " bytes");
  if (draft.reason.size() > limits::document_reason_bytes_max)
    return invalid_argument("the reason of " + name_of(key) + " is longer than " +
                            std::to_string(limits::document_reason_bytes_max) + " bytes");
  if (draft.content.size() > limits::document_bytes_max)
    return invalid_argument(name_of(key) + " is larger than " +
                            std::to_string(limits::document_bytes_max >> 20) + " MiB");
  return success();
}

Digest hash_of(const DocumentVersion& version) { return sha256(hashed_part(version)); }

Result<std::optional<DocumentVersion>> Documents::latest(const DocumentKey& key) const {
  std::optional<DocumentVersion> found;
  const auto prefix = prefix_of(key);
  TRY(store_.scan(Family::documents, prefix, behind(prefix),
                  [&](std::string_view, std::string_view value) -> Result<bool> {
                    TRY(auto version, decode_document_version(value));
                    if (version.known_from > as_of_) return false;
                    found = std::move(version);
                    return true;
                  }));
  return found;
}

Result<std::optional<DocumentVersion>> Documents::version(const DocumentKey& key,
                                                          uint32_t version) const {
  TRY(const auto value, store_.get(Family::documents, document_key(key, version)));
  if (!value) return std::optional<DocumentVersion>();
  TRY(auto found, decode_document_version(*value));
  if (found.known_from > as_of_) return std::optional<DocumentVersion>();
  return std::optional(std::move(found));
}

Result<void> Documents::each(std::string_view name_space, std::string_view kind,
                             const Visit& visit) const {
  const auto prefix = prefix_of(name_space, kind);
  return store_.scan(Family::documents, prefix, behind(prefix),
                     [&](std::string_view, std::string_view value) -> Result<bool> {
                       TRY(const auto version, decode_document_version(value));
                       if (version.known_from > as_of_) return true;
                       return visit(version);
                     });
}

Result<std::vector<DocumentVersion>> Documents::list(std::string_view name_space,
                                                     std::string_view kind) const {
  std::vector<DocumentVersion> versions;
  TRY(each(name_space, kind, [&](const DocumentVersion& version) -> Result<bool> {
    if (!versions.empty() && versions.back().key == version.key) versions.pop_back();
    versions.push_back(version);
    return true;
  }));
  return versions;
}

Result<Document> Documents::read(const DocumentVersion& version) const {
  const auto damaged = [&] {
    return corruption(name_of(version.key) + " version " + std::to_string(version.version) +
                      " is not in journal block " + std::to_string(version.known_from) +
                      " as it was recorded");
  };
  TRY(const auto bytes,
      store_.get(Family::journal, encode(BlockKey{version.first_row, version.known_from})));
  if (!bytes) return damaged();
  TRY(auto block, decode_block(*bytes, Columns::documents));
  if (version.index >= block.documents.size()) return damaged();
  auto& found = block.documents[version.index];
  if (found.version.hash != version.hash || hash_of(found.version) != version.hash ||
      sha256(found.content) != version.content_hash)
    return damaged();
  return std::move(found);
}

Result<std::vector<Document>> next_versions(std::vector<DocumentDraft> drafts, const Store& store) {
  const Documents known(store);
  std::map<DocumentKey, std::pair<uint32_t, Digest>> last;
  std::vector<Document> documents;
  size_t bytes = 0;
  for (auto& draft : drafts) {
    TRY(check(draft));
    bytes += draft.content.size();
    if (bytes > limits::documents_bytes_max)
      return invalid_argument("documents of more than " +
                              std::to_string(limits::documents_bytes_max >> 20) +
                              " MiB cannot be posted at once");
    const auto [entry, fresh] = last.try_emplace(draft.key);
    auto& [number, hash] = entry->second;
    if (fresh) {
      TRY(const auto before, known.latest(draft.key));
      if (before) {
        number = before->version;
        hash = before->hash;
      }
    }
    if (draft.after_version && *draft.after_version != number)
      return Error{ErrorCode::conflict,
                   name_of(draft.key) + " is at version " + std::to_string(number) + ", not " +
                       std::to_string(*draft.after_version) + ": somebody changed it meanwhile"};
    Document document;
    auto& version = document.version;
    version.key = std::move(draft.key);
    version.version = number + 1;
    version.applies_from = draft.applies_from;
    version.author = std::move(draft.author);
    version.reason = std::move(draft.reason);
    version.media_type = std::move(draft.media_type);
    version.content_bytes = draft.content.size();
    version.content_hash = sha256(draft.content);
    version.previous_hash = hash;
    version.hash = hash_of(version);
    document.content = std::move(draft.content);
    number = version.version;
    hash = version.hash;
    documents.push_back(std::move(document));
  }
  return documents;
}

std::string document_key(const DocumentKey& key, uint32_t version) {
  auto bytes = prefix_of(key);
  put_key_u32(bytes, version);
  return bytes;
}

std::string encode(const DocumentVersion& version) {
  std::string out;
  put(out, disk_format);
  put_description(out, version);
  put_varint(out, version.known_from);
  put_varint(out, version.index);
  put_varint(out, zigzag(to_us(version.recorded_at)));
  put_varint(out, version.first_row);
  return out;
}

Result<DocumentVersion> decode_document_version(std::string_view bytes) {
  ByteReader reader(bytes);
  if (reader.get<uint16_t>() > disk_format)
    return Error{ErrorCode::newer_format, "a document was written by a newer gauger"};
  auto version = get_description(reader);
  version.known_from = reader.varint();
  version.index = static_cast<uint32_t>(reader.varint());
  version.recorded_at = instant_from_us(reader.signed_varint());
  version.first_row = reader.varint();
  if (!reader.complete()) return corruption("a document's entry is damaged");
  return version;
}

std::string encode_documents(const std::vector<Document>& documents) {
  std::string out;
  if (documents.empty()) return out;
  put_varint(out, documents.size());
  for (const auto& document : documents) {
    put_description(out, document.version);
    put_text(out, document.content);
  }
  return out;
}

Result<std::vector<Document>> decode_documents(std::string_view bytes) {
  std::vector<Document> documents;
  if (bytes.empty()) return documents;
  ByteReader reader(bytes);
  const auto count = reader.varint();
  for (uint64_t i = 0; i < count && !reader.bad(); ++i) {
    Document document;
    document.version = get_description(reader);
    document.version.index = static_cast<uint32_t>(i);
    document.content = std::string(reader.text());
    documents.push_back(std::move(document));
  }
  if (!reader.complete()) return corruption("a block's documents are damaged");
  return documents;
}

}  // namespace gauger::ledger
