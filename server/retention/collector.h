// Collects garbage: ends the retention of runs, then removes what nothing names from the store.
// Mark and sweep beside everything else; see docs/decisions/0030-what-is-kept.md.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/cas/blob_store.h"
#include "common/runtime/mutex.h"
#include "server/logs/log_store.h"
#include "server/retention/artifacts_in.h"
#include "server/retention/marker.h"
#include "server/store/retention_store.h"

namespace potok::server {

// What names artifacts that are kept for ever: one for each kind of thing besides runs. Runs are
// known to the collector itself.
class RootSource {
 public:
  virtual ~RootSource() = default;
  // Every artifact it names; an error means that they are not known, and nothing is removed.
  virtual absl::Status ForEach(const SeeArtifact& see) = 0;
};

struct CollectionOptions {
  bool dry_run = false;
  absl::Duration unused_for = absl::Hours(24);
};

// How far it is, and at last what it did. In a dry run: what it would do.
struct Collected {
  std::string phase;
  std::int64_t runs_ended = 0;
  std::int64_t roots = 0;
  std::int64_t folders = 0;
  std::int64_t blobs = 0;
  std::int64_t bytes = 0;
  std::int64_t freed_blobs = 0;
  std::int64_t freed_bytes = 0;
  std::int64_t spared_blobs = 0;
  std::int64_t spared_bytes = 0;
  std::int64_t freed_logs = 0;
  std::int64_t freed_log_bytes = 0;
};

// Thread-safe: one collection at a time.
class Collector {
 public:
  struct Parts {
    RetentionStore* store = nullptr;
    BlobStore* blobs = nullptr;  // null: artifacts are in another store, which evicts by itself
    LogStore* logs = nullptr;
    std::vector<RootSource*> sources;
    // Returns when the tables show all that was committed before the call.
    std::function<absl::Status()> settle;
    absl::Duration retention = absl::InfiniteDuration();  // of runs that say nothing
  };
  // What `parts` points to outlives it.
  explicit Collector(Parts parts) : parts_(std::move(parts)) {}

  // `go_on` hears how far it is, and is asked whether to go on: else CANCELLED. ABORTED while
  // another is under way; INVALID_ARGUMENT for less than ten minutes of unused_for. What was
  // removed before an error or a crash stays removed; the next goes on.
  absl::StatusOr<Collected> Collect(const CollectionOptions& options,
                                    const std::function<bool(const Collected&)>& go_on);

 private:
  class Collection;

  const Parts parts_;
  Mutex mutex_;
  bool is_under_way_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace potok::server
