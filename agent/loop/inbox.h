// What other threads tell the loop: a queue with a descriptor to wait on.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "agent/loop/agent_loop.h"
#include "common/base/check.h"
#include "common/runtime/mutex.h"

namespace potok::agent {

// Thread-safe. Not bounded: everything in it was ordered by the server, which bounds what it
// orders.
class Inbox {
 public:
  Inbox() : descriptor_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) { POTOK_CHECK(descriptor_ >= 0); }
  ~Inbox() { close(descriptor_); }
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;

  void Post(LoopEvent event) {
    bool was_empty = false;
    {
      MutexLock lock(mutex_);
      was_empty = events_.empty();
      events_.push_back(std::move(event));
    }
    if (was_empty) eventfd_write(descriptor_, 1);
  }

  std::vector<LoopEvent> TakeAll() {
    eventfd_t ignored = 0;
    eventfd_read(descriptor_, &ignored);
    MutexLock lock(mutex_);
    return std::exchange(events_, {});
  }

  // Readable while something waits.
  int descriptor() const { return descriptor_; }

 private:
  const int descriptor_;
  Mutex mutex_;
  std::vector<LoopEvent> events_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace potok::agent
