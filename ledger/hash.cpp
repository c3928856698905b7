#include "ledger/hash.h"

#include <openssl/evp.h>

#include "schemas/verify.h"

namespace gauger::ledger {

Digest sha256(std::string_view bytes) {
  Digest digest{};
  unsigned size = 0;
  VERIFY(EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) == 1 &&
             size == digest.size(),
         "SHA-256 is available");
  return digest;
}

std::string to_hex(const Digest& digest) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(digest.size() * 2);
  for (const auto byte : digest) {
    text.push_back(digits[byte >> 4]);
    text.push_back(digits[byte & 15]);
  }
  return text;
}

}  // namespace gauger::ledger
