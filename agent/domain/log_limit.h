// How much of a step's log is kept. Pure.
#pragma once

#include <cstdint>
#include <string>

namespace potok::agent {

struct LogLimit {
  // Bytes of one attempt's log that are stored from its beginning, as they come.
  std::int64_t head_bytes = std::int64_t{1} << 30;
  // Of what lies beyond, so much of the end is stored too, once the attempt has ended: there a
  // failure says why.
  std::int64_t end_bytes = std::int64_t{1} << 20;
};

// The line that stands where a log was cut, from the moment it grows beyond the limit.
std::string LogCutMark(const LogLimit& limit);

// What is stored of a log file that nothing is appended to any more: its first `head_bytes`, then
// `marks`, then `end_bytes` from `end_offset` on.
struct StoredLog {
  std::int64_t head_bytes = 0;
  std::string marks;  // empty if all of it is stored
  std::int64_t end_offset = 0;
  std::int64_t end_bytes = 0;

  std::int64_t bytes() const {
    return head_bytes + static_cast<std::int64_t>(marks.size()) + end_bytes;
  }
};
StoredLog StoredLogOf(std::int64_t file_bytes, const LogLimit& limit);

}  // namespace potok::agent
