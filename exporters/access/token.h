// Access tokens as texts: 256 random bits in a form that scanners recognise and people can paste.
//
//   gauger_<43 characters of base 62><6 characters of its CRC-32>
//
// The ledger stores only a keyed hash (HMAC-SHA-256), so that neither a copy of the ledger nor of
// a backup lets anybody in. The key lies beside the ledger in `access.key`, readable by its owner.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "schemas/result.h"

namespace gauger::exporters {

using TokenHash = std::array<uint8_t, 32>;

inline constexpr std::string_view token_prefix = "gauger_";

// From the operating system's generator. io where it does not answer.
Result<std::string> make_token();
// The form and the checksum: what was mistyped is told apart from what was revoked.
bool is_well_formed_token(std::string_view token);
// 16 characters of base 62, to name a token by.
Result<std::string> make_token_id();

class TokenKey {
 public:
  // Reads the key of a data directory; makes it where `make` says so, else not_found.
  static Result<TokenKey> open(const std::filesystem::path& directory, bool make);
  explicit TokenKey(const std::array<uint8_t, 32>& bytes) : bytes_(bytes) {}

  TokenHash hash(std::string_view token) const;

 private:
  std::array<uint8_t, 32> bytes_;
};

// In a time that does not depend on where they differ.
bool equal_hashes(const TokenHash& a, const TokenHash& b);
std::string to_hex(const TokenHash& hash);
// corruption where it is not 64 digits.
Result<TokenHash> parse_token_hash(std::string_view hex);

}  // namespace gauger::exporters
