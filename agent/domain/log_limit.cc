#include "agent/domain/log_limit.h"

namespace potok::agent {

const std::string& LogCutMark() {
  static const std::string mark =
      "\n[potok] The log is cut here: 1 GiB is kept of it, and this step wrote more.\n";
  return mark;
}

std::int64_t StoredLogBytes(std::int64_t file_bytes) {
  if (file_bytes <= kLogBytesMax) return file_bytes;
  return kLogBytesMax + static_cast<std::int64_t>(LogCutMark().size());
}

}  // namespace potok::agent
