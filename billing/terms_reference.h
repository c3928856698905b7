// Names a document of terms that amounts rest on. A value.
#pragma once

#include <compare>
#include <string>

namespace gauger::billing {

struct TermsReference {
  std::string kind;
  std::string id;
  std::string version;
  std::string content_hash;  // SHA-256 of its text, in hexadecimal digits
  auto operator<=>(const TermsReference&) const = default;
};

}  // namespace gauger::billing
