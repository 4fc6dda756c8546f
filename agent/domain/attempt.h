// The life of an attempt on its machine: a state, and one total function. Pure.
//
//   Staging -> Active -> Uploading -> Finished -> (removed)
//
// What can end early goes straight to Finished. A finished attempt stays until its report is
// acknowledged, its log is stored and nothing moves its files any more.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/domain/report.h"
#include "agent/domain/runtime.h"

namespace potok::agent {

enum class StopReason {
  kOrdered,     // by the server: reported as stopped
  kUnwanted,    // the server no longer knows it: ended and forgotten
  kAgentStops,  // reported as lost with the machine, so that it runs again elsewhere
};

// How the bytes of code and inputs came to an attempt.
struct StagedBytes {
  std::int64_t fetched = 0;  // from the store
  std::int64_t found = 0;    // in the machine's cache
  bool operator==(const StagedBytes&) const = default;
};

// Code and inputs are being fetched.
struct Staging {};
// The shim was started, or its attempt adopted.
struct Active {
  bool started = false;                     // the command runs
  std::optional<StopReason> stopping = {};  // its processes are being ended
  std::optional<StagedBytes> staged = {};   // nothing: there were none, or an earlier agent knew
};
// The command has ended with code 0; outputs are being stored.
struct Uploading {
  std::int64_t log_bytes = 0;
  std::optional<Usage> usage = {};
};
struct Finished {
  std::optional<ReportEvent> report = {};  // absent: nobody wants to know
  bool acknowledged = false;
  bool log_stored = false;
  bool files_idle = true;  // no transfer reads or writes the folder
};
using AttemptState = std::variant<Staging, Active, Uploading, Finished>;

struct StagingDone {
  absl::Status status;
  std::optional<PreparedRuntime> runtime = {};  // where there was something to prepare
  bool is_of_runtime = false;  // the status tells of it, and not of code and inputs
  std::int64_t log_bytes = 0;  // of what preparing said
  std::optional<StagedBytes> staged = {};
};
struct LaunchRefused {
  absl::Status status;
};
struct ProcessStarted {};
// With neither failure nor stop: an exit with code 0.
struct ProcessEnded {
  std::optional<FailedReport> failure = {};
  bool was_stopped = false;       // on request
  bool nothing_to_store = false;  // no outputs declared, no default artifacts written
  std::int64_t log_bytes = 0;     // that are stored
  std::optional<Usage> usage = {};
};
struct OutputsStored {
  absl::StatusOr<std::vector<OutputValue>> outputs;
};
struct StopAsked {
  StopReason reason = StopReason::kOrdered;
  absl::Duration grace;
};
struct LeaseExpired {};
struct ReportAcknowledged {};
struct LogStored {};
using AttemptEvent = std::variant<StagingDone,
                                  LaunchRefused,
                                  ProcessStarted,
                                  ProcessEnded,
                                  OutputsStored,
                                  StopAsked,
                                  LeaseExpired,
                                  ReportAcknowledged,
                                  LogStored>;

enum class Action {
  kLaunch,
  kStopProcesses,  // with the grace of the event
  kStoreOutputs,
  kSayStarted,
  kSayExited,
  kFinish,  // keep and say the report of the Finished state; store the log
  kRemove,  // forget the attempt and remove its folder
};

struct Transition {
  AttemptState state;
  std::vector<Action> actions;  // in this order
};

// What an event makes of a state; the same state and no actions where it means nothing there.
Transition Next(const AttemptState& state, const AttemptEvent& event);

// The failure of an attempt whose machine did not hear from the server for the whole lease.
FailedReport LeaseFailure(std::int64_t log_bytes);

// True for what Hello calls live: processes run or files are being moved.
bool IsLive(const AttemptState& state);

}  // namespace potok::agent
