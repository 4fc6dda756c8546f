// A stack of its own, in a temporary folder: server, PostgreSQL and one agent, as `potok up` starts
// them. One thread.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "client/cli/stack/home.h"
#include "client/potok_client/connection.h"
#include "potok/v1/runs.pb.h"

namespace potok::bench {

// CPU time in us since each process began.
struct StackCpu {
  double server = 0;
  double agent = 0;     // without what it started
  double postgres = 0;  // postmaster and all its backends
  double children = 0;  // of the agent: shims and steps that have ended
};

class Stack {
 public:
  // Starts the programs of `bin` in the new folder `folder`. An error holds what `potok up` said.
  static absl::StatusOr<std::unique_ptr<Stack>> Start(const std::string& bin,
                                                      const std::string& folder);
  // Takes it down.
  ~Stack();
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;

  // Submits `spec` and returns the run, with all its steps, when the tables show its end. The run
  // must be Completed. `wall_us` is the time from before the submission to the answer that first
  // showed the end.
  absl::StatusOr<v1::Run> RunToEnd(const v1::PipelineSpec& spec, double* wall_us);

  StackCpu ReadCpu() const;
  // Of the agent: cgroup-v2, cgroup-v1 or none.
  absl::StatusOr<std::string> Isolation();

 private:
  Stack(std::string bin, client::Home home);
  absl::Status FindProcesses();

  const std::string bin_;
  const client::Home home_;
  client::Connection connection_;
  pid_t server_ = 0;
  pid_t agent_ = 0;
  pid_t postmaster_ = 0;
};

}  // namespace potok::bench
