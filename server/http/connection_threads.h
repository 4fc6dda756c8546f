// The threads of the HTTP port: one for each open connection, made when they are needed.
#pragma once

#include <httplib.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace potok::server {

// An answer that is streamed holds its thread, so a fixed few would let followers shut out
// everybody else. Beyond kThreadsMax connections wait. Thread-safe.
class ConnectionThreads final : public httplib::TaskQueue {
 public:
  static constexpr std::size_t kThreadsMax = 256;

  void enqueue(std::function<void()> serve) override;
  // Waits for what is under way.
  void shutdown() override;

 private:
  void Work();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  std::vector<std::thread> threads_;
  std::size_t idle_ = 0;
  bool stopping_ = false;
};

}  // namespace potok::server
