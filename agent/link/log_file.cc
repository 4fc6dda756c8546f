#include "agent/link/log_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

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
      limit_(other.limit_),
      file_(std::exchange(other.file_, -1)),
      total_(other.total_),
      stored_(std::move(other.stored_)),
      freed_to_(other.freed_to_) {}

std::int64_t LogFile::FileBytes() {
  if (file_ < 0) file_ = open(path_.c_str(), O_RDWR | O_CLOEXEC);
  struct stat facts {};
  if (file_ < 0 || fstat(file_, &facts) != 0) return 0;
  return facts.st_size;
}

std::int64_t LogFile::Available() {
  if (stored_) return *total_;
  const std::int64_t file_bytes = FileBytes();
  if (total_) {
    stored_ = StoredLogOf(file_bytes, limit_);
    total_ = std::min(*total_, stored_->bytes());
    return *total_;
  }
  FreeBeyondLimit(file_bytes);
  if (file_bytes <= limit_.head_bytes) return file_bytes;
  return limit_.head_bytes + static_cast<std::int64_t>(LogCutMark(limit_).size());
}

void LogFile::FreeBeyondLimit(std::int64_t file_bytes) {
  const std::int64_t from = std::max(freed_to_, limit_.head_bytes);
  const std::int64_t to = file_bytes - limit_.end_bytes;
  if (to - from < kFreeBytes) return;
  // The size stays, as the writer appends; the blocks go (fallocate(2)). Not every file system can.
  fallocate(file_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, from, to - from);
  freed_to_ = to;
}

std::string LogFile::ReadFile(std::int64_t offset, std::int64_t bytes) const {
  std::string data(static_cast<std::size_t>(bytes), '\0');
  const ssize_t count = pread(file_, data.data(), data.size(), offset);
  data.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return data;
}

std::string LogFile::Read(std::int64_t offset, std::int64_t bytes_max) {
  const std::int64_t available = Available();
  if (offset >= available) return "";
  const std::int64_t bytes = std::min(bytes_max, available - offset);
  const std::int64_t head = std::min(available, limit_.head_bytes);
  if (offset < head) return ReadFile(offset, std::min(bytes, head - offset));
  const std::string marks = stored_ ? stored_->marks : LogCutMark(limit_);
  const auto beyond = static_cast<std::size_t>(offset - head);
  if (beyond < marks.size()) return marks.substr(beyond, static_cast<std::size_t>(bytes));
  return ReadFile(stored_->end_offset + static_cast<std::int64_t>(beyond - marks.size()), bytes);
}

}  // namespace potok::agent
