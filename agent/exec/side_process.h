// A command beside an attempt, run by potok-enter (enter/main.cc).
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "agent/exec/execs.h"
#include "agent/executor/unique_fd.h"

namespace potok::agent {

// Its end.
struct SideEnd {
  int exit_code = 0;  // 128 + signal where there was one
  int signal = 0;     // 0: none
};

class SideProcess {
 public:
  // Blocks until the command runs. FAILED_PRECONDITION with what failed.
  static absl::StatusOr<std::unique_ptr<SideProcess>> Start(const std::string& enter_path,
                                                            const ExecOrder& order,
                                                            const ExecCommand& command);
  // Hangs up (SIGHUP, and SIGKILL 2 s later) and waits for the end of all of it.
  ~SideProcess();
  SideProcess(const SideProcess&) = delete;
  SideProcess& operator=(const SideProcess&) = delete;

  // To be read from, without blocking; -1 where there is none or it is closed. A terminal has only
  // output.
  int output() const { return output_.get(); }
  int error_output() const { return error_output_.get(); }
  void CloseOutput() { output_ = UniqueFd(); }
  void CloseErrorOutput() { error_output_ = UniqueFd(); }
  // Readable when End() has something to say.
  int control() const { return control_.get(); }
  // Does not block: call it when control() is readable. UNAVAILABLE where potok-enter was killed,
  // as it is with the attempt.
  absl::StatusOr<SideEnd> End();

  // These may be called by another thread than the rest; one thread calls the first three.
  // Blocks while the command does not read, until HangUp or Kill. False: it reads no more.
  bool WriteInput(const std::string& bytes);
  void EndInput();
  void Resize(int rows, int columns);
  void Signal(int number);
  void HangUp();
  void Kill();

 private:
  SideProcess() = default;
  void Say(const std::string& word) const;

  pid_t pid_ = 0;
  UniqueFd control_;
  UniqueFd stop_;  // an eventfd: input is not waited for any more
  bool has_terminal_ = false;
  UniqueFd terminal_;  // for input and size; the other one of output_
  UniqueFd input_;
  UniqueFd output_;
  UniqueFd error_output_;
};

}  // namespace potok::agent
