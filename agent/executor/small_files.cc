#include "agent/executor/small_files.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "agent/executor/unique_fd.h"
#include "fmt/format.h"

namespace potok::agent {

absl::Status ErrnoStatus(int error, const std::string& tried, const std::string& path) {
  return absl::ErrnoToStatus(error, fmt::format("cannot {} {}", tried, path));
}

absl::StatusOr<std::string> ReadSmallFile(const std::string& path) {
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return ErrnoStatus(errno, "open", path);
  std::string text;
  char buffer[4096];
  for (;;) {
    const ssize_t size = read(file.get(), buffer, sizeof(buffer));
    if (size < 0) return ErrnoStatus(errno, "read", path);
    if (size == 0) return text;
    text.append(buffer, static_cast<std::size_t>(size));
  }
}

absl::Status WriteSmallFile(const std::string& path, const std::string& text) {
  const UniqueFd file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file.valid()) return ErrnoStatus(errno, "open", path);
  if (write(file.get(), text.data(), text.size()) < 0) {
    return ErrnoStatus(errno, fmt::format("write \"{}\" to", text), path);
  }
  return absl::OkStatus();
}

std::int64_t BootTimeNs() {
  timespec now = {};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

std::string BootId() {
  auto text = ReadSmallFile("/proc/sys/kernel/random/boot_id");
  if (!text.ok()) return "";
  while (!text->empty() && text->back() == '\n') text->pop_back();
  return *text;
}

}  // namespace potok::agent
