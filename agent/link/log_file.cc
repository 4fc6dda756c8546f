#include "agent/link/log_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "agent/domain/log_limit.h"

namespace potok::agent {
namespace {

// Disk that a log beyond its limit may hold before it is given back.
constexpr std::int64_t kFreeBytes = 16 << 20;

}  // namespace

LogFile::~LogFile() {
  if (file_ >= 0) close(file_);
}

LogFile::LogFile(LogFile&& other) noexcept
    : path_(std::move(other.path_)),
      file_(std::exchange(other.file_, -1)),
      total_(other.total_),
      freed_to_(other.freed_to_) {}

std::int64_t LogFile::FileBytes() {
  if (file_ < 0) file_ = open(path_.c_str(), O_RDWR | O_CLOEXEC);
  struct stat facts {};
  if (file_ < 0 || fstat(file_, &facts) != 0) return 0;
  return facts.st_size;
}

std::int64_t LogFile::Available() {
  const std::int64_t file_bytes = FileBytes();
  if (!total_) {
    FreeBeyondLimit(file_bytes);
    return std::min(file_bytes, kLogBytesMax);
  }
  if (StoredLogBytes(file_bytes) < *total_) total_ = StoredLogBytes(file_bytes);
  return *total_;
}

void LogFile::FreeBeyondLimit(std::int64_t file_bytes) {
  const std::int64_t from = std::max(freed_to_, kLogBytesMax);
  if (file_bytes - from < kFreeBytes) return;
  // The size stays, as the writer appends; the blocks go (fallocate(2)). Not every file system can.
  fallocate(file_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, from, file_bytes - from);
  freed_to_ = file_bytes;
}

std::string LogFile::Read(std::int64_t offset, std::int64_t bytes_max) {
  if (offset >= kLogBytesMax) {
    const auto from = static_cast<std::size_t>(offset - kLogBytesMax);
    if (from >= LogCutMark().size() || total() <= kLogBytesMax) return "";
    return LogCutMark().substr(from);
  }
  const std::int64_t end = std::min(Available(), kLogBytesMax);
  if (offset >= end) return "";
  std::string bytes(static_cast<std::size_t>(std::min(bytes_max, end - offset)), '\0');
  const ssize_t count = pread(file_, bytes.data(), bytes.size(), offset);
  bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return bytes;
}

}  // namespace potok::agent
