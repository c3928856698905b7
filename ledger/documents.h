// Documents: price books, contracts, catalogues, organisations, programmes, quotas, invoices,
// statements, decisions. They are appended in versions, never edited. A document has two times:
// when it applies from, and the block from which it was known. Its content lies in that block,
// under the chain of blocks; Family::documents only says where.
//
// Versions of one (namespace, kind, id) count from 1 without a gap, and each is chained to the
// one before by SHA-256, so that a single document can be proved without its ledger.
//
// Appending belongs to the ledger (Ledger::append_documents). Reading is safe from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/hash.h"
#include "ledger/store.h"
#include "schemas/instant.h"
#include "schemas/result.h"

namespace gauger::ledger {

// What names a document: kind as "price_book", id as its author chose it ("anthropic-list").
struct DocumentKey {
  std::string name_space = "default";
  std::string kind;
  std::string id;
  auto operator<=>(const DocumentKey&) const = default;
};

// What an author hands in.
struct DocumentDraft {
  DocumentKey key;
  std::optional<Instant> applies_from;
  std::string author;
  std::string reason;                           // why it was posted, in words; may be empty
  std::string media_type = "application/json";  // of the content
  std::string content;
  // The version that this one follows, 0 for the first: refused as a conflict when another has
  // come in between. None: follows whatever is there.
  std::optional<uint32_t> after_version;
};

struct DocumentVersion {
  DocumentKey key;
  uint32_t version = 0;
  std::optional<Instant> applies_from;
  std::string author;
  std::string reason;
  std::string media_type;
  uint64_t content_bytes = 0;
  Digest content_hash{};
  Digest previous_hash{};   // of the version before; zeros for the first
  Digest hash{};            // of all above
  uint64_t known_from = 0;  // sequence of its block
  uint32_t index = 0;       // among the documents of its block
  Instant recorded_at{};    // block time
  uint64_t first_row = 0;   // of its block, which with known_from leads to it
};

struct Document {
  DocumentVersion version;
  std::string content;
};

// invalid_argument where a name, a text or the content breaks a limit.
Result<void> check(const DocumentDraft& draft);
// SHA-256 over key, version, times, author, reason, media type, content hash and previous hash.
// It leaves out where the ledger keeps the document, so that a restored ledger agrees.
Digest hash_of(const DocumentVersion& version);

// The documents of a store, as they were known up to a block. Newest block: UINT64_MAX.
class Documents {
 public:
  explicit Documents(const Store& store, uint64_t as_of = UINT64_MAX)
      : store_(store), as_of_(as_of) {}

  // The last version; none where the document does not exist.
  Result<std::optional<DocumentVersion>> latest(const DocumentKey& key) const;
  Result<std::optional<DocumentVersion>> version(const DocumentKey& key, uint32_t version) const;
  // Every version of every document of a kind, by id and version, until `visit` returns false.
  using Visit = std::function<Result<bool>(const DocumentVersion&)>;
  Result<void> each(std::string_view name_space, std::string_view kind, const Visit& visit) const;
  // The last version of every document of a kind, by id.
  Result<std::vector<DocumentVersion>> list(std::string_view name_space,
                                            std::string_view kind) const;
  // Reads the content out of its block and checks it against its hash.
  Result<Document> read(const DocumentVersion& version) const;

 private:
  const Store& store_;
  const uint64_t as_of_;
};

// --- for the ledger itself ------------------------------------------------------------------

// Puts versions to drafts, after what the store has and after one another.
Result<std::vector<Document>> next_versions(std::vector<DocumentDraft> drafts, const Store& store);

// In Family::documents: namespace, 0, kind, 0, id, 0, u32 version (big-endian).
std::string document_key(const DocumentKey& key, uint32_t version);
std::string encode(const DocumentVersion& version);
Result<DocumentVersion> decode_document_version(std::string_view bytes);

// The documents of a block, as its section holds them: where they lie follows from the block.
std::string encode_documents(const std::vector<Document>& documents);
Result<std::vector<Document>> decode_documents(std::string_view bytes);

}  // namespace gauger::ledger
