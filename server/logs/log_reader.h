// Reads one attempt's log wherever its bytes are: in the file that grows or, once it is finished,
// in the packed one. One thread; blocks on the disk.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/logs/log_files.h"
#include "server/logs/log_index.h"
#include "server/logs/packed_log.h"

namespace potok::server {

// Names of an attempt's files: `stem` without an ending.
struct LogPaths {
  std::string stem;
  std::string plain() const { return stem + ".log"; }
  std::string packed() const { return stem + ".log.zst"; }
  std::string index() const { return stem + ".index"; }
};

class LogReader {
 public:
  explicit LogReader(LogPaths paths) : paths_(std::move(paths)) {}

  // Bytes there are; 0 if there is no log.
  absl::StatusOr<std::int64_t> Size();

  // Up to `bytes_max` from `offset`, less if that is quicker; empty at the end.
  absl::StatusOr<std::string> Read(std::int64_t offset, std::size_t bytes_max);

  // Keeps no file open until the next call.
  void Close();

  // Ends of lines before `offset`.
  absl::StatusOr<std::int64_t> LinesBefore(std::int64_t offset);

  // Where the line with so many lines before it begins; the size if there is no such line.
  absl::StatusOr<std::int64_t> BeginOfLine(std::int64_t lines_before);

  // Where the last `lines` lines begin. What follows the last end of a line is one.
  absl::StatusOr<std::int64_t> BeginOfLast(std::int64_t lines);

  // Where the first line begins of which something arrived at `time_us` or later, to a tenth of a
  // second; the size if nothing did.
  absl::StatusOr<std::int64_t> BeginOfTime(std::int64_t time_us);
  // Where what arrived after `time_us` begins; the size if nothing did.
  absl::StatusOr<std::int64_t> EndOfTime(std::int64_t time_us);

  // When the bytes of [begin, end) arrived: the first point at or before `begin`, then those
  // within, at most `count_max`.
  std::vector<LogPoint> Times(std::int64_t begin, std::int64_t end, std::size_t count_max);

 private:
  absl::Status Open();
  // The point at or before `offset` where the log has no index: its beginning, at the time of its
  // last change, as it all came at once.
  LogPoint WithTime(LogPoint point) const;
  absl::StatusOr<std::int64_t> FirstPointFrom(std::int64_t time_us);

  const LogPaths paths_;
  LogFd plain_;
  std::optional<PackedLog> packed_;
};

}  // namespace potok::server
