// Every access token of a ledger, by the hash of its secret. Tokens are documents of the ledger
// (kind `access_token`, in a namespace of their own); this is their projection in memory.
//
// A ledger without a token, ever, is open to clients of the same machine; the first token closes
// it for good, since a revoked token still counts as one.
//
// Threads: reading is safe from any thread and never waits for a writer's disk; `replace` belongs
// to whoever appends the documents.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "exporters/access/principal.h"
#include "exporters/access/token.h"
#include "ledger/documents.h"
#include "schemas/instant.h"

namespace gauger::exporters {

inline constexpr std::string_view access_token_kind = "access_token";
// No token is made for it, so that nobody can read or write what lies there.
inline constexpr std::string_view system_name_space = "_system";

struct AccessToken {
  Principal principal;
  TokenHash hash{};
  Instant created_at{};
  std::optional<Instant> expires_at;
  bool revoked = false;
};

// What somebody asks for, before there is a token.
struct TokenRequest {
  std::string name;
  std::string name_space = "default";
  AccessRole role = AccessRole::team;
  std::vector<std::string> teams;
  std::optional<Instant> expires_at;
};
// invalid_argument: a team token without teams, names over their limits, the system's namespace.
Result<void> check(const TokenRequest& request, Instant now);

// A new token with its secret, shown once.
struct NewToken {
  AccessToken token;
  std::string secret;
};
Result<NewToken> make_access_token(const TokenRequest& request, const TokenKey& key, Instant now);

// The document that stores a token's present state.
ledger::DocumentDraft draft_of(const AccessToken& token, std::string_view author,
                               std::string_view reason);
Result<AccessToken> parse_access_token(const ledger::Document& document);
// As JSON for people: without its hash.
std::string token_json(const AccessToken& token);

class TokenBook {
 public:
  // Reads every token of the ledger.
  static Result<std::unique_ptr<TokenBook>> load(const ledger::Documents& documents, TokenKey key);

  bool empty() const;
  // None: no such token, revoked, or past its time.
  std::optional<Principal> find(std::string_view secret, Instant now) const;
  // Of one namespace, by id.
  std::vector<AccessToken> list(std::string_view name_space) const;
  std::optional<AccessToken> find_id(std::string_view name_space, std::string_view id) const;
  size_t size() const;
  // `default` and every namespace that a token was ever made for, by name.
  std::vector<std::string> name_spaces() const;

  // Adds a token or its new state. From then on it is what `find` answers with.
  void replace(AccessToken token);
  const TokenKey& key() const { return key_; }

 private:
  struct HashOfHash {
    size_t operator()(const TokenHash& hash) const {
      size_t value = 0;
      for (size_t i = 0; i < sizeof value; ++i) value = value << 8 | hash[i];
      return value;
    }
  };
  explicit TokenBook(TokenKey key) : key_(key) {}

  const TokenKey key_;
  mutable std::mutex mutex_;
  std::unordered_map<TokenHash, AccessToken, HashOfHash> tokens_;
};

}  // namespace gauger::exporters
