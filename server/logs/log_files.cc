#include "server/logs/log_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "fmt/format.h"

namespace potok::server {

LogFd::LogFd(const std::string& path, int flags)
    : descriptor_(open(path.c_str(), flags | O_CLOEXEC, 0600)) {}

LogFd::~LogFd() {
  if (descriptor_ >= 0) close(descriptor_);
}

LogFd& LogFd::operator=(LogFd&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

std::int64_t LogFd::size() const {
  struct stat facts {};
  return is_open() && fstat(descriptor_, &facts) == 0 ? facts.st_size : 0;
}

std::int64_t LogFd::changed_us() const {
  struct stat facts {};
  if (!is_open() || fstat(descriptor_, &facts) != 0) return 0;
  return facts.st_mtim.tv_sec * 1'000'000 + facts.st_mtim.tv_nsec / 1000;
}

std::int64_t LogFd::ReadAt(std::int64_t offset, char* data, std::size_t size) const {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got =
        pread(descriptor_, data + done, size - done, offset + static_cast<std::int64_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -1;
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return static_cast<std::int64_t>(done);
}

bool LogFd::WriteAt(std::int64_t offset, const char* data, std::size_t size) const {
  while (size > 0) {
    const ssize_t wrote = pwrite(descriptor_, data, size, offset);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return false;
    data += wrote;
    offset += wrote;
    size -= static_cast<std::size_t>(wrote);
  }
  return true;
}

absl::Status LogErrno(const std::string& what, int error) {
  const std::string message = fmt::format("{}: {}", what, std::strerror(error));
  return error == ENOSPC || error == EDQUOT ? absl::ResourceExhaustedError(message)
                                            : absl::UnavailableError(message);
}

}  // namespace potok::server
