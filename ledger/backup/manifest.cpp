#include "ledger/backup/manifest.h"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace gauger::ledger {
namespace {

constexpr std::string_view first_line = "gauger backup 1";
constexpr std::string_view digits = "0123456789abcdef";

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<uint8_t>(c);
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

// Empty where it is not hex.
std::string unhex(std::string_view text) {
  std::string bytes;
  if (text.size() % 2 != 0) return bytes;
  for (size_t i = 0; i < text.size(); i += 2) {
    const auto high = digits.find(text[i]);
    const auto low = digits.find(text[i + 1]);
    if (high == digits.npos || low == digits.npos) return {};
    bytes += static_cast<char>(high << 4 | low);
  }
  return bytes;
}

Result<Digest> digest_of(std::string_view text) {
  const auto bytes = unhex(text);
  Digest digest{};
  if (bytes.size() != digest.size()) return corruption("a hash has a wrong length");
  std::memcpy(digest.data(), bytes.data(), digest.size());
  return digest;
}

// The next line, without its end.
std::string_view take_line(std::string_view& text) {
  const auto end = std::min(text.find('\n'), text.size());
  const auto line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

Result<void> read_line(std::string_view name, std::string_view value, Backup& backup) {
  if (name == "number") {
    const auto [end, error] =
        std::from_chars(value.data(), value.data() + value.size(), backup.number);
    if (error != std::errc{} || end != value.data() + value.size())
      return corruption("its number is none");
  } else if (name == "made_at") {
    TRY(backup.made_at, parse_instant(value));
  } else if (name == "config") {
    TRY(backup.config, decode_config(unhex(value)));
  } else if (name == "head") {
    TRY(backup.head, decode_head(unhex(value)));
  } else if (name == "file") {
    const auto space = std::min(value.find(' '), value.size());
    Backup::File file{std::string(value.substr(0, space)), {}};
    TRY(file.content, digest_of(value.substr(std::min(space + 1, value.size()))));
    if (file.name.find('/') != file.name.npos) return corruption("a file lies elsewhere");
    backup.files.push_back(std::move(file));
  } else {
    return corruption("'" + std::string(name) + "' is no line of a manifest");
  }
  return success();
}

}  // namespace

std::string manifest_text(const Backup& backup) {
  std::string text(first_line);
  text += "\nnumber " + std::to_string(backup.number);
  text += "\nmade_at " + format_instant(backup.made_at);
  text += "\nconfig " + hex(encode(backup.config));
  text += "\nhead " + hex(encode(backup.head)) + "\n";
  for (const auto& file : backup.files)
    text += "file " + file.name + " " + to_hex(file.content) + "\n";
  return text + "sha256 " + to_hex(sha256(text)) + "\n";
}

Result<Backup> parse_manifest(std::string_view text, const std::string& name) {
  const auto damaged = [&](const std::string& how) {
    return corruption("the manifest " + name + " is damaged: " + how);
  };
  const auto seal_at = text.rfind("sha256 ");
  if (seal_at == text.npos) return damaged("it has no hash");
  auto seal = text.substr(seal_at + 7);
  auto lines = text.substr(0, seal_at);
  if (take_line(seal) != to_hex(sha256(lines)) || !seal.empty())
    return damaged("it does not match its hash");
  if (take_line(lines) != first_line)
    return Error{ErrorCode::newer_format, name + " is not a manifest that this gauger reads"};
  Backup backup;
  while (!lines.empty()) {
    const auto line = take_line(lines);
    const auto space = std::min(line.find(' '), line.size());
    const auto read =
        read_line(line.substr(0, space), line.substr(std::min(space + 1, line.size())), backup);
    if (!read) return damaged(read.error().sentence);
  }
  if (backup.number == 0 || backup.files.empty()) return damaged("it names nothing");
  return backup;
}

}  // namespace gauger::ledger
