// Digests within stored bytes: thirty-two as they are.
#pragma once

#include <cstring>
#include <string>

#include "ledger/bytes.h"
#include "ledger/hash.h"

namespace gauger::ledger {

inline void put_digest(std::string& out, const Digest& digest) {
  out.append(reinterpret_cast<const char*>(digest.data()), digest.size());
}

// Zeros where the bytes end too early, which the reader remembers.
inline Digest get_digest(ByteReader& reader) {
  Digest digest{};
  const auto bytes = reader.take(digest.size());
  if (bytes.size() == digest.size()) std::memcpy(digest.data(), bytes.data(), digest.size());
  return digest;
}

}  // namespace gauger::ledger
