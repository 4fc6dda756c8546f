// Watches of runs: each is told what the tables show, and again whenever its run changed. A slow
// watcher gets the latest view only; nothing is queued for it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>

#include "common/runtime/mutex.h"
#include "common/runtime/worker_pool.h"
#include "server/store/store.h"

namespace potok::server {

// Thread-safe.
class WatchHub {
 public:
  // `threads` read the database for watchers.
  WatchHub(Projector& projector, int threads);
  ~WatchHub() { Close(); }

  // Calls `look(revision)` on a thread of the hub when the tables show at least `revision`, the
  // newest that touched the run: once soon after this call, and then after each change, never twice
  // at once. `look` returns false to end the watch. `end` is called, once, by EndAll. Returns a
  // number for Unwatch.
  std::uint64_t Watch(RunId run,
                      std::int64_t revision,
                      std::function<bool(std::int64_t revision)> look,
                      std::function<void(const absl::Status&)> end);

  // Looks once more, for example when a write that was in the way has ended.
  void LookAgain(std::uint64_t number);
  // Ends a watch; a `look` in progress may still be running when this returns.
  void Unwatch(std::uint64_t number);

  // By the scheduler's thread, after a commit.
  void Committed(const Batch& batch);

  // Ends every watch, and each that would begin later, with `why`: the server is stopping.
  void EndAll(const absl::Status& why);

  void Close() { readers_.Stop(); }

 private:
  struct Watcher {
    RunId run = 0;
    std::function<bool(std::int64_t)> look;
    std::function<void(const absl::Status&)> end;
    std::int64_t revision = 0;  // to show next
    bool first = true;          // nobody has looked yet
    bool looking = false;
    bool again = false;
  };

  void Schedule(std::uint64_t number, const std::shared_ptr<Watcher>& watcher)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Look(std::uint64_t number, const std::shared_ptr<Watcher>& watcher);

  Projector& projector_;
  Mutex mutex_;
  std::uint64_t next_ ABSL_GUARDED_BY(mutex_) = 1;
  std::int64_t head_ ABSL_GUARDED_BY(mutex_) = 0;  // newest revision told to Committed
  std::map<std::uint64_t, std::shared_ptr<Watcher>> watchers_ ABSL_GUARDED_BY(mutex_);
  std::map<RunId, std::set<std::uint64_t>> of_run_ ABSL_GUARDED_BY(mutex_);
  absl::Status ended_ ABSL_GUARDED_BY(mutex_);  // not OK: EndAll was called
  WorkerPool readers_;                          // last: its threads use the rest
};

}  // namespace potok::server
