// A line to a unix socket that breaks when it is told to.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace potok {

enum class Direction { kToServer, kToClient };

// Carries bytes between a socket of its own and the server's. Each connection breaks, both ways,
// after the next of `cuts` bytes have gone in `direction`; when there are no cuts left, connections
// last. One connection at a time is enough for one channel.
class CuttingProxy {
 public:
  CuttingProxy(std::string listen_path,
               std::string server_path,
               Direction direction,
               std::vector<std::int64_t> cuts);
  ~CuttingProxy();
  CuttingProxy(const CuttingProxy&) = delete;
  CuttingProxy& operator=(const CuttingProxy&) = delete;

  int cuts_done() const { return cuts_done_; }
  // What has gone in `direction`, in all connections.
  std::int64_t carried_bytes() const { return carried_bytes_; }

 private:
  void Serve();
  void Carry(int client);
  // The bytes after which the next connection breaks; negative: never.
  std::int64_t NextCut();

  const std::string server_path_;
  const Direction direction_;
  std::deque<std::int64_t> cuts_;  // of the serving thread
  int listener_ = -1;
  int stop_[2] = {-1, -1};  // a pipe; closed at the end
  std::atomic<int> cuts_done_ = 0;
  std::atomic<std::int64_t> carried_bytes_ = 0;
  std::thread thread_;
};

}  // namespace potok
