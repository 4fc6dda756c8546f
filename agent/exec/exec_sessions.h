// The commands that run beside this machine's attempts, each with its own call to the server.
#pragma once

#include <list>
#include <memory>
#include <string>

#include "agent/exec/execs.h"

namespace grpc {
class Channel;
}

namespace potok::agent {

class ExecSession;

struct ExecSettings {
  std::string enter_path;  // absolute, of potok-enter
  std::string machine;     // this one's name
};

class ExecSessions final : public Execs {
 public:
  // At most so many at once; more are refused.
  static constexpr std::size_t kSessionsMax = 32;

  ExecSessions(std::shared_ptr<grpc::Channel> channel, ExecSettings settings);
  // Cuts all that run, and waits for their ends.
  ~ExecSessions() override;

  void Open(const ExecOrder& order, absl::StatusOr<ExecCommand> command) override;
  void EndOf(const AttemptKey& key) override;

 private:
  struct Running;
  void Reap();

  const std::shared_ptr<grpc::Channel> channel_;
  const ExecSettings settings_;
  std::list<Running> running_;
};

}  // namespace potok::agent
