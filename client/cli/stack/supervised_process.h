// One process that is kept running: started, or taken over from a supervisor that was killed. One
// thread.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/cli/stack/backoff.h"
#include "client/cli/stack/home.h"
#include "client/cli/stack/stack_config.h"
#include "client/cli/stack/stack_state.h"

namespace potok::client {

class SupervisedProcess {
 public:
  // Takes over the process that the pid file names, if it runs; `before` is what an earlier
  // supervisor had written about it, or null.
  SupervisedProcess(ProcessSpec spec, const Home& home, const ProcessState* before);
  ~SupervisedProcess();
  SupervisedProcess(SupervisedProcess&& other) noexcept;
  SupervisedProcess& operator=(SupervisedProcess&&) = delete;

  const ProcessState& state() const { return state_; }
  bool running() const { return state_.identity.pid != 0; }
  // Readable once the process has ended (pidfd_open(2)); -1 when it does not run.
  int pidfd() const { return pidfd_; }
  // When it is to be started; in the past if at once.
  absl::Time start_at() const { return start_at_; }

  // Starts it, its output appended to its log. The child writes its own pid file before exec, so
  // that there is no moment at which it runs unknown. What fails counts as an end.
  void Start(absl::Time now);

  // To be called when pidfd() is readable: notes how it ended and when to start it again.
  void Ended(absl::Time now);

  // Asks it to end (SIGTERM), for good.
  void Stop();
  void Kill() const;

 private:
  void Signal(int number) const;
  void Watch(const ProcessIdentity& identity);
  void NoteEnd(const std::string& how, absl::Duration life, absl::Time now);

  ProcessSpec spec_;
  std::string log_path_;
  std::string pid_file_;
  ProcessState state_;
  Backoff backoff_;
  int pidfd_ = -1;
  bool unwanted_ = false;
  bool is_child_ = false;  // else it was taken over, and how it ends is not told
  absl::Time start_at_ = absl::InfinitePast();
};

}  // namespace potok::client
