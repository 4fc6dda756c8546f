#include "server/domain/step_state.h"

#include <utility>

#include "common/base/overloaded.h"
#include "fmt/format.h"

namespace potok::server {

namespace {

using Outcome = absl::StatusOr<StepState>;

// Whether it runs is not decided, or may still change.
template <class T>
concept Undecided =
    std::is_same_v<T, Blocked> || std::is_same_v<T, Queued> || std::is_same_v<T, Resolving>;
// A control step that makes nothing at the moment.
template <class T>
concept Closed =
    std::is_same_v<T, Blocked> || std::is_same_v<T, Resolving> || std::is_same_v<T, Delayed>;
// Without a machine.
template <class T>
concept Waiting = Undecided<T> || std::is_same_v<T, Delayed> || std::is_same_v<T, Open>;
// On a machine and wanted.
template <class T>
concept Staying =
    std::is_same_v<T, Assigned> || std::is_same_v<T, Running> || std::is_same_v<T, Uploading>;
// The same, and what is to go on elsewhere.
template <class T>
concept Active = Staying<T> || std::is_same_v<T, Leaving>;
template <class T>
concept Ended = std::is_same_v<T, Succeeded> || std::is_same_v<T, Failed> ||
    std::is_same_v<T, Canceled> || std::is_same_v<T, Skipped>;
// Reports that say that the attempt goes on.
template <class T>
concept Progress = std::is_same_v<T, AttemptStarted> || std::is_same_v<T, AttemptExited>;
// What says that the attempt is no more.
template <class T>
concept AttemptEnd = std::is_same_v<T, AttemptSucceeded> || std::is_same_v<T, AttemptFailed> ||
    std::is_same_v<T, AttemptStopped> || std::is_same_v<T, MachineLost>;

Queued AfterLeaving(const Leaving& leaving) {
  return {std::nullopt, leaving.room_for.has_value() ? leaving.reason : ""};
}

const char* NameOfEvent(const StepEvent& event) {
  constexpr const char* kNames[] = {"InputsReady",
                                    "Placed",
                                    "AttemptStarted",
                                    "AttemptExited",
                                    "AttemptSucceeded",
                                    "AttemptFailed",
                                    "AttemptStopped",
                                    "MachineLost",
                                    "StopRequested",
                                    "UpstreamFailed",
                                    "ResultSought",
                                    "ResultTaken",
                                    "Opened",
                                    "RetryWanted",
                                    "DelayOver",
                                    "LeaveRequested",
                                    "RoomPromised"};
  static_assert(std::size(kNames) == std::variant_size_v<StepEvent>);
  return kNames[event.index()];
}

Outcome Impossible(const StepState& state, const StepEvent& event) {
  return absl::InternalError(
      fmt::format("a step that is {} cannot take {}", NameOf(state), NameOfEvent(event)));
}

// Of a step that has no machine.
Outcome NextWithout(const StepState& state, const StepEvent& event) {
  return std::visit(
      Overloaded{
          [](const Ended auto& s, const auto&) -> Outcome { return s; },

          [](const Queued& s, const InputsReady&) -> Outcome { return s; },
          [](const Undecided auto&, const InputsReady&) -> Outcome { return Queued{}; },
          [](const Undecided auto&, const ResultSought&) -> Outcome { return Resolving{}; },
          [](const Undecided auto&, const ResultTaken& e) -> Outcome {
            return Succeeded{0, e.outputs, e.reused};
          },
          [](const Blocked&, const UpstreamFailed& e) -> Outcome { return Skipped{e.reason}; },
          // What the server itself finds before there is an attempt: an input without its value.
          [](const Waiting auto&, const AttemptFailed& e) -> Outcome {
            return Failed{0, e.failure};
          },
          [](const Waiting auto&, const StopRequested& e) -> Outcome { return Canceled{e.reason}; },
          [](const Queued&, const Placed& e) -> Outcome { return Assigned{e.placement}; },
          [](const Queued& s, const RoomPromised& e) -> Outcome {
            return Queued{e.placement, s.preempted};
          },
          [](const Closed auto&, const Opened&) -> Outcome { return Open{}; },
          // A control step that tries its body once more, later.
          [](const Open&, const RetryWanted& e) -> Outcome {
            return Delayed{e.until, e.failure, 0};
          },
          [](const Open&, const AttemptSucceeded& e) -> Outcome {
            return Succeeded{0, e.outputs};
          },
          [](const Delayed&, const DelayOver&) -> Outcome { return Queued{}; },

          [&](const auto&, const auto&) -> Outcome { return Impossible(state, event); },
      },
      state,
      event);
}

// Of a step that has one.
Outcome NextOnMachine(const StepState& state, const StepEvent& event) {
  return std::visit(
      Overloaded{
          [](const Assigned& s, const AttemptStarted&) -> Outcome { return Running{s.placement}; },
          [](const Assigned& s, const AttemptExited&) -> Outcome { return Uploading{s.placement}; },
          [](const Running& s, const AttemptStarted&) -> Outcome { return s; },
          [](const Running& s, const AttemptExited&) -> Outcome { return Uploading{s.placement}; },
          [](const Uploading& s, const Progress auto&) -> Outcome { return s; },

          [](const Active auto& s, const RetryWanted& e) -> Outcome {
            return Delayed{e.until, e.failure, s.placement.machine};
          },
          [](const Active auto& s, const AttemptSucceeded& e) -> Outcome {
            return Succeeded{s.placement.machine, e.outputs};
          },
          [](const Active auto& s, const AttemptFailed& e) -> Outcome {
            return Failed{s.placement.machine, e.failure};
          },
          [](const Active auto& s, const StopRequested& e) -> Outcome {
            return Stopping{s.placement, e.reason};
          },
          // Stopped without having been told to: the attempt is gone, like one of a lost machine.
          [](const Staying auto&, const AttemptStopped&) -> Outcome { return Queued{}; },
          [](const Staying auto&, const MachineLost&) -> Outcome { return Queued{}; },
          [](const Staying auto& s, const LeaveRequested& e) -> Outcome {
            return Leaving{s.placement, e.reason, e.room_for};
          },

          [](const Leaving& s, const AttemptStopped&) -> Outcome { return AfterLeaving(s); },
          [](const Leaving& s, const MachineLost&) -> Outcome { return AfterLeaving(s); },
          [](const Leaving& s, const LeaveRequested&) -> Outcome { return s; },
          [](const Leaving& s, const Progress auto&) -> Outcome { return s; },

          [](const Stopping& s, const LeaveRequested&) -> Outcome { return s; },
          [](const Stopping& s, const Progress auto&) -> Outcome { return s; },
          [](const Stopping& s, const StopRequested&) -> Outcome { return s; },
          [](const Stopping& s, const AttemptEnd auto&) -> Outcome { return Canceled{s.reason}; },

          [&](const auto&, const auto&) -> Outcome { return Impossible(state, event); },
      },
      state,
      event);
}

}  // namespace

Outcome Next(const StepState& state, const StepEvent& event) {
  return PlacementOf(state) == nullptr ? NextWithout(state, event) : NextOnMachine(state, event);
}

bool IsTerminal(const StepState& state) {
  return std::visit(
      Overloaded{[](const Ended auto&) { return true; }, [](const auto&) { return false; }}, state);
}

const Placement* PlacementOf(const StepState& state) {
  return std::visit(
      Overloaded{[](const Active auto& s) -> const Placement* { return &s.placement; },
                 [](const Stopping& s) -> const Placement* { return &s.placement; },
                 [](const auto&) -> const Placement* { return nullptr; }},
      state);
}

const Placement* PromisedTo(const StepState& state) {
  const auto* queued = std::get_if<Queued>(&state);
  return queued == nullptr || !queued->promised.has_value() ? nullptr : &*queued->promised;
}

const char* NameOf(const StepState& state) {
  constexpr const char* kNames[] = {"Blocked",
                                    "Queued",
                                    "Assigned",
                                    "Running",
                                    "Uploading",
                                    "Stopping",
                                    "Succeeded",
                                    "Failed",
                                    "Canceled",
                                    "Skipped",
                                    "Resolving",
                                    "Open",
                                    "Delayed",
                                    "Leaving"};
  static_assert(std::size(kNames) == std::variant_size_v<StepState>);
  return kNames[state.index()];
}

const char* NameOf(FailureCause cause) {
  switch (cause) {
    case FailureCause::kExitCode:
      return "exit_code";
    case FailureCause::kSignal:
      return "signal";
    case FailureCause::kOutOfMemory:
      return "out_of_memory";
    case FailureCause::kTimeout:
      return "timeout";
    case FailureCause::kInput:
      return "input";
    case FailureCause::kOutput:
      return "output";
    case FailureCause::kStart:
      return "start";
    case FailureCause::kLease:
      return "lease";
    case FailureCause::kMachineLost:
      return "machine_lost";
    case FailureCause::kInternal:
      return "internal";
    case FailureCause::kQueueTimeout:
      return "queue_timeout";
    case FailureCause::kBody:
      return "body";
  }
  return "unknown";
}

}  // namespace potok::server
