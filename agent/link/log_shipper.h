// Brings logs to the server over their own stream, beside the control stream: what is appended to
// the files of running attempts within some milliseconds, and the rest when they have ended.
// After a cut it resumes at what the server has stored.
#pragma once

#include <functional>
#include <memory>

#include "absl/time/time.h"
#include "agent/domain/log_limit.h"
#include "agent/link/log_sink.h"

namespace grpc {
class Channel;
}

namespace potok::agent {

class LogShipper final : public LogSink {
 public:
  // `stored` is called, from threads of the shipper's, once for each finished log that the server
  // has; never after the destructor, which does not wait for what is still to be sent.
  LogShipper(std::shared_ptr<grpc::Channel> channel,
             const LogLimit& limit,
             std::function<void(AttemptKey)> stored);
  ~LogShipper() override;

  std::int64_t StoredBytes(std::int64_t file_bytes) const override;
  void Follow(const AttemptKey& key, const std::string& path) override;
  void Finish(const AttemptKey& key, const std::string& path, std::int64_t stored_bytes) override;
  void Drop(const AttemptKey& key) override;

 private:
  class Worker;
  const LogLimit limit_;
  std::unique_ptr<Worker> worker_;
};

}  // namespace potok::agent
