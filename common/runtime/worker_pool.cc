#include "common/runtime/worker_pool.h"

#include <utility>

#include "common/runtime/logging.h"

namespace potok {

WorkerPool::WorkerPool(const std::string& name, int threads) {
  threads_.reserve(static_cast<std::size_t>(threads));
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this, name] { Run(name); });
}

WorkerPool::~WorkerPool() {
  Stop();
}

bool WorkerPool::Post(std::function<void()> work) {
  MutexLock lock(mutex_);
  if (stopping_) return false;
  work_.push_back(std::move(work));
  arrived_.notify_one();
  return true;
}

void WorkerPool::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    arrived_.notify_all();
  }
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void WorkerPool::Run(const std::string& name) {
  NameThread(name);
  while (true) {
    std::function<void()> next;
    {
      MutexLock lock(mutex_);
      while (work_.empty() && !stopping_) arrived_.wait(lock.native());
      if (work_.empty()) return;
      next = std::move(work_.front());
      work_.pop_front();
    }
    next();
  }
}

}  // namespace potok
