// Brings the logs of attempts to the server. Port of the agent's loop; the real one is
// log_shipper.h.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/attempt.h"

namespace potok::agent {

// One thread calls; nothing blocks.
class LogSink {
 public:
  virtual ~LogSink() = default;
  // How much it stores of a log file that has ended with `file_bytes`.
  virtual std::int64_t StoredBytes(std::int64_t file_bytes) const = 0;
  // Ships what is appended to the file from now on, and what is in it.
  virtual void Follow(const AttemptKey& key, const std::string& path) = 0;
  // The file is complete; `stored_bytes` > 0 of it are kept (StoredBytes). Posts LogStored once
  // the server has them.
  virtual void Finish(const AttemptKey& key,
                      const std::string& path,
                      std::int64_t stored_bytes) = 0;
  // Nobody wants to know; posts nothing.
  virtual void Drop(const AttemptKey& key) = 0;
};

}  // namespace potok::agent
