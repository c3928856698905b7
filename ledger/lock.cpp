#include "ledger/lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

namespace gauger::ledger {

Result<DirectoryLock> DirectoryLock::take(const std::filesystem::path& path, const Disk& disk) {
  if (!disk.is_machine()) return DirectoryLock(-1);
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return io_error("opening " + path.string() + ": " + std::strerror(errno));
  DirectoryLock lock(file);
  if (::flock(file, LOCK_EX | LOCK_NB) != 0) {
    std::array<char, 128> holder{};
    const auto size = ::pread(file, holder.data(), holder.size() - 1, 0);
    std::string who(holder.data(), size > 0 ? static_cast<size_t>(size) : 0);
    while (!who.empty() && who.back() == '\n') who.pop_back();
    return Error{ErrorCode::unavailable, path.parent_path().string() + " is in use by " +
                                             (who.empty() ? "another process" : who)};
  }
  const auto me = "process " + std::to_string(::getpid()) + "\n";
  if (::ftruncate(file, 0) != 0 ||
      ::pwrite(file, me.data(), me.size(), 0) != static_cast<ssize_t>(me.size()))
    return io_error("writing " + path.string() + ": " + std::strerror(errno));
  return lock;
}

DirectoryLock::~DirectoryLock() {
  if (file_ >= 0) ::close(file_);
}

}  // namespace gauger::ledger
