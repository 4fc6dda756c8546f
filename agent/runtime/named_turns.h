// One at a time for each name: who pulls an image, who builds an environment.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "common/runtime/mutex.h"

namespace potok::agent {

// Any thread.
class NamedTurns {
 public:
  // Waits for the turn of `name`, runs `work`, and gives the turn back. CANCELLED if `canceled`
  // says so first.
  absl::Status Do(const std::string& name,
                  const std::function<bool()>& canceled,
                  const std::function<absl::Status()>& work) {
    {
      MutexLock lock(mutex_);
      while (taken_.contains(name)) {
        if (canceled && canceled()) return absl::CancelledError("the attempt was stopped");
        freed_.wait_for(lock.native(), std::chrono::milliseconds(100));
      }
      taken_.insert(name);
    }
    absl::Status done = work();
    MutexLock lock(mutex_);
    taken_.erase(name);
    freed_.notify_all();
    return done;
  }

 private:
  Mutex mutex_;
  std::condition_variable freed_;
  std::set<std::string> taken_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace potok::agent
