// A few threads that run what blocks, so that those who must not block can hand it over.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "common/runtime/mutex.h"

namespace potok {

// Thread-safe. Work starts in the order of posting; with one thread it also ends in that order.
class WorkerPool {
 public:
  // Threads are named `name`.
  WorkerPool(const std::string& name, int threads);
  // Runs what was posted, then ends.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // False after Stop; never blocks.
  bool Post(std::function<void()> work);
  // No new work; waits until what was posted has ended. Idempotent.
  void Stop();

 private:
  void Run(const std::string& name);

  Mutex mutex_;
  std::condition_variable arrived_;
  std::deque<std::function<void()>> work_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace potok
