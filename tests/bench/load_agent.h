// A machine of the load generator: an agent's stream without processes, of which thousands fit into
// one program. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/runtime/mutex.h"

namespace grpc {
class Channel;
}

namespace potok::bench {

struct LoadMachine {
  std::string name;
  std::string pool;
  std::int32_t cpus = 0;
  std::int64_t memory_bytes = 0;
};

// What all agents of a load share.
struct LoadCounts {
  std::atomic<std::int64_t> ordered = 0;
  std::atomic<std::int64_t> ended = 0;
  std::atomic<std::int64_t> broken = 0;  // streams that ended before they were asked to
  // Whether an attempt ends as soon as it was ordered; else EndOne ends it.
  std::atomic<bool> ends_at_once = false;

  Mutex mutex;
  // From the report that frees a place to the next order for that machine, while EndOne is used.
  std::vector<double> refill_us ABSL_GUARDED_BY(mutex);
};

class LoadAgent {
 public:
  // Connects on a connection of its own to "unix:PATH" or "HOST:PORT" and says Hello; `counts`
  // outlives it. WaitForWelcome tells how that went.
  LoadAgent(const std::string& address, const LoadMachine& machine, LoadCounts& counts);
  ~LoadAgent();  // as if the machine had vanished
  LoadAgent(const LoadAgent&) = delete;
  LoadAgent& operator=(const LoadAgent&) = delete;

  // UNAVAILABLE with what the server said.
  absl::Status WaitForWelcome();
  void Beat();
  // Reports the end of one attempt that it was ordered; false if it has none.
  bool EndOne();
  // Reports the end of all that it has.
  void EndAll();

 private:
  class Stream;
  std::shared_ptr<Stream> stream_;
};

}  // namespace potok::bench
