#include "agent/exec/exec_sessions.h"

#include <atomic>
#include <thread>
#include <utility>

#include "agent/exec/exec_session.h"
#include "fmt/format.h"

namespace potok::agent {

struct ExecSessions::Running {
  std::shared_ptr<ExecSession> session;
  std::shared_ptr<std::atomic<bool>> ended;
  std::thread thread;
};

ExecSessions::ExecSessions(std::shared_ptr<grpc::Channel> channel, ExecSettings settings)
    : channel_(std::move(channel)), settings_(std::move(settings)) {}

ExecSessions::~ExecSessions() {
  for (const Running& one : running_) one.session->Cut();
  for (Running& one : running_) one.thread.join();
}

void ExecSessions::Reap() {
  running_.remove_if([](Running& one) {
    if (!one.ended->load()) return false;
    one.thread.join();
    return true;
  });
}

void ExecSessions::Open(const ExecOrder& order, absl::StatusOr<ExecCommand> command) {
  Reap();
  if (running_.size() >= kSessionsMax) {
    // Not even to say so: whoever floods the machine must not get a thread for each.
    if (running_.size() >= 2 * kSessionsMax) return;
    command = absl::ResourceExhaustedError(fmt::format(
        "{} commands run beside steps of the machine {}, as many as may; end some of them",
        kSessionsMax,
        settings_.machine));
  }
  Running one;
  one.session = std::make_shared<ExecSession>(settings_, order, std::move(command));
  one.ended = std::make_shared<std::atomic<bool>>(false);
  one.thread = std::thread([session = one.session, ended = one.ended, channel = channel_] {
    session->Run(channel);
    ended->store(true);
  });
  running_.push_back(std::move(one));
}

void ExecSessions::EndOf(const AttemptKey& key) {
  for (const Running& one : running_) {
    if (one.session->key() == key) one.session->Kill();
  }
}

}  // namespace potok::agent
