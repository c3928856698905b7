#include "exporters/access/audit_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>

#include "billing/document.h"
#include "billing/json_value.h"
#include "ledger/hash.h"
#include "schemas/service_limits.h"

namespace gauger::exporters {
namespace {

// A line holds five texts of bounded length.
constexpr size_t line_bytes_max = 8192;
constexpr size_t target_bytes_max = 512;
constexpr size_t tail_bytes_max = 4U << 20;

class ChainedFile {
 public:
  ChainedFile(std::filesystem::path path, bool rotates)
      : path_(std::move(path)), rotates_(rotates) {}
  ~ChainedFile() {
    if (file_ >= 0) ::close(file_);
  }
  ChainedFile(const ChainedFile&) = delete;

  Result<void> open() {
    file_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file_ < 0) return failed("open");
    struct stat status {};
    if (::fstat(file_, &status) != 0) return failed("look at");
    size_ = static_cast<size_t>(status.st_size);
    TRY(const auto tail, read_tail(line_bytes_max));
    // What a crash cut off in the middle of a line stays, as a line of its own.
    if (!tail.empty() && tail.back() != '\n') {
      TRY(put("\n", false));
    }
    previous_ = ledger::to_hex(ledger::sha256(last_line(tail)));
    return success();
  }

  Result<void> append(billing::JsonValue record, bool sync) {
    if (rotates_ && size_ >= limits::audit_file_bytes_max) {
      TRY(rotate());
    }
    record["previous"] = previous_;
    const auto line = record.canonical();
    TRY(put(line + "\n", sync));
    previous_ = ledger::to_hex(ledger::sha256(line));
    return success();
  }

  Result<std::string> read_tail(size_t bytes_max) const {
    const auto wanted = std::min(bytes_max, size_);
    std::string tail(wanted, '\0');
    const auto read = ::pread(file_, tail.data(), wanted, static_cast<off_t>(size_ - wanted));
    if (read != static_cast<ssize_t>(wanted)) return failed("read");
    return tail;
  }

 private:
  static std::string_view last_line(std::string_view text) {
    while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
    const auto newline = text.rfind('\n');
    return newline == std::string_view::npos ? text : text.substr(newline + 1);
  }

  Error failed(std::string_view what) const {
    return io_error("cannot " + std::string(what) + " " + path_.string() + ": " +
                    std::strerror(errno));
  }

  Result<void> put(std::string_view bytes, bool sync) {
    if (::write(file_, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
      return failed("write");
    size_ += bytes.size();
    if (sync && ::fsync(file_) != 0) return failed("sync");
    return success();
  }

  Result<void> rotate() {
    const auto before = path_.string() + ".1";
    if (::rename(path_.c_str(), before.c_str()) != 0) return failed("rename");
    ::close(file_);
    file_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file_ < 0) return failed("open");
    size_ = 0;
    return success();
  }

  const std::filesystem::path path_;
  const bool rotates_;
  int file_ = -1;
  size_t size_ = 0;
  std::string previous_;
};

std::string shortened(const std::string& text) {
  if (text.size() <= target_bytes_max) return text;
  auto end = target_bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

}  // namespace

struct AuditLog::Impl {
  Impl(const std::filesystem::path& directory, const Clock& ledger_clock)
      : clock(ledger_clock),
        changes(directory / "audit-changes.jsonl", false),
        denials(directory / "audit-denials.jsonl", true) {}

  const Clock& clock;
  mutable std::mutex mutex;
  ChainedFile changes;
  ChainedFile denials;
  int64_t second = 0;  // of the last denials, and how many there were in it
  uint64_t in_second = 0;
  int64_t suppressed = 0;

  billing::JsonValue json_of(const AuditRecord& record) const {
    billing::JsonValue json;
    json["at"] = format_instant(clock.now());
    json["actor"] = shortened(record.actor);
    json["namespace"] = shortened(record.name_space);
    json["peer"] = record.peer;
    json["action"] = shortened(record.action);
    json["target"] = shortened(record.target);
    json["outcome"] = record.outcome;
    return json;
  }

  Result<std::vector<std::string>> tail(const ChainedFile& file, std::string_view name_space,
                                        size_t limit) const {
    std::string text;
    {
      const std::lock_guard guard(mutex);
      TRY(text, file.read_tail(tail_bytes_max));
    }
    const auto wanted = [&] {
      billing::JsonValue json;
      json["namespace"] = name_space;
      auto member = json.canonical();
      return member.substr(1, member.size() - 2);  // without the braces
    }();
    std::vector<std::string> lines;
    for (auto end = text.size(); end != 0 && lines.size() < limit;) {
      const auto newline = text.rfind('\n', end - 1);
      const auto begin = newline == std::string::npos ? 0 : newline + 1;
      const auto line = std::string_view(text).substr(begin, end - begin);
      if (line.starts_with('{') && line.ends_with('}') &&
          line.find(wanted) != std::string_view::npos)
        lines.emplace_back(line);
      end = begin == 0 ? 0 : begin - 1;
    }
    return lines;
  }
};

AuditLog::AuditLog(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AuditLog::~AuditLog() = default;

Result<std::unique_ptr<AuditLog>> AuditLog::open(const std::filesystem::path& directory,
                                                 const Clock& clock) {
  auto impl = std::make_unique<Impl>(directory, clock);
  TRY(impl->changes.open());
  TRY(impl->denials.open());
  return std::unique_ptr<AuditLog>(new AuditLog(std::move(impl)));
}

Result<void> AuditLog::change(const AuditRecord& record) {
  const std::lock_guard guard(impl_->mutex);
  return impl_->changes.append(impl_->json_of(record), true);
}

void AuditLog::denial(const AuditRecord& record) {
  const std::lock_guard guard(impl_->mutex);
  auto& impl = *impl_;
  const auto second = to_us(impl.clock.now()) / 1'000'000;
  if (second != impl.second) {
    impl.second = second;
    impl.in_second = 0;
  }
  if (++impl.in_second > limits::audit_denials_per_second_max) {
    ++impl.suppressed;
    return;
  }
  auto json = impl.json_of(record);
  if (impl.suppressed != 0) json["not_listed_before"] = std::exchange(impl.suppressed, 0);
  // A denial stands whether or not it could be written down.
  static_cast<void>(impl.denials.append(std::move(json), false));
}

Result<std::vector<std::string>> AuditLog::changes(std::string_view name_space,
                                                   size_t limit) const {
  return impl_->tail(impl_->changes, name_space, limit);
}

Result<std::vector<std::string>> AuditLog::denials(std::string_view name_space,
                                                   size_t limit) const {
  return impl_->tail(impl_->denials, name_space, limit);
}

}  // namespace gauger::exporters
