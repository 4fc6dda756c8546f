// What an attempt used of its machine. A value; pure.
#pragma once

#include <cstdint>
#include <optional>

#include "absl/time/time.h"
#include "common/base/attempt.h"

namespace potok {

// Until the attempt's end, or so far.
struct Usage {
  // Of all its processes together, with files cached for them where the kernel counts these too;
  // 0: not known.
  std::int64_t peak_memory_bytes = 0;
  std::int64_t memory_bytes = 0;  // now; of a running attempt only
  absl::Duration cpu_time;        // of all its processes, in user and system mode
  absl::Duration wall_time;       // from the start of its command to the end of its last process
  std::optional<std::int64_t> read_bytes;     // from storage
  std::optional<std::int64_t> written_bytes;  // to storage
  // Of the GPUs that it held: 0 to 1 each, the mean over them and over time. Of a GPU that steps
  // share, what all of them did on it.
  std::optional<double> gpu_utilization;
  std::int64_t gpu_peak_memory_bytes = 0;  // of them together; 0: not known
  // The kernel ended one of its processes for want of memory, and its command went on.
  bool child_out_of_memory = false;
  // Of its code and inputs, before its command began: what came from the store, and what was on the
  // machine already. Nothing: not known.
  std::optional<std::int64_t> fetched_bytes;
  std::optional<std::int64_t> found_bytes;
  bool operator==(const Usage&) const = default;
};

// What an attempt whose processes run has used so far. The peak of its memory is what was ever
// seen.
struct UsageSoFar {
  AttemptKey key;
  Usage usage;
};

}  // namespace potok
