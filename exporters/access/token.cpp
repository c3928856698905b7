#include "exporters/access/token.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "schemas/verify.h"

namespace gauger::exporters {
namespace {

constexpr std::string_view digits62 =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr size_t secret_characters = 43;  // 62^43 > 2^256
constexpr size_t checksum_characters = 6;
constexpr size_t id_characters = 16;

// The number that the bytes are, in base 62, most significant digit first.
std::string base62(std::string_view bytes, size_t characters) {
  std::string number(bytes);
  std::string text(characters, '0');
  for (size_t i = characters; i-- > 0;) {
    unsigned remainder = 0;
    for (auto& byte : number) {
      const unsigned value = remainder * 256 + static_cast<unsigned char>(byte);
      byte = static_cast<char>(value / 62);
      remainder = value % 62;
    }
    text[i] = digits62[remainder];
  }
  return text;
}

std::string checksum(std::string_view text) {
  const auto crc =
      ::crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size()));
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(crc >> shift & 0xFF);
  return base62(bytes, checksum_characters);
}

Result<std::string> random_bytes(size_t count) {
  std::string bytes(count, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count)) != 1)
    return io_error("the operating system gives no random numbers");
  return bytes;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

class File {
 public:
  explicit File(int number) : number_(number) {}
  ~File() {
    if (number_ >= 0) ::close(number_);
  }
  File(const File&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

Result<void> write_key(const std::filesystem::path& path, std::string_view bytes) {
  // A file of its own first: a key that was written half would lock everybody out.
  const auto part = path.string() + ".part";
  ::unlink(part.c_str());
  const File file(::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (file.number() < 0 ||
      ::write(file.number(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()) ||
      ::fsync(file.number()) != 0 || ::rename(part.c_str(), path.c_str()) != 0)
    return io_error("cannot write " + path.string() + ": " + std::strerror(errno));
  const File directory(::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.number() < 0 || ::fsync(directory.number()) != 0)
    return io_error("cannot sync " + path.parent_path().string());
  return success();
}

}  // namespace

Result<std::string> make_token() {
  TRY(const auto bytes, random_bytes(32));
  auto token = std::string(token_prefix) + base62(bytes, secret_characters);
  return token + checksum(token);
}

bool is_well_formed_token(std::string_view token) {
  constexpr auto size = token_prefix.size() + secret_characters + checksum_characters;
  if (token.size() != size || !token.starts_with(token_prefix)) return false;
  const auto body = token.substr(0, size - checksum_characters);
  return token.substr(body.size()) == checksum(body);
}

Result<std::string> make_token_id() {
  TRY(const auto bytes, random_bytes(12));
  return base62(bytes, id_characters);
}

Result<TokenKey> TokenKey::open(const std::filesystem::path& directory, bool make) {
  const auto path = directory / "access.key";
  const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.number() < 0 && errno == ENOENT) {
    if (!make)
      return Error{ErrorCode::not_found,
                   path.string() +
                       " is gone: without it no access token can be told from "
                       "another. Restore it, or revoke every token and make new ones"};
    TRY(const auto bytes, random_bytes(32));
    TRY(write_key(path, bytes));
    std::array<uint8_t, 32> key{};
    std::copy(bytes.begin(), bytes.end(), key.begin());
    return TokenKey(key);
  }
  std::array<uint8_t, 32> key{};
  if (file.number() < 0 || ::read(file.number(), key.data(), key.size()) != 32)
    return io_error("cannot read " + path.string());
  return TokenKey(key);
}

TokenHash TokenKey::hash(std::string_view token) const {
  TokenHash hash{};
  unsigned size = 0;
  const auto* done =
      HMAC(EVP_sha256(), bytes_.data(), static_cast<int>(bytes_.size()),
           reinterpret_cast<const unsigned char*>(token.data()), token.size(), hash.data(), &size);
  VERIFY(done != nullptr && size == hash.size(), "HMAC-SHA-256 gives 32 bytes");
  return hash;
}

bool equal_hashes(const TokenHash& a, const TokenHash& b) {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string to_hex(const TokenHash& hash) {
  constexpr std::string_view hex = "0123456789abcdef";
  std::string text;
  for (const auto byte : hash) {
    text += hex[byte >> 4];
    text += hex[byte & 15];
  }
  return text;
}

Result<TokenHash> parse_token_hash(std::string_view hex) {
  TokenHash hash{};
  bool good = hex.size() == 2 * hash.size();
  for (size_t i = 0; good && i < hash.size(); ++i) {
    const int high = hex_digit(hex[2 * i]);
    const int low = hex_digit(hex[2 * i + 1]);
    good = high >= 0 && low >= 0;
    if (good) hash[i] = static_cast<uint8_t>(high * 16 + low);
  }
  if (!good) return corruption("the hash of an access token is not 64 hexadecimal digits");
  return hash;
}

}  // namespace gauger::exporters
