#include "agent/domain/log_limit.h"

#include <algorithm>

#include "common/base/resources.h"
#include "fmt/format.h"

namespace potok::agent {

std::string LogCutMark(const LogLimit& limit) {
  return fmt::format(
      "\n[potok] log cut here: the limit of {} is reached; of what follows only the last {} are "
      "kept, and shown when the step has ended\n",
      FormatBytes(limit.head_bytes),
      FormatBytes(limit.end_bytes));
}

StoredLog StoredLogOf(std::int64_t file_bytes, const LogLimit& limit) {
  StoredLog stored;
  stored.head_bytes = std::min(file_bytes, limit.head_bytes);
  if (file_bytes <= limit.head_bytes) return stored;
  stored.end_bytes = std::min(file_bytes - limit.head_bytes, limit.end_bytes);
  stored.end_offset = file_bytes - stored.end_bytes;
  stored.marks = LogCutMark(limit);
  if (const std::int64_t dropped = stored.end_offset - limit.head_bytes; dropped > 0) {
    stored.marks += fmt::format(
        "[potok] {} bytes were dropped here; the last {} follow\n", dropped, stored.end_bytes);
  }
  return stored;
}

}  // namespace potok::agent
