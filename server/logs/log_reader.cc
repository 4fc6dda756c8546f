#include "server/logs/log_reader.h"

#include <fcntl.h>

#include <cerrno>
#include <cstring>

#include "common/base/status_macros.h"
#include "server/logs/lines.h"

namespace potok::server {
namespace {

constexpr std::size_t kScanBytes = std::size_t{64} << 10;

}  // namespace

// The packed one has its name only when it is whole, and the plain one goes after that: whoever
// finds neither in this order has missed the moment between, and looks again.
absl::Status LogReader::Open() {
  if (plain_.is_open() || packed_.has_value()) return absl::OkStatus();
  for (int look = 0; look < 2; ++look) {
    plain_ = LogFd(paths_.plain(), O_RDONLY);
    if (plain_.is_open()) return absl::OkStatus();
    if (errno != ENOENT) return LogErrno("opening log " + paths_.plain(), errno);
    absl::StatusOr<PackedLog> packed = PackedLog::Open(paths_.packed());
    if (packed.ok()) {
      packed_ = *std::move(packed);
      return absl::OkStatus();
    }
    if (!absl::IsNotFound(packed.status())) return packed.status();
  }
  return absl::OkStatus();
}

void LogReader::Close() {
  plain_ = LogFd();
  packed_.reset();
}

absl::StatusOr<std::int64_t> LogReader::Size() {
  POTOK_RETURN_IF_ERROR(Open());
  return packed_ ? packed_->size() : plain_.size();
}

absl::StatusOr<std::string> LogReader::Read(std::int64_t offset, std::size_t bytes_max) {
  POTOK_RETURN_IF_ERROR(Open());
  if (packed_) return packed_->Read(offset, bytes_max);
  if (!plain_.is_open()) return std::string();
  const std::int64_t left = plain_.size() - offset;
  if (left <= 0) return std::string();
  std::string data(std::min(bytes_max, static_cast<std::size_t>(left)), '\0');
  const std::int64_t got = plain_.ReadAt(offset, data.data(), data.size());
  if (got < 0) return LogErrno("reading log " + paths_.plain(), errno);
  data.resize(static_cast<std::size_t>(got));
  return data;
}

absl::StatusOr<std::int64_t> LogReader::LinesBefore(std::int64_t offset) {
  POTOK_ASSIGN_OR_RETURN(const std::int64_t size, Size());
  const std::int64_t end = std::min(offset, size);
  const LogPoint point = LogIndex(paths_.index()).Last(LogIndex::By::kOffset, end, size);
  std::int64_t lines = point.line;
  for (std::int64_t at = point.offset; at < end;) {
    POTOK_ASSIGN_OR_RETURN(const std::string data,
                           Read(at, std::min(kScanBytes, static_cast<std::size_t>(end - at))));
    if (data.empty()) break;
    lines += CountLines(data.data(), data.size());
    at += static_cast<std::int64_t>(data.size());
  }
  return lines;
}

absl::StatusOr<std::int64_t> LogReader::BeginOfLine(std::int64_t lines_before) {
  if (lines_before <= 0) return 0;
  POTOK_ASSIGN_OR_RETURN(const std::int64_t size, Size());
  const LogPoint point = LogIndex(paths_.index()).Last(LogIndex::By::kLine, lines_before - 1, size);
  std::int64_t to_pass = lines_before - point.line;
  for (std::int64_t at = point.offset; at < size;) {
    POTOK_ASSIGN_OR_RETURN(const std::string data, Read(at, kScanBytes));
    if (data.empty()) break;
    for (std::size_t from = 0, end = 0; (end = data.find('\n', from)) != std::string::npos;
         from = end + 1) {
      if (--to_pass == 0) return at + static_cast<std::int64_t>(end) + 1;
    }
    at += static_cast<std::int64_t>(data.size());
  }
  return size;
}

absl::StatusOr<std::int64_t> LogReader::BeginOfLast(std::int64_t lines) {
  POTOK_ASSIGN_OR_RETURN(const std::int64_t size, Size());
  if (size == 0 || lines <= 0) return size;
  POTOK_ASSIGN_OR_RETURN(std::int64_t all, LinesBefore(size));
  POTOK_ASSIGN_OR_RETURN(const std::string last, Read(size - 1, 1));
  if (last.empty() || last[0] != '\n') ++all;
  return BeginOfLine(all - lines);
}

absl::StatusOr<std::int64_t> LogReader::FirstPointFrom(std::int64_t time_us) {
  POTOK_ASSIGN_OR_RETURN(const std::int64_t size, Size());
  const LogIndex index(paths_.index());
  if (index.size() > 0) return index.FirstAfter(time_us - 1, size).offset;
  return WithTime({}).time_us >= time_us ? 0 : size;
}

absl::StatusOr<std::int64_t> LogReader::BeginOfTime(std::int64_t time_us) {
  POTOK_ASSIGN_OR_RETURN(const std::int64_t first, FirstPointFrom(time_us));
  POTOK_ASSIGN_OR_RETURN(const std::int64_t size, Size());
  if (first >= size) return size;
  POTOK_ASSIGN_OR_RETURN(const std::int64_t lines, LinesBefore(first));
  return BeginOfLine(lines);
}

absl::StatusOr<std::int64_t> LogReader::EndOfTime(std::int64_t time_us) {
  return FirstPointFrom(time_us + 1);
}

LogPoint LogReader::WithTime(LogPoint point) const {
  if (point.time_us == 0) point.time_us = plain_.changed_us();
  return point;
}

std::vector<LogPoint> LogReader::Times(std::int64_t begin,
                                       std::int64_t end,
                                       std::size_t count_max) {
  const LogIndex index(paths_.index());
  std::vector<LogPoint> points = {WithTime(index.Last(LogIndex::By::kOffset, begin, end))};
  points.front().offset = begin;
  for (const LogPoint& point : index.Between(begin + 1, end, count_max)) points.push_back(point);
  return points;
}

}  // namespace potok::server
