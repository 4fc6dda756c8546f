// The log of one attempt on its way to the server. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "agent/domain/log_limit.h"

namespace potok::agent {

class LogFile {
 public:
  LogFile(std::string path, const LogLimit& limit) : path_(std::move(path)), limit_(limit) {}
  ~LogFile();
  LogFile(LogFile&& other) noexcept;
  LogFile& operator=(LogFile&&) = delete;

  const std::string& path() const { return path_; }

  // Nothing is appended any more; `stored_bytes` (StoredLogOf) of it are kept.
  void SetTotal(std::int64_t stored_bytes) { total_ = stored_bytes; }

  // Bytes that could be sent now, of what is kept.
  std::int64_t Available();

  // Up to `bytes_max` bytes from `offset` of what is kept: of the file, then of the marks that say
  // what is not, then of the file's end. Empty when there are none.
  std::string Read(std::int64_t offset, std::int64_t bytes_max);

  bool finished() const { return total_.has_value(); }
  // With SetTotal: all that is kept. A file that lost bytes on disk has fewer.
  std::int64_t total() const { return total_.value_or(0); }

 private:
  std::int64_t FileBytes();
  void FreeBeyondLimit(std::int64_t file_bytes);
  std::string ReadFile(std::int64_t offset, std::int64_t bytes) const;

  std::string path_;
  LogLimit limit_;
  int file_ = -1;  // opened when it is first read
  std::optional<std::int64_t> total_;
  std::optional<StoredLog> stored_;  // of a finished one
  std::int64_t freed_to_ = 0;
};

}  // namespace potok::agent
