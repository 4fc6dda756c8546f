// Follows a run to its end, over cuts of the line and restarts of the server.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "potok/v1/runs.pb.h"

namespace potok::client {

class RunsClient;

// Something of the run changed: for MergeChange. The first one holds all steps.
struct RunChanged {
  v1::Run change;
};
// The line to the server was cut; it is tried again until it works.
struct LineCut {
  absl::Status why;
};
struct LineRestored {};
// Whole lines of a step's log, without their ends.
struct LogLines {
  std::string step;
  std::vector<std::string> lines;
};
// Nothing follows: the run has ended (OK), or following is not possible.
struct FollowEnded {
  absl::Status status;
};
using RunEvent = std::variant<RunChanged, LineCut, LineRestored, LogLines, FollowEnded>;

struct FollowOptions {
  bool steps = true;  // false: only the run itself, without steps and outputs
  bool logs = false;  // follow the logs of steps while they run
  // Gives up when the server has not been there for so long.
  absl::Duration patience = absl::Minutes(30);
};

// Threads of its own read the streams; one thread takes the events.
class RunFollower {
 public:
  // `runs` must outlive it.
  RunFollower(RunsClient* runs, std::string name, const FollowOptions& options);
  // Ends all streams and waits for its threads.
  ~RunFollower();

  // What came, in order; waits up to `timeout` while there is nothing.
  std::vector<RunEvent> Next(absl::Duration timeout);
  // Makes a waiting Next return; from any thread.
  void Wake();

 private:
  class Streams;
  std::unique_ptr<Streams> streams_;
};

}  // namespace potok::client
