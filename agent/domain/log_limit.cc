#include "agent/domain/log_limit.h"

#include <algorithm>

#include "fmt/format.h"

namespace potok::agent {

const std::string& LogCutMark() {
  static const std::string mark = fmt::format(
      "\n[potok] log cut here: the limit of {} MiB is reached; of what follows only the last {} "
      "MiB are kept, and shown when the step has ended\n",
      kLogBytesMax >> 20,
      kLogEndBytesMax >> 20);
  return mark;
}

StoredLog StoredLogOf(std::int64_t file_bytes) {
  StoredLog stored;
  stored.head_bytes = std::min(file_bytes, kLogBytesMax);
  if (file_bytes <= kLogBytesMax) return stored;
  stored.end_bytes = std::min(file_bytes - kLogBytesMax, kLogEndBytesMax);
  stored.end_offset = file_bytes - stored.end_bytes;
  stored.marks = LogCutMark();
  if (const std::int64_t dropped = stored.end_offset - kLogBytesMax; dropped > 0) {
    stored.marks += fmt::format(
        "[potok] {} bytes were dropped here; the last {} follow\n", dropped, stored.end_bytes);
  }
  return stored;
}

std::int64_t StoredLogBytes(std::int64_t file_bytes) {
  return StoredLogOf(file_bytes).bytes();
}

}  // namespace potok::agent
