// The index beside a log: points of it, each with the line that begins or goes on there and the
// time when it arrived. By it a line, a time, or the last lines are found without reading the log.
//
// A file of records of 32 bytes that is only appended to; a record that was torn is seen by its
// checksum, and what follows it does not count. Whoever appends to the log writes the bytes first
// and then their points: an index may end before its log, never the other way but after a power
// cut. Times are Unix microseconds of the server's clock, so that those of one log can be compared.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "server/logs/log_files.h"

namespace potok::server {

// Two points are no further apart than this in bytes,
inline constexpr std::int64_t kPointBytes = 64 << 10;
// and no closer than this in time, unless in bytes: a week of ten lines a second takes 190 MB.
inline constexpr std::int64_t kPointMicros = 100'000;

struct LogPoint {
  std::int64_t offset = 0;   // of the log
  std::int64_t line = 0;     // ends of lines before it
  std::int64_t time_us = 0;  // when what lies from here to the next point arrived; 0: not known
  bool is_end = false;       // the log is finished and `offset` long

  bool operator==(const LogPoint&) const = default;
};

// Reads an index, also while it grows. One thread.
class LogIndex {
 public:
  // One that is not there has no points.
  explicit LogIndex(const std::string& path);

  enum class By { kOffset, kLine, kTime };
  // The last point whose value is at most `value` and whose offset is at most `log_bytes`; the
  // beginning of the log, at no known time, if there is none. Reads some ten records.
  LogPoint Last(By by, std::int64_t value, std::int64_t log_bytes) const;
  // The first point whose time is greater than `time_us`; `log_bytes` and no time if there is none.
  LogPoint FirstAfter(std::int64_t time_us, std::int64_t log_bytes) const;
  // Points with offsets of [begin, end), at most `count_max`.
  std::vector<LogPoint> Between(std::int64_t begin, std::int64_t end, std::size_t count_max) const;

  // How many points lie in the first `log_bytes` of the log, and the last of them.
  std::int64_t CountWithin(std::int64_t log_bytes, LogPoint* last) const;

  std::int64_t size() const;

 private:
  // How many points, from the first, are whole and fulfil a condition that no later one fulfils
  // once one does not.
  template <class Condition>
  std::int64_t CountWhile(const Condition& condition) const;
  // False for one that is torn.
  bool ReadPoint(std::int64_t number, LogPoint* point) const;

  LogFd file_;
};

// Appends to an index. One thread.
class LogIndexWriter {
 public:
  // For a log at `log` of `log_bytes`: drops what is torn or lies beyond, and reads what is not yet
  // indexed. Takes long only for a log without an index.
  LogIndexWriter(std::string path, const std::string& log, std::int64_t log_bytes);

  // These bytes were appended. A log that came at once and is small has no index: all of it has
  // the time of its file.
  void Append(const char* data, std::size_t size, absl::Time now);
  // The log is finished, and long enough to be packed.
  void End(absl::Time now);

  bool ended() const { return last_.is_end; }

  // Keeps no file open until the next Append.
  void Close() { file_ = LogFd(); }

 private:
  void Recover(const std::string& log, std::int64_t log_bytes);
  void Add(std::int64_t time_us, bool is_end);
  void Flush();

  const std::string path_;
  LogFd file_;
  bool exists_ = false;
  std::string pending_;  // records to write
  LogPoint last_;
  bool has_points_ = false;
  std::int64_t end_ = 0;
  std::int64_t lines_ = 0;
};

}  // namespace potok::server
