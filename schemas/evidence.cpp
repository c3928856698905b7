#include "schemas/evidence.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "schemas/limits.h"

namespace gauger {
namespace {

constexpr std::array<std::string_view, 4> always_kept = {"api_key", "workspace", "subject",
                                                         "source"};
constexpr std::array<std::string_view, 2> families = {"tag.", "header."};
// Ids of keys are shorter (Anthropic's have 31 bytes), secrets and their hashes longer.
constexpr size_t key_id_bytes_max = 36;
constexpr size_t secret_bytes_shown = 8;
constexpr std::string_view digits = "0123456789abcdef";

// FNV-1a: stable over time, since it is stored.
uint64_t digest(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const auto c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3;
  return hash;
}

// What kept_value() makes of a secret: a report shows it, and people put it into rules.
bool is_digested(std::string_view value) {
  constexpr size_t digest_bytes = 16;
  if (value.size() <= digest_bytes || value.size() > secret_bytes_shown + 1 + digest_bytes)
    return false;
  const auto digest_text = value.substr(value.size() - digest_bytes);
  return value[value.size() - digest_bytes - 1] == '~' &&
         digest_text.find_first_not_of(digits) == digest_text.npos;
}

std::string escape(std::string_view text) {
  std::string escaped;
  for (const auto c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte > ' ' && byte != 0x7f && c != '=' && c != '%') {
      escaped += c;
      continue;
    }
    escaped += '%';
    escaped += digits[byte >> 4U];
    escaped += digits[byte & 15U];
  }
  return escaped;
}

std::optional<std::string> unescape(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      plain += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const auto high = digits.find(text[i + 1]);
    const auto low = digits.find(text[i + 2]);
    if (high == digits.npos || low == digits.npos) return std::nullopt;
    plain += static_cast<char>(high << 4U | low);
    i += 2;
  }
  return plain;
}

std::string_view find(std::span<const Evidence> evidence, std::string_view name) {
  for (const auto& item : evidence)
    if (item.name == name) return item.value;
  return {};
}

void add_piece(std::string& kept, std::span<const Evidence> evidence, std::string_view name) {
  const auto value = find(evidence, name);
  if (value.empty() || value.size() > limits::text_bytes_max) return;
  const auto piece = escape(name) + "=" + escape(kept_value(name, value));
  if (kept.size() + (kept.empty() ? 0 : 1) + piece.size() > limits::text_bytes_max) return;
  if (!kept.empty()) kept += ' ';
  kept += piece;
}

}  // namespace

bool is_evidence_name(std::string_view name) {
  for (const auto* known :
       {"api_key", "workspace", "user", "subject", "provider_account", "source"})
    if (name == known) return true;
  return std::ranges::any_of(families, [&](std::string_view family) {
    return name.starts_with(family) && name.size() > family.size();
  });
}

std::string keep_evidence(std::span<const Evidence> evidence, std::span<const std::string> also) {
  std::string kept;
  for (const auto name : always_kept) add_piece(kept, evidence, name);
  for (const auto& name : also)
    if (std::ranges::find(always_kept, name) == always_kept.end() && name != "provider_account")
      add_piece(kept, evidence, name);
  return kept;
}

std::optional<KeptEvidence> read_kept_evidence(std::string_view text) {
  KeptEvidence kept;
  while (!text.empty()) {
    const auto piece = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), piece.size() + 1));
    const auto equals = piece.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    auto name = unescape(piece.substr(0, equals));
    auto value = unescape(piece.substr(equals + 1));
    if (!name || !value || value->empty() || !is_evidence_name(*name)) return std::nullopt;
    kept.emplace_back(std::move(*name), std::move(*value));
  }
  if (kept.empty()) return std::nullopt;
  return kept;
}

std::string kept_value(std::string_view name, std::string_view value) {
  const auto may_be_secret =
      value.size() > key_id_bytes_max || value.starts_with("sk-") || value.starts_with("sk_");
  if (name != "api_key" || !may_be_secret || is_digested(value)) return std::string(value);
  // Cut between characters: what is kept is UTF-8 as the value was.
  auto shown = std::min(secret_bytes_shown, value.size() / 2);
  while (shown > 0 && shown < value.size() && (static_cast<uint8_t>(value[shown]) & 0xC0U) == 0x80)
    --shown;
  std::string kept(value.substr(0, shown));
  kept += '~';
  const auto hash = digest(value);
  for (int shift = 60; shift >= 0; shift -= 4) kept += digits[hash >> shift & 15U];
  return kept;
}

}  // namespace gauger
