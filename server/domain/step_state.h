// The step machine: a variant whose alternatives hold only what exists in that state, and one total
// function. Pure. What users see of it is mapped in server/rpc; see ARCHITECTURE.md, "How to add a
// step state".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/attempt.h"
#include "common/pipeline/spec.h"

namespace potok::server {

// A machine's number, unique for ever within one database.
using MachineId = std::uint32_t;

// Why a step failed. The same words as AttemptFailed.Cause, and what the server itself finds.
enum class FailureCause {
  kExitCode,
  kSignal,
  kOutOfMemory,
  kTimeout,
  kInput,
  kOutput,
  kStart,
  kLease,
  kMachineLost,
  kInternal,
  kQueueTimeout,  // waited too long for a machine
  kBody,          // of a control step: a step of its body failed
};
const char* NameOf(FailureCause cause);  // "exit_code", "out_of_memory", ...

struct Failure {
  FailureCause cause = FailureCause::kExitCode;
  int code = 0;         // exit code or signal number
  std::string message;  // one line for the user
  bool operator==(const Failure&) const = default;
};

// An output of a completed step: files, or the text of a primitive one.
struct OutputValue {
  std::string name;
  std::variant<Artifact, std::string> value;
  bool operator==(const OutputValue&) const = default;
};

// Where an attempt is: held from Assigned to the end of Uploading, Stopping or Leaving.
struct Placement {
  MachineId machine = 0;
  // Indices on the machine: of whole GPUs, or the one of which the step has the share that it asks
  // for.
  std::vector<std::int32_t> gpus;
  bool operator==(const Placement&) const = default;
};

// What the machine of an attempt was known to hold of its code and inputs when it was placed there.
struct HeldInputs {
  std::int64_t held_bytes = 0;
  std::int64_t input_bytes = 0;  // of all of them
  bool decided = false;          // it would have been placed elsewhere without
  bool operator==(const HeldInputs&) const = default;
};

struct Blocked {
  bool operator==(const Blocked&) const = default;
};
struct Queued {
  // Where room is made and kept for it; none: it waits as all do.
  std::optional<Placement> promised = std::nullopt;
  std::string preempted = {};  // why its latest attempt ended, if another step took its room
  bool operator==(const Queued&) const = default;
};
struct Assigned {
  Placement placement;
  bool operator==(const Assigned&) const = default;
};
struct Running {
  Placement placement;
  bool operator==(const Running&) const = default;
};
struct Uploading {
  Placement placement;
  bool operator==(const Uploading&) const = default;
};
// Told to stop; ends as Canceled with this reason.
struct Stopping {
  Placement placement;
  std::string reason;
  bool operator==(const Stopping&) const = default;
};
// From whom outputs were taken.
struct Reused {
  AttemptKey from;
  std::int64_t saved_us = 0;  // that its command took; 0: not known
  bool operator==(const Reused&) const = default;
};
struct Succeeded {
  MachineId machine = 0;
  std::vector<OutputValue> outputs;
  std::optional<Reused> reused = std::nullopt;  // set: it did not run
  bool operator==(const Succeeded&) const = default;
};
struct Failed {
  MachineId machine = 0;
  Failure failure;
  bool operator==(const Failed&) const = default;
};
struct Canceled {
  std::string reason;
  bool operator==(const Canceled&) const = default;
};
// Never ran, because something that it needs did not complete.
struct Skipped {
  std::string reason;
  bool operator==(const Skipped&) const = default;
};
// All that it needs is there; whether it runs depends on a result that is looked for, or on an
// equal step that runs.
struct Resolving {
  bool operator==(const Resolving&) const = default;
};
// A control step that makes steps of its body and waits for them. Holds no capacity.
struct Open {
  bool operator==(const Open&) const = default;
};
// Its attempt failed, and it is tried again: queued once more at that time.
struct Delayed {
  absl::Time until;
  Failure failure;        // of the attempt
  MachineId machine = 0;  // on which it failed
  bool operator==(const Delayed&) const = default;
};
// Told to stop, because its machine is to be emptied or another step takes its room; queued again
// once it has ended.
struct Leaving {
  Placement placement;
  std::string reason;
  std::optional<StepKey> room_for = std::nullopt;
  bool operator==(const Leaving&) const = default;
};
using StepState = std::variant<Blocked,
                               Queued,
                               Assigned,
                               Running,
                               Uploading,
                               Stopping,
                               Succeeded,
                               Failed,
                               Canceled,
                               Skipped,
                               Resolving,
                               Open,
                               Delayed,
                               Leaving>;

// What can happen to a step. Reports are checked against the attempt number before they get here.
struct InputsReady {};
struct ResultSought {};
struct ResultTaken {
  std::vector<OutputValue> outputs;
  Reused reused;
};
struct Placed {
  Placement placement;
  std::optional<HeldInputs> held = std::nullopt;  // nothing: the machine holds none of them
};
struct AttemptStarted {
  std::string runtime = {};  // what runs it, as in potok.v1.Report
};
struct AttemptExited {};
struct AttemptSucceeded {
  std::vector<OutputValue> outputs;
};
struct AttemptFailed {
  Failure failure;
};
struct AttemptStopped {};
struct MachineLost {};  // the attempt is known to be dead
struct StopRequested {
  std::string reason;
};
struct UpstreamFailed {
  std::string reason;
};
// It is a control step: its inputs are known, or it has waited for its next attempt long enough.
struct Opened {};
// The attempt failed, and another is wanted at that time.
struct RetryWanted {
  absl::Time until;
  Failure failure;
};
struct DelayOver {};
// The attempt is to end, and the step to run again: its machine is to be emptied, or another step
// takes its room.
struct LeaveRequested {
  std::string reason;
  std::optional<StepKey> room_for = std::nullopt;
};
// Room is made and kept there for a queued step, or not any more.
struct RoomPromised {
  std::optional<Placement> placement;
};
using StepEvent = std::variant<InputsReady,
                               Placed,
                               AttemptStarted,
                               AttemptExited,
                               AttemptSucceeded,
                               AttemptFailed,
                               AttemptStopped,
                               MachineLost,
                               StopRequested,
                               UpstreamFailed,
                               ResultSought,
                               ResultTaken,
                               Opened,
                               RetryWanted,
                               DelayOver,
                               LeaveRequested,
                               RoomPromised>;

// The next state; equal to `state` where the event changes nothing; INTERNAL where the move is
// impossible, which is a bug of the caller (Decide fails that run and goes on).
absl::StatusOr<StepState> Next(const StepState& state, const StepEvent& event);

bool IsTerminal(const StepState& state);
// The placement of a state that holds capacity, or null.
const Placement* PlacementOf(const StepState& state);
// What a queued step is promised, or null.
const Placement* PromisedTo(const StepState& state);
const char* NameOf(const StepState& state);  // "Queued"

}  // namespace potok::server
