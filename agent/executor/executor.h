// Runs the processes of attempts, each under its own shim. Port of the agent's loop; the real one
// is shim_executor.h.
//
// One thread (the loop's) calls all functions; none blocks for long. What happens to processes is
// told by events() becoming readable (an epoll fd) and TakeEvents().
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/executor/end_cause.h"
#include "common/base/attempt.h"
#include "common/base/resources.h"
#include "common/base/usage.h"

namespace potok::agent {

// Everything that the shim needs. The attempt's folder exists and holds nothing of the shim's yet.
struct Launch {
  AttemptKey key;
  std::string folder;                              // absolute; the files log and state lie here
  std::string working_directory;                   // absolute
  std::vector<std::string> argv;                   // argv[0] is an absolute path
  std::map<std::string, std::string> environment;  // complete: nothing of the agent's is inherited
  Resources limits;                                // 0 memory or CPUs: unlimited
  absl::Duration timeout;                          // infinite or zero: none
  absl::Duration grace;                            // between SIGTERM and SIGKILL, on timeout
};

struct Ended {
  EndCause cause = EndCause::kExit;
  int code = 0;         // exit code, or signal number
  std::string message;  // for kStartFailed: what failed, on what, why
  std::int64_t log_bytes = 0;
  // All zero, but for the peak that was seen while it ran, where nothing else is known. The peak of
  // memory is the cgroup's; where it has none, the most that was ever seen together, but no less
  // than that of the largest process.
  Usage usage;
};

// Where the processes of an attempt are.
struct ProcessPlace {
  int command = 0;                   // its first process; 0: none lives
  std::vector<std::string> cgroups;  // files cgroup.procs that whatever joins the attempt writes to
};

struct ProcessEvent {
  AttemptKey key;
  std::optional<Ended> ended;  // absent: the command was started
};

class Executor {
 public:
  virtual ~Executor() = default;

  // Starts the shim, or says why it cannot. The command's own failure to start comes as an event.
  virtual absl::Status Start(const Launch& launch) = 0;

  // Ends the whole tree: SIGTERM, `grace`, SIGKILL. Idempotent; the event says kStopped.
  virtual void Stop(const AttemptKey& key, absl::Duration grace) = 0;

  // All that is to be adopted is adopted before the first Start, which ends what is left of earlier
  // attempts.
  //
  // Takes up an attempt whose folder an earlier agent left: running (its events will come), ended
  // (the event comes at once), or neither (kLost at once).
  virtual absl::Status Adopt(const AttemptKey& key, const std::string& folder) = 0;

  // For what is to run beside the attempt, within its limits. What joins its cgroups is killed when
  // the attempt is forgotten. NOT_FOUND for an attempt that is not known.
  virtual absl::StatusOr<ProcessPlace> PlaceOf(const AttemptKey& key) = 0;

  // Until when attempts may go on without the agent's word, on CLOCK_BOOTTIME; InfiniteDuration:
  // for ever. An attempt that is over its deadline ends with kLease.
  virtual void SetLeaseDeadline(absl::Duration boottime) = 0;

  // Frees what is held for an attempt that has ended (its cgroup).
  virtual void Forget(const AttemptKey& key) = 0;

  // Looks at all attempts whose processes run, and keeps the peaks for their ends. Takes some 20 us
  // for each, without cgroups for each process.
  virtual std::vector<UsageSoFar> Measure() = 0;

  virtual int events() const = 0;
  virtual std::vector<ProcessEvent> TakeEvents() = 0;

  // "cgroup-v2", "cgroup-v1" or "none".
  virtual std::string isolation() const = 0;
};

}  // namespace potok::agent
