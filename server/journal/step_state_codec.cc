#include <cstring>
#include <utility>

#include "common/base/overloaded.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"
#include "server/journal/codec.h"
#include "server/journal/wire.h"

namespace potok::server {

namespace {

// Beside the overloads of this file, which would hide them.
using server::FromWire;
using server::ToWire;

wire::FailureCause ToWire(FailureCause cause) {
  switch (cause) {
    case FailureCause::kExitCode:
      return wire::FAILURE_CAUSE_EXIT_CODE;
    case FailureCause::kSignal:
      return wire::FAILURE_CAUSE_SIGNAL;
    case FailureCause::kOutOfMemory:
      return wire::FAILURE_CAUSE_OUT_OF_MEMORY;
    case FailureCause::kTimeout:
      return wire::FAILURE_CAUSE_TIMEOUT;
    case FailureCause::kInput:
      return wire::FAILURE_CAUSE_INPUT;
    case FailureCause::kOutput:
      return wire::FAILURE_CAUSE_OUTPUT;
    case FailureCause::kStart:
      return wire::FAILURE_CAUSE_START;
    case FailureCause::kLease:
      return wire::FAILURE_CAUSE_LEASE;
    case FailureCause::kMachineLost:
      return wire::FAILURE_CAUSE_MACHINE_LOST;
    case FailureCause::kInternal:
      return wire::FAILURE_CAUSE_INTERNAL;
    case FailureCause::kQueueTimeout:
      return wire::FAILURE_CAUSE_QUEUE_TIMEOUT;
    case FailureCause::kBody:
      return wire::FAILURE_CAUSE_BODY;
  }
  return wire::FAILURE_CAUSE_UNSPECIFIED;
}

absl::Status FromWire(wire::FailureCause message, FailureCause* cause) {
  constexpr FailureCause kCauses[] = {FailureCause::kExitCode,
                                      FailureCause::kSignal,
                                      FailureCause::kOutOfMemory,
                                      FailureCause::kTimeout,
                                      FailureCause::kInput,
                                      FailureCause::kOutput,
                                      FailureCause::kStart,
                                      FailureCause::kLease,
                                      FailureCause::kMachineLost,
                                      FailureCause::kInternal,
                                      FailureCause::kQueueTimeout,
                                      FailureCause::kBody};
  for (const FailureCause known : kCauses) {
    if (ToWire(known) == message) {
      *cause = known;
      return absl::OkStatus();
    }
  }
  return absl::DataLossError(
      fmt::format("failure cause {} is not known", static_cast<int>(message)));
}

void ToWire(const Placement& placement, wire::Placement* message) {
  message->set_machine(placement.machine);
  message->mutable_gpus()->Add(placement.gpus.begin(), placement.gpus.end());
}

Placement FromWire(const wire::Placement& message) {
  return {message.machine(), {message.gpus().begin(), message.gpus().end()}};
}

void ToWire(const Succeeded& succeeded, wire::Succeeded* message) {
  message->set_machine(succeeded.machine);
  if (succeeded.reused.has_value()) {
    wire::Reused& reused = *message->mutable_reused();
    reused.set_run(succeeded.reused->from.run);
    reused.set_index(succeeded.reused->from.index);
    reused.set_attempt(succeeded.reused->from.attempt);
    reused.set_saved_us(succeeded.reused->saved_us);
  }
  for (const OutputValue& output : succeeded.outputs) ToWire(output, message->add_outputs());
}

absl::Status FromWire(const wire::Succeeded& message, Succeeded* succeeded) {
  succeeded->machine = message.machine();
  if (message.has_reused()) {
    const wire::Reused& reused = message.reused();
    succeeded->reused = Reused{{reused.run(), reused.index(), reused.attempt()}, reused.saved_us()};
  }
  for (const wire::OutputValue& value : message.outputs()) {
    POTOK_RETURN_IF_ERROR(FromWire(value, &succeeded->outputs.emplace_back()));
  }
  return absl::OkStatus();
}

Queued QueuedFrom(const wire::Queued& message) {
  Queued queued;
  if (message.has_promised()) queued.promised = FromWire(message.promised());
  queued.preempted = message.preempted();
  return queued;
}

Leaving LeavingFrom(const wire::Stopping& message) {
  Leaving leaving{FromWire(message.placement()), message.reason()};
  if (message.has_room_for()) {
    leaving.room_for = StepKey{message.room_for().run(), message.room_for().index()};
  }
  return leaving;
}

}  // namespace

void ToWire(const Digest& digest, wire::Digest* message) {
  message->set_sha256(digest.sha256.data(), digest.sha256.size());
  message->set_size_bytes(digest.size_bytes);
}

absl::Status FromWire(const wire::Digest& message, Digest* digest) {
  if (message.sha256().size() != digest->sha256.size()) {
    return absl::DataLossError(
        fmt::format("a digest has {} bytes and not 32", message.sha256().size()));
  }
  std::memcpy(digest->sha256.data(), message.sha256().data(), digest->sha256.size());
  digest->size_bytes = message.size_bytes();
  return absl::OkStatus();
}

void ToWire(const OutputValue& output, wire::OutputValue* value) {
  value->set_name(output.name);
  if (const auto* text = std::get_if<std::string>(&output.value)) {
    value->set_text(*text);
    return;
  }
  const auto& artifact = std::get<Artifact>(output.value);
  ToWire(artifact.digest, value->mutable_artifact()->mutable_digest());
  value->mutable_artifact()->set_is_folder(artifact.is_folder);
  value->mutable_artifact()->set_total_bytes(artifact.total_bytes);
  value->mutable_artifact()->set_file_name(artifact.file_name);
}

absl::Status FromWire(const wire::OutputValue& value, OutputValue* output) {
  output->name = value.name();
  if (value.has_text()) {
    output->value = value.text();
    return absl::OkStatus();
  }
  if (!value.has_artifact()) {
    return absl::DataLossError("an output has a value of a kind that is not known");
  }
  Artifact artifact;
  POTOK_RETURN_IF_ERROR(FromWire(value.artifact().digest(), &artifact.digest));
  artifact.is_folder = value.artifact().is_folder();
  artifact.total_bytes = value.artifact().total_bytes();
  artifact.file_name = value.artifact().file_name();
  output->value = std::move(artifact);
  return absl::OkStatus();
}

void ToWire(const StepState& state, wire::StepState* message) {
  std::visit(Overloaded{
                 [&](const Blocked&) { message->mutable_blocked(); },
                 [&](const Queued& s) {
                   wire::Queued* queued = message->mutable_queued();
                   if (s.promised.has_value()) ToWire(*s.promised, queued->mutable_promised());
                   queued->set_preempted(s.preempted);
                 },
                 [&](const Assigned& s) { ToWire(s.placement, message->mutable_assigned()); },
                 [&](const Running& s) { ToWire(s.placement, message->mutable_running()); },
                 [&](const Uploading& s) { ToWire(s.placement, message->mutable_uploading()); },
                 [&](const Stopping& s) {
                   ToWire(s.placement, message->mutable_stopping()->mutable_placement());
                   message->mutable_stopping()->set_reason(s.reason);
                 },
                 [&](const Succeeded& s) { ToWire(s, message->mutable_succeeded()); },
                 [&](const Failed& s) {
                   message->mutable_failed()->set_machine(s.machine);
                   message->mutable_failed()->set_cause(ToWire(s.failure.cause));
                   message->mutable_failed()->set_code(s.failure.code);
                   message->mutable_failed()->set_message(s.failure.message);
                 },
                 [&](const Canceled& s) { message->mutable_canceled()->set_reason(s.reason); },
                 [&](const Skipped& s) { message->mutable_skipped()->set_reason(s.reason); },
                 [&](const Resolving&) { message->mutable_resolving(); },
                 [&](const Open&) { message->mutable_open(); },
                 [&](const Delayed& s) {
                   message->mutable_delayed()->set_until_us(absl::ToUnixMicros(s.until));
                   message->mutable_delayed()->set_cause(ToWire(s.failure.cause));
                   message->mutable_delayed()->set_code(s.failure.code);
                   message->mutable_delayed()->set_message(s.failure.message);
                   message->mutable_delayed()->set_machine(s.machine);
                 },
                 [&](const Leaving& s) {
                   ToWire(s.placement, message->mutable_leaving()->mutable_placement());
                   message->mutable_leaving()->set_reason(s.reason);
                   if (!s.room_for.has_value()) return;
                   message->mutable_leaving()->mutable_room_for()->set_run(s.room_for->run);
                   message->mutable_leaving()->mutable_room_for()->set_index(s.room_for->index);
                 },
             },
             state);
}

absl::Status FromWire(const wire::StepState& message, StepState* state) {
  switch (message.state_case()) {
    case wire::StepState::kBlocked:
      *state = Blocked{};
      break;
    case wire::StepState::kQueued:
      *state = QueuedFrom(message.queued());
      break;
    case wire::StepState::kAssigned:
      *state = Assigned{FromWire(message.assigned())};
      break;
    case wire::StepState::kRunning:
      *state = Running{FromWire(message.running())};
      break;
    case wire::StepState::kUploading:
      *state = Uploading{FromWire(message.uploading())};
      break;
    case wire::StepState::kStopping:
      *state = Stopping{FromWire(message.stopping().placement()), message.stopping().reason()};
      break;
    case wire::StepState::kSucceeded:
      return FromWire(message.succeeded(), &state->emplace<Succeeded>());
    case wire::StepState::kOpen:
      *state = Open{};
      break;
    case wire::StepState::kDelayed: {
      auto& delayed = state->emplace<Delayed>();
      delayed.until = absl::FromUnixMicros(message.delayed().until_us());
      delayed.failure.code = message.delayed().code();
      delayed.failure.message = message.delayed().message();
      delayed.machine = message.delayed().machine();
      return FromWire(message.delayed().cause(), &delayed.failure.cause);
    }
    case wire::StepState::kFailed: {
      auto& failed = state->emplace<Failed>();
      failed.machine = message.failed().machine();
      failed.failure.code = message.failed().code();
      failed.failure.message = message.failed().message();
      return FromWire(message.failed().cause(), &failed.failure.cause);
    }
    case wire::StepState::kLeaving:
      *state = LeavingFrom(message.leaving());
      break;
    case wire::StepState::kCanceled:
      *state = Canceled{message.canceled().reason()};
      break;
    case wire::StepState::kSkipped:
      *state = Skipped{message.skipped().reason()};
      break;
    case wire::StepState::kResolving:
      *state = Resolving{};
      break;
    case wire::StepState::STATE_NOT_SET:
      return absl::DataLossError("a step is in a state that is not known");
  }
  return absl::OkStatus();
}

int NumberOf(const StepState& state) {
  // The alternatives of the variant are in the order of the format's numbers; the round trip test
  // holds them together.
  return static_cast<int>(state.index()) + 1;
}

}  // namespace potok::server
