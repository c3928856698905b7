#include "ledger/hash.h"

#include <openssl/evp.h>

#include "schemas/verify.h"

namespace gauger::ledger {

Digest sha256(std::string_view bytes) { return sha256(std::span(&bytes, 1)); }

Digest sha256(std::span<const std::string_view> parts) {
  Digest digest{};
  unsigned size = 0;
  auto* context = EVP_MD_CTX_new();
  bool done = context != nullptr && EVP_DigestInit_ex(context, EVP_sha256(), nullptr) == 1;
  for (const auto part : parts)
    done = done && EVP_DigestUpdate(context, part.data(), part.size()) == 1;
  done = done && EVP_DigestFinal_ex(context, digest.data(), &size) == 1;
  EVP_MD_CTX_free(context);
  VERIFY(done && size == digest.size(), "SHA-256 is available");
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
