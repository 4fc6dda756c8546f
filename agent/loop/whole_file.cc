#include "agent/loop/whole_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "fmt/format.h"

namespace potok::agent {
namespace {

absl::Status Fill(int file, const std::string& path, const std::string& content) {
  std::size_t written = 0;
  while (written < content.size()) {
    const ssize_t count = write(file, content.data() + written, content.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return DiskError("write", path);
    written += static_cast<std::size_t>(count);
  }
  if (ftruncate(file, static_cast<off_t>(content.size())) != 0) return DiskError("cut", path);
  return absl::OkStatus();
}

}  // namespace

absl::Status DiskError(const char* what, const std::string& path) {
  const std::string message = fmt::format("could not {} {}: {}", what, path, std::strerror(errno));
  if (errno == EACCES || errno == EPERM || errno == EROFS) {
    return absl::PermissionDeniedError(message);
  }
  return absl::UnavailableError(message);
}

absl::Status WriteFile(const std::string& path, const std::string& content) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (file < 0) return DiskError("create", path);
  const absl::Status filled = Fill(file, path, content);
  if (close(file) != 0 && filled.ok()) return DiskError("write", path);
  return filled;
}

}  // namespace potok::agent
