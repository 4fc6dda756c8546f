#include "agent/domain/attempt.h"

#include "common/base/overloaded.h"

namespace potok::agent {
namespace {

FailedReport Failure(FailureCause cause, std::string message, std::int64_t log_bytes = 0) {
  return {.cause = cause, .message = std::move(message), .log_bytes = log_bytes};
}

Transition Same(const AttemptState& state) {
  return {state, {}};
}

bool CanBeRemoved(const Finished& finished) {
  return (finished.acknowledged || !finished.report) && finished.log_stored && finished.files_idle;
}

Transition Settle(Finished finished) {
  std::vector<Action> actions;
  if (CanBeRemoved(finished)) actions.push_back(Action::kRemove);
  return {std::move(finished), std::move(actions)};
}

Transition Finish(std::optional<ReportEvent> report, bool files_idle = true) {
  Finished finished{.report = std::move(report), .files_idle = files_idle};
  finished.log_stored = !finished.report || LogBytesOf(*finished.report) == 0;
  std::vector<Action> actions{Action::kFinish};
  if (CanBeRemoved(finished)) actions.push_back(Action::kRemove);
  return {std::move(finished), std::move(actions)};
}

// The report of an attempt that was made to stop.
std::optional<ReportEvent> StopReport(StopReason reason,
                                      std::int64_t log_bytes,
                                      const std::optional<Usage>& usage = std::nullopt) {
  switch (reason) {
    case StopReason::kOrdered:
      return StoppedReport{log_bytes, usage};
    case StopReason::kAgentStops: {
      FailedReport failed = Failure(
          FailureCause::kMachineLost, "its machine's agent was told to end all steps", log_bytes);
      failed.usage = usage;
      return failed;
    }
    case StopReason::kUnwanted:
      return std::nullopt;
  }
  return std::nullopt;
}

Transition NextOfStaging(const AttemptState& same, const AttemptEvent& event) {
  constexpr bool kStillFetching = false;
  if (const auto* done = std::get_if<StagingDone>(&event)) {
    if (done->status.ok()) return {Active{.staged = done->staged}, {Action::kLaunch}};
    const FailureCause cause = done->is_of_runtime ? FailureCause::kStart : FailureCause::kInput;
    return Finish(Failure(cause, std::string(done->status.message()), done->log_bytes));
  }
  if (const auto* stop = std::get_if<StopAsked>(&event)) {
    return Finish(StopReport(stop->reason, 0), kStillFetching);
  }
  if (std::holds_alternative<LeaseExpired>(event)) {
    return Finish(LeaseFailure(0), kStillFetching);
  }
  return Same(same);
}

// What it used, with what had to be fetched for it.
std::optional<Usage> UsageOf(const Active& active, const ProcessEnded& ended) {
  std::optional<Usage> usage = ended.usage;
  if (usage.has_value() && active.staged.has_value()) {
    usage->fetched_bytes = active.staged->fetched;
    usage->found_bytes = active.staged->found;
  }
  return usage;
}

Transition AfterProcesses(const Active& active, const ProcessEnded& ended) {
  const std::optional<Usage> usage = UsageOf(active, ended);
  if (active.stopping) return Finish(StopReport(*active.stopping, ended.log_bytes, usage));
  if (ended.failure) {
    FailedReport failed = *ended.failure;
    failed.usage = usage;
    return Finish(std::move(failed));
  }
  // Stopped by an agent that was restarted before it could hear of the end.
  if (ended.was_stopped) return Finish(StoppedReport{ended.log_bytes, usage});
  if (ended.nothing_to_store) {
    return Finish(SucceededReport{.log_bytes = ended.log_bytes, .usage = usage});
  }
  return {Uploading{ended.log_bytes, usage}, {Action::kSayExited, Action::kStoreOutputs}};
}

Transition NextOfActive(const Active& active, const AttemptEvent& event) {
  if (const auto* refused = std::get_if<LaunchRefused>(&event)) {
    if (active.stopping) return Finish(StopReport(*active.stopping, 0));
    return Finish(Failure(FailureCause::kStart, std::string(refused->status.message())));
  }
  if (std::holds_alternative<ProcessStarted>(event)) {
    return {Active{.started = true, .stopping = active.stopping, .staged = active.staged},
            {Action::kSayStarted}};
  }
  if (const auto* ended = std::get_if<ProcessEnded>(&event)) return AfterProcesses(active, *ended);
  if (const auto* stop = std::get_if<StopAsked>(&event)) {
    // The first reason stands: a report that was promised is not lost to a later stop.
    const StopReason reason = active.stopping.value_or(stop->reason);
    return {Active{.started = active.started, .stopping = reason, .staged = active.staged},
            {Action::kStopProcesses}};
  }
  return Same(active);  // the lease is the shim's to keep
}

Transition NextOfUploading(const Uploading& uploading, const AttemptEvent& event) {
  constexpr bool kStillStoring = false;
  if (const auto* stored = std::get_if<OutputsStored>(&event)) {
    if (stored->outputs.ok()) {
      return Finish(SucceededReport{*stored->outputs, uploading.log_bytes, uploading.usage});
    }
    FailedReport failed = Failure(FailureCause::kOutput,
                                  std::string(stored->outputs.status().message()),
                                  uploading.log_bytes);
    failed.usage = uploading.usage;
    return Finish(std::move(failed));
  }
  if (const auto* stop = std::get_if<StopAsked>(&event)) {
    return Finish(StopReport(stop->reason, uploading.log_bytes, uploading.usage), kStillStoring);
  }
  return Same(uploading);
}

Transition NextOfFinished(Finished finished, const AttemptEvent& event) {
  if (std::holds_alternative<ReportAcknowledged>(event)) {
    finished.acknowledged = true;
  } else if (std::holds_alternative<LogStored>(event)) {
    finished.log_stored = true;
  } else if (std::holds_alternative<StagingDone>(event) ||
             std::holds_alternative<OutputsStored>(event)) {
    finished.files_idle = true;
  } else {
    return Same(finished);
  }
  return Settle(std::move(finished));
}

}  // namespace

Transition Next(const AttemptState& state, const AttemptEvent& event) {
  return std::visit(
      Overloaded{[&](const Staging&) { return NextOfStaging(state, event); },
                 [&](const Active& active) { return NextOfActive(active, event); },
                 [&](const Uploading& uploading) { return NextOfUploading(uploading, event); },
                 [&](const Finished& finished) { return NextOfFinished(finished, event); }},
      state);
}

FailedReport LeaseFailure(std::int64_t log_bytes) {
  return Failure(FailureCause::kLease,
                 "ended by its machine, which had not heard from the server for too long",
                 log_bytes);
}

bool IsLive(const AttemptState& state) {
  return !std::holds_alternative<Finished>(state);
}

}  // namespace potok::agent
