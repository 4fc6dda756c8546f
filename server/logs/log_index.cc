#include "server/logs/log_index.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cstring>

#include "server/logs/lines.h"

namespace potok::server {
namespace {

// On disk, in the byte order of the machine (all that Potok runs on are little-endian).
struct Record {
  std::int64_t offset;
  std::int64_t line;
  std::int64_t time_us;
  std::uint32_t kind;
  std::uint32_t checksum;
};
static_assert(sizeof(Record) == 32 && std::endian::native == std::endian::little);

constexpr std::uint32_t kKindPoint = 1;
constexpr std::uint32_t kKindEnd = 2;

// FNV-1a: it has to see a torn record, not an attacker.
std::uint32_t ChecksumOf(const Record& record) {
  std::array<unsigned char, sizeof record - sizeof record.checksum> bytes{};
  std::memcpy(bytes.data(), &record, bytes.size());
  std::uint32_t sum = 2166136261U;
  for (const unsigned char byte : bytes) sum = (sum ^ byte) * 16777619U;
  return sum;
}

}  // namespace

LogIndex::LogIndex(const std::string& path) : file_(path, O_RDONLY) {}

std::int64_t LogIndex::size() const {
  return file_.size() / static_cast<std::int64_t>(sizeof(Record));
}

bool LogIndex::ReadPoint(std::int64_t number, LogPoint* point) const {
  Record record{};
  std::array<char, sizeof record> bytes{};
  const auto at = number * static_cast<std::int64_t>(sizeof record);
  if (file_.ReadAt(at, bytes.data(), bytes.size()) != sizeof record) return false;
  std::memcpy(&record, bytes.data(), sizeof record);
  if (record.checksum != ChecksumOf(record)) return false;
  *point = {record.offset, record.line, record.time_us, record.kind == kKindEnd};
  return true;
}

template <class Condition>
std::int64_t LogIndex::CountWhile(const Condition& condition) const {
  std::int64_t low = 0;
  std::int64_t high = size();
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    LogPoint point;
    if (ReadPoint(middle, &point) && condition(point)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

LogPoint LogIndex::Last(By by, std::int64_t value, std::int64_t log_bytes) const {
  const std::int64_t count = CountWhile([&](const LogPoint& point) {
    if (point.offset > log_bytes) return false;
    if (by == By::kOffset) return point.offset <= value;
    return (by == By::kLine ? point.line : point.time_us) <= value;
  });
  LogPoint point;
  if (count == 0 || !ReadPoint(count - 1, &point)) return {};
  return point;
}

LogPoint LogIndex::FirstAfter(std::int64_t time_us, std::int64_t log_bytes) const {
  std::int64_t number = CountWhile(
      [&](const LogPoint& point) { return point.offset <= log_bytes && point.time_us <= time_us; });
  LogPoint point;
  for (const std::int64_t count = size(); number < count; ++number) {
    if (ReadPoint(number, &point) && point.time_us > time_us) break;
    point = {.offset = log_bytes};
  }
  if (number >= size() || point.offset > log_bytes) return {.offset = log_bytes};
  return point;
}

std::int64_t LogIndex::CountWithin(std::int64_t log_bytes, LogPoint* last) const {
  const std::int64_t count =
      CountWhile([&](const LogPoint& point) { return point.offset <= log_bytes; });
  if (count == 0 || !ReadPoint(count - 1, last)) *last = {};
  return count;
}

std::vector<LogPoint> LogIndex::Between(std::int64_t begin,
                                        std::int64_t end,
                                        std::size_t count_max) const {
  std::vector<LogPoint> points;
  std::int64_t number = CountWhile([&](const LogPoint& point) { return point.offset < begin; });
  LogPoint point;
  while (points.size() < count_max && ReadPoint(number++, &point) && point.offset < end) {
    points.push_back(point);
  }
  return points;
}

LogIndexWriter::LogIndexWriter(std::string path, const std::string& log, std::int64_t log_bytes)
    : path_(std::move(path)) {
  if (log_bytes > 0) Recover(log, log_bytes);
}

void LogIndexWriter::Recover(const std::string& log, std::int64_t log_bytes) {
  const LogIndex index(path_);
  const std::int64_t count = index.CountWithin(log_bytes, &last_);
  const auto kept_bytes = count * static_cast<std::int64_t>(sizeof(Record));
  exists_ = index.size() > 0 && truncate(path_.c_str(), kept_bytes) == 0;
  has_points_ = count > 0;
  end_ = last_.offset;
  lines_ = last_.line;
  const LogFd file(log, O_RDONLY);
  const absl::Time changed = absl::FromUnixMicros(file.changed_us());
  std::string piece(static_cast<std::size_t>(kPointBytes), '\0');
  while (end_ < log_bytes) {
    const std::int64_t got = file.ReadAt(
        end_, piece.data(), static_cast<std::size_t>(std::min(kPointBytes, log_bytes - end_)));
    if (got <= 0) break;
    Append(piece.data(), static_cast<std::size_t>(got), changed);
  }
}

void LogIndexWriter::Append(const char* data, std::size_t size, absl::Time now) {
  // Never backwards, also when the clock goes: by that they are searched.
  const std::int64_t time_us = std::max(absl::ToUnixMicros(now), last_.time_us);
  if (size > 0 && (!has_points_ || time_us - last_.time_us >= kPointMicros)) Add(time_us, false);
  while (size > 0) {
    if (end_ - last_.offset >= kPointBytes) Add(time_us, false);
    const auto room = static_cast<std::size_t>(kPointBytes - (end_ - last_.offset));
    const std::size_t part = std::min(size, room);
    lines_ += CountLines(data, part);
    end_ += static_cast<std::int64_t>(part);
    data += part;
    size -= part;
  }
  Flush();
}

void LogIndexWriter::End(absl::Time now) {
  if (!has_points_ || ended()) return;
  Add(std::max(absl::ToUnixMicros(now), last_.time_us), true);
  Flush();
}

void LogIndexWriter::Add(std::int64_t time_us, bool is_end) {
  last_ = {end_, lines_, time_us, is_end};
  has_points_ = true;
  Record record{end_, lines_, time_us, is_end ? kKindEnd : kKindPoint, 0};
  record.checksum = ChecksumOf(record);
  std::array<char, sizeof record> bytes{};
  std::memcpy(bytes.data(), &record, sizeof record);
  pending_.append(bytes.data(), bytes.size());
}

// An index that cannot be written is as one that was torn: it says less.
void LogIndexWriter::Flush() {
  if (pending_.size() < (exists_ ? 1 : 2) * sizeof(Record)) return;
  if (!file_.is_open()) file_ = LogFd(path_, O_WRONLY | O_CREAT);
  if (!file_.is_open()) return;
  exists_ = true;
  constexpr auto kRecordBytes = static_cast<std::int64_t>(sizeof(Record));
  const std::int64_t whole = file_.size() / kRecordBytes * kRecordBytes;
  if (file_.WriteAt(whole, pending_.data(), pending_.size())) pending_.clear();
}

}  // namespace potok::server
