// Files of a log, and their errors.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"

namespace potok::server {

// An open file, closed at the end. A value that moves.
class LogFd {
 public:
  LogFd() = default;
  // As open(2), with O_CLOEXEC and mode 0600; errno says why it is not open.
  LogFd(const std::string& path, int flags);
  ~LogFd();
  LogFd(LogFd&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  LogFd& operator=(LogFd&& other) noexcept;

  int get() const { return descriptor_; }
  bool is_open() const { return descriptor_ >= 0; }

  // Bytes in it; 0 if it is not open.
  std::int64_t size() const;
  // Unix microseconds of its last change; 0 if it is not open.
  std::int64_t changed_us() const;
  // Up to `size` bytes; less only at the end. -1: errno says why.
  std::int64_t ReadAt(std::int64_t offset, char* data, std::size_t size) const;
  // False: errno says why; some of it may have been written.
  bool WriteAt(std::int64_t offset, const char* data, std::size_t size) const;

 private:
  int descriptor_ = -1;
};

// RESOURCE_EXHAUSTED for a full disk, else UNAVAILABLE: "`what`: the error".
absl::Status LogErrno(const std::string& what, int error);

}  // namespace potok::server
