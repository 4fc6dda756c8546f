// A bounded queue from many threads to one.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "common/runtime/mutex.h"

namespace potok {

// Thread-safe. Post never blocks. One thread takes.
template <class T>
class Mailbox {
 public:
  explicit Mailbox(std::size_t items_max) : items_max_(items_max) {}

  // False if it is full or closed; the item is then the caller's to refuse (RESOURCE_EXHAUSTED).
  bool Post(T item) { return PostUpTo(std::move(item), items_max_); }

  // For what must not be refused, such as the answer to something already accepted. False only if
  // closed.
  bool PostAlways(T item) { return PostUpTo(std::move(item), static_cast<std::size_t>(-1)); }

  // Everything that is there; waits up to `timeout` while there is nothing. Empty on timeout or
  // close.
  std::vector<T> TakeAll(absl::Duration timeout) {
    MutexLock lock(mutex_);
    if (items_.empty() && !closed_ && timeout > absl::ZeroDuration()) {
      waiting_ = true;
      arrived_.wait_for(
          lock.native(), absl::ToChronoMicroseconds(timeout), [this] { return HasNews(); });
      waiting_ = false;
    }
    return std::exchange(items_, {});
  }

  // Nothing more can be posted; a waiting TakeAll returns.
  void Close() {
    MutexLock lock(mutex_);
    closed_ = true;
    arrived_.notify_all();
  }

  std::size_t size() {
    MutexLock lock(mutex_);
    return items_.size();
  }

 private:
  bool PostUpTo(T item, std::size_t limit) {
    MutexLock lock(mutex_);
    if (closed_ || items_.size() >= limit) return false;
    items_.push_back(std::move(item));
    if (waiting_) arrived_.notify_one();
    return true;
  }
  bool HasNews() ABSL_NO_THREAD_SAFETY_ANALYSIS { return !items_.empty() || closed_; }

  const std::size_t items_max_;
  Mutex mutex_;
  std::condition_variable arrived_;
  std::vector<T> items_ ABSL_GUARDED_BY(mutex_);
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  bool waiting_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace potok
