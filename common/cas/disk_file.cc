#include "common/cas/disk_file.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok {

namespace {

// On the stack and not cleared: with many small files a buffer from the heap costs more than the
// reading.
struct Buffer {
  char data[64 * 1024];
};

absl::StatusOr<std::size_t> ReadSome(int fd, Buffer& buffer, const std::string& path) {
  for (;;) {
    const ssize_t count = read(fd, buffer.data, sizeof buffer.data);
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) return DiskError(errno, "read", path);
  }
}

// Disks keep holes in blocks of this size.
constexpr std::size_t kBlockBytes = 4096;

bool IsZero(const char* data, std::size_t size) {
  return data[0] == 0 && std::memcmp(data, data + 1, size - 1) == 0;
}

// How many bytes from `data` on are alike: zeros, or not.
std::size_t RunLength(const char* data, std::size_t size, bool zero) {
  std::size_t length = 0;
  while (length < size) {
    const std::size_t block = std::min(kBlockBytes, size - length);
    if ((block == kBlockBytes && IsZero(data + length, block)) != zero) break;
    length += block;
  }
  return length;
}

bool IsSparse(int fd) {
  struct stat file {};
  return fstat(fd, &file) == 0 && S_ISREG(file.st_mode) && file.st_blocks * 512 < file.st_size;
}

// Passes over the hole at the descriptor's position; its bytes, 0 if there is none.
std::int64_t PassHole(int fd) {
  struct stat file {};
  const off_t begin = lseek(fd, 0, SEEK_CUR);
  if (begin < 0 || fstat(fd, &file) != 0 || begin >= file.st_size) return 0;
  off_t end = lseek(fd, begin, SEEK_DATA);
  if (end < 0 && errno == ENXIO) end = file.st_size;
  if (end <= begin || lseek(fd, end, SEEK_SET) < 0) {
    lseek(fd, begin, SEEK_SET);
    return 0;
  }
  return end - begin;
}

void HashZeros(std::int64_t count, Hasher& hasher) {
  static const char kZeros[64 * 1024] = {};
  for (; count > 0; count -= sizeof kZeros) {
    hasher.Update(kZeros, static_cast<std::size_t>(std::min<std::int64_t>(count, sizeof kZeros)));
  }
}

absl::StatusCode CodeOf(int error_number) {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      return absl::StatusCode::kNotFound;
    case EEXIST:
    case ENOTEMPTY:
      return absl::StatusCode::kAlreadyExists;
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::StatusCode::kPermissionDenied;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EMFILE:
    case ENFILE:
      return absl::StatusCode::kResourceExhausted;
    case ENAMETOOLONG:
    case ELOOP:
    case EXDEV:
    case EISDIR:
    case EINVAL:
      return absl::StatusCode::kInvalidArgument;
    default:
      return absl::StatusCode::kUnavailable;
  }
}

}  // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) close(fd_);
    fd_ = other.Release();
  }
  return *this;
}

Fd::~Fd() {
  if (fd_ >= 0) close(fd_);
}

int Fd::Release() {
  return std::exchange(fd_, -1);
}

absl::Status DiskError(int error_number, const std::string& action, const std::string& path) {
  return absl::Status(
      CodeOf(error_number),
      fmt::format("cannot {} {}: {}", action, path, std::generic_category().message(error_number)));
}

absl::StatusOr<Fd> OpenFile(const std::string& path, int flags, mode_t mode) {
  const int fd = open(path.c_str(), flags | O_CLOEXEC, mode);
  if (fd < 0) return DiskError(errno, (flags & O_CREAT) != 0 ? "create" : "open", path);
  return Fd(fd);
}

absl::Status WriteAll(int fd, const void* data, std::size_t size, const std::string& path) {
  const char* next = static_cast<const char*>(data);
  std::size_t left = size;
  while (left > 0) {
    const ssize_t count = write(fd, next, left);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return DiskError(errno, fmt::format("write {} bytes to", size), path);
    next += count;
    left -= static_cast<std::size_t>(count);
  }
  return absl::OkStatus();
}

absl::Status AppendSparsely(int fd, const void* data, std::size_t size, const std::string& path) {
  const char* next = static_cast<const char*>(data);
  bool ends_in_hole = false;
  for (bool zero = false; size > 0; zero = !zero) {
    const std::size_t length = RunLength(next, size, zero);
    if (length == 0) continue;
    if (!zero) POTOK_RETURN_IF_ERROR(WriteAll(fd, next, length, path));
    if (zero && lseek(fd, static_cast<off_t>(length), SEEK_CUR) < 0) {
      return DiskError(errno, "seek in", path);
    }
    ends_in_hole = zero;
    next += length;
    size -= length;
  }
  if (!ends_in_hole) return absl::OkStatus();
  const off_t end = lseek(fd, 0, SEEK_CUR);
  if (end < 0 || ftruncate(fd, end) != 0) return DiskError(errno, "lengthen", path);
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadWholeFile(const std::string& path) {
  // Without O_NONBLOCK a pipe put in the file's place would hold us for ever.
  POTOK_ASSIGN_OR_RETURN(const Fd fd, OpenFile(path, O_RDONLY | O_NONBLOCK));
  return ReadWholeFile(fd.get(), path);
}

absl::StatusOr<std::string> ReadWholeFile(int fd, const std::string& path) {
  std::string content;
  Buffer buffer;
  for (;;) {
    POTOK_ASSIGN_OR_RETURN(const std::size_t count, ReadSome(fd, buffer, path));
    if (count == 0) return content;
    content.append(buffer.data, count);
  }
}

absl::StatusOr<std::int64_t> HashRest(int fd, Hasher& hasher, const std::string& path) {
  Buffer buffer;
  std::int64_t total_bytes = 0;
  // A hole that is read takes memory and time for pages of zeros.
  const bool sparse = IsSparse(fd);
  for (;;) {
    if (sparse) {
      const std::int64_t hole_bytes = PassHole(fd);
      HashZeros(hole_bytes, hasher);
      total_bytes += hole_bytes;
    }
    POTOK_ASSIGN_OR_RETURN(const std::size_t count, ReadSome(fd, buffer, path));
    if (count == 0) return total_bytes;
    hasher.Update(buffer.data, count);
    total_bytes += static_cast<std::int64_t>(count);
  }
}

absl::StatusOr<Digest> CopyAndHash(int from, int to, const std::string& path) {
  Hasher hasher;
  if (ioctl(to, FICLONE, from) == 0) {
    // What was cloned is hashed, not the source: that one may be changing.
    POTOK_RETURN_IF_ERROR(HashRest(to, hasher, path).status());
    return hasher.Finish();
  }
  Buffer buffer;
  for (;;) {
    POTOK_ASSIGN_OR_RETURN(const std::size_t count, ReadSome(from, buffer, path));
    if (count == 0) return hasher.Finish();
    hasher.Update(buffer.data, count);
    POTOK_RETURN_IF_ERROR(AppendSparsely(to, buffer.data, count, path));
  }
}

absl::Status SyncFolder(const std::string& path) {
  POTOK_ASSIGN_OR_RETURN(const Fd fd, OpenFile(path, O_RDONLY | O_DIRECTORY));
  if (fsync(fd.get()) != 0) return DiskError(errno, "sync", path);
  return absl::OkStatus();
}

absl::Status SyncDisk(const std::string& path) {
  POTOK_ASSIGN_OR_RETURN(const Fd fd, OpenFile(path, O_RDONLY));
  if (syncfs(fd.get()) != 0) return DiskError(errno, "sync the disk of", path);
  return absl::OkStatus();
}

absl::Status RemoveTree(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (error) return DiskError(error.value(), "remove", path);
  return absl::OkStatus();
}

}  // namespace potok
