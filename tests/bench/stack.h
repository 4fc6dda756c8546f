// A stack of its own, in a temporary folder: server, PostgreSQL and one agent, as `potok up` starts
// them. One thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

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

// What was used between two readings, for each of `units`, by kind.
std::map<std::string, double> PerUnit(const StackCpu& before, const StackCpu& after, double units);

// Of a run, on the clock of NowMicros.
struct StackTimes {
  double began_us = 0;     // before the submission
  double accepted_us = 0;  // its answer, which is durable
  StackCpu accepted;       // used until then
  double ended_us = 0;     // the answer that first showed the end in the tables
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
  // must be Completed.
  absl::StatusOr<v1::Run> RunToEnd(const v1::PipelineSpec& spec, StackTimes* times);

  // Runs the program `potok` with these arguments against this stack and waits for it; an error
  // holds what it said.
  absl::Status RunPotok(const std::vector<std::string>& arguments) const;

  StackCpu ReadCpu() const;
  // What the server holds of the machine's memory, in bytes (VmRSS, proc(5)).
  std::int64_t ServerMemory() const;
  const std::shared_ptr<grpc::Channel>& channel() const { return connection_.channel(); }
  const std::string& address() const { return connection_.address().address; }
  // Of its PostgreSQL, as libpq takes it.
  std::string database_url() const;
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
