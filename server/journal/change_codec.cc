#include <cstddef>
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

void ToWire(const RunMoved& moved, wire::RunMoved* message) {
  message->set_id(moved.id);
  message->set_status(static_cast<wire::RunStatus>(NumberOf(moved.status)));
  message->set_reason(moved.reason);
  message->set_at_us(absl::ToUnixMicros(moved.at));
}

absl::Status FromWire(const wire::RunMoved& message, RunMoved* moved) {
  moved->id = message.id();
  POTOK_ASSIGN_OR_RETURN(moved->status, RunStatusOf(message.status()));
  moved->reason = message.reason();
  moved->at = absl::FromUnixMicros(message.at_us());
  return absl::OkStatus();
}

void ToWire(const StepMoved& moved, wire::StepMoved* message) {
  message->set_run(moved.step.run);
  message->set_index(moved.step.index);
  message->set_attempt(moved.attempt);
  message->set_machine_lost(moved.machine_lost);
  ToWire(moved.state, message->mutable_state());
  message->set_at_us(absl::ToUnixMicros(moved.at));
  if (moved.offer.has_value()) {
    const Fingerprint& fingerprint = moved.offer->fingerprint;
    message->mutable_offer()->set_fingerprint(fingerprint.data(), fingerprint.size());
    message->mutable_offer()->set_kin(moved.offer->kin);
  }
  message->set_lack(static_cast<wire::ResultLack>(moved.lack));
  if (moved.usage.has_value()) ToWire(*moved.usage, message->mutable_usage());
  if (moved.raise.has_value()) ToWire(*moved.raise, message->mutable_raise());
  message->set_displaced(moved.displaced);
  message->set_runtime(moved.runtime);
  if (moved.held.has_value()) ToWire(*moved.held, message->mutable_held());
}

absl::Status FromWire(const wire::Offer& message, Offer* offer) {
  if (message.fingerprint().size() != offer->fingerprint.size()) {
    return absl::DataLossError(
        fmt::format("a fingerprint has {} bytes and not 32", message.fingerprint().size()));
  }
  std::memcpy(offer->fingerprint.data(), message.fingerprint().data(), offer->fingerprint.size());
  offer->kin = message.kin();
  return absl::OkStatus();
}

absl::Status FromWire(const wire::StepMoved& message, StepMoved* moved) {
  moved->step = {message.run(), message.index()};
  moved->attempt = message.attempt();
  moved->machine_lost = message.machine_lost();
  moved->at = absl::FromUnixMicros(message.at_us());
  if (message.has_offer())
    POTOK_RETURN_IF_ERROR(FromWire(message.offer(), &moved->offer.emplace()));
  if (!wire::ResultLack_IsValid(message.lack())) {
    return absl::DataLossError(
        fmt::format("lack of a result {} is not known", static_cast<int>(message.lack())));
  }
  moved->lack = static_cast<ResultLack>(message.lack());
  if (message.has_usage()) moved->usage = FromWire(message.usage());
  if (message.has_raise()) moved->raise = FromWire(message.raise());
  moved->displaced = message.displaced();
  moved->runtime = message.runtime();
  if (message.has_held()) moved->held = FromWire(message.held());
  return FromWire(message.state(), &moved->state);
}

void ToWire(const StepsAdded& added, wire::StepsAdded* message) {
  message->set_run(added.run);
  message->set_control(added.control);
  message->set_ordinal(added.ordinal);
  message->set_label(added.label);
  message->set_first(added.first);
  message->set_count(added.count);
  for (const OutputValue& value : added.values) ToWire(value, message->add_values());
  message->set_metric(added.metric);
  message->set_at_us(absl::ToUnixMicros(added.at));
}

absl::Status FromWire(const wire::StepsAdded& message, StepsAdded* added) {
  added->run = message.run();
  added->control = message.control();
  added->ordinal = message.ordinal();
  added->label = message.label();
  added->first = message.first();
  added->count = message.count();
  for (const wire::OutputValue& value : message.values()) {
    POTOK_RETURN_IF_ERROR(FromWire(value, &added->values.emplace_back()));
  }
  added->metric = message.metric();
  added->at = absl::FromUnixMicros(message.at_us());
  return absl::OkStatus();
}

void ToWire(const TrialMeasured& measured, wire::TrialMeasured* message) {
  message->set_run(measured.run);
  message->set_index(measured.index);
  message->set_attempt(measured.attempt);
  message->set_count(measured.count);
  message->set_value(measured.value);
  message->set_at_us(absl::ToUnixMicros(measured.at));
}

TrialMeasured FromWire(const wire::TrialMeasured& message) {
  return {message.run(),
          message.index(),
          message.attempt(),
          message.count(),
          message.value(),
          absl::FromUnixMicros(message.at_us())};
}

void ToWire(const RunOrdered& ordered, wire::RunOrdered* message) {
  message->set_run(ordered.run);
  if (ordered.hold.has_value()) {
    message->mutable_hold()->set_by(ordered.hold->by);
    message->mutable_hold()->set_reason(ordered.hold->reason);
    message->mutable_hold()->set_since_us(absl::ToUnixMicros(ordered.hold->since));
  }
  if (ordered.priority.has_value()) message->set_priority(*ordered.priority);
  if (ordered.pool.has_value()) message->set_pool(*ordered.pool);
  message->set_at_us(absl::ToUnixMicros(ordered.at));
}

RunOrdered FromWire(const wire::RunOrdered& message) {
  RunOrdered ordered;
  ordered.run = message.run();
  if (message.has_hold()) {
    ordered.hold = RunHold{message.hold().by(),
                           message.hold().reason(),
                           absl::FromUnixMicros(message.hold().since_us())};
  }
  if (message.has_priority()) ordered.priority = message.priority();
  if (message.has_pool()) ordered.pool = message.pool();
  ordered.at = absl::FromUnixMicros(message.at_us());
  return ordered;
}

}  // namespace

int NumberOf(RunStatus status) {
  switch (status) {
    case RunStatus::kNotStarted:
      return wire::RUN_STATUS_NOT_STARTED;
    case RunStatus::kRunning:
      return wire::RUN_STATUS_RUNNING;
    case RunStatus::kCancelRequested:
      return wire::RUN_STATUS_CANCEL_REQUESTED;
    case RunStatus::kCompleted:
      return wire::RUN_STATUS_COMPLETED;
    case RunStatus::kFailed:
      return wire::RUN_STATUS_FAILED;
    case RunStatus::kCanceled:
      return wire::RUN_STATUS_CANCELED;
  }
  return wire::RUN_STATUS_UNSPECIFIED;
}

absl::StatusOr<RunStatus> RunStatusOf(int number) {
  for (const RunStatus known : {RunStatus::kNotStarted,
                                RunStatus::kRunning,
                                RunStatus::kCancelRequested,
                                RunStatus::kCompleted,
                                RunStatus::kFailed,
                                RunStatus::kCanceled}) {
    if (NumberOf(known) == number) return known;
  }
  return absl::DataLossError(fmt::format("run status {} is not known", number));
}

void ToWire(const RunAdded& run, wire::RunAdded* message) {
  message->set_id(run.id);
  message->set_name(run.name);
  message->set_request_id(run.request_id);
  ToWire(run.spec, message->mutable_spec());
  message->set_steps(run.steps);
  message->set_display_name(run.display_name);
  message->set_experiment_name(run.experiment_name);
  message->set_description(run.description);
  message->set_submitter(run.submitter);
  ToWire(run.tags, message->mutable_tags());
  ToWire(run.properties, message->mutable_properties());
  message->set_is_pipeline(run.is_pipeline);
  for (const After& after : run.after) {
    wire::After* added = message->add_after();
    added->set_run(after.run);
    added->set_name(after.name);
    added->set_only_if_completed(after.only_if_completed);
  }
  message->set_team(run.team);
  message->set_at_us(absl::ToUnixMicros(run.at));
}

absl::Status FromWire(const wire::RunAdded& message, RunAdded* run) {
  run->id = message.id();
  run->name = message.name();
  run->request_id = message.request_id();
  run->steps = message.steps();
  run->display_name = message.display_name();
  run->experiment_name = message.experiment_name();
  run->description = message.description();
  run->submitter = message.submitter();
  run->tags = FromWire(message.tags());
  run->properties = FromWire(message.properties());
  run->is_pipeline = message.is_pipeline();
  for (const wire::After& after : message.after()) {
    run->after.push_back({after.run(), after.name(), after.only_if_completed()});
  }
  run->team = message.team();
  run->at = absl::FromUnixMicros(message.at_us());
  return FromWire(message.spec(), &run->spec);
}

void ToWire(const Change& change, wire::Change* message) {
  std::visit(Overloaded{
                 [&](const ServerStarted& c) {
                   message->mutable_server_started()->set_epoch(c.epoch);
                   message->mutable_server_started()->set_writer(c.writer);
                   message->mutable_server_started()->set_at_us(absl::ToUnixMicros(c.at));
                 },
                 [&](const RunAdded& c) { ToWire(c, message->mutable_run_added()); },
                 [&](const RunMoved& c) { ToWire(c, message->mutable_run_moved()); },
                 [&](const StepMoved& c) { ToWire(c, message->mutable_step_moved()); },
                 [&](const MachineChanged& c) { ToWire(c, message->mutable_machine_changed()); },
                 [&](const StepsAdded& c) { ToWire(c, message->mutable_steps_added()); },
                 [&](const TrialMeasured& c) { ToWire(c, message->mutable_trial_measured()); },
                 [&](const RunOrdered& c) { ToWire(c, message->mutable_run_ordered()); },
                 [&](const TeamChanged& c) { ToWire(c, message->mutable_team_changed()); },
                 [&](const TeamUsed& c) { ToWire(c, message->mutable_team_used()); },
                 [&](const PoolChanged& c) { ToWire(c, message->mutable_pool_changed()); },
             },
             change);
}

absl::Status FromWire(const wire::Change& message, Change* change) {
  switch (message.change_case()) {
    case wire::Change::kServerStarted:
      *change = ServerStarted{message.server_started().epoch(),
                              message.server_started().writer(),
                              absl::FromUnixMicros(message.server_started().at_us())};
      return absl::OkStatus();
    case wire::Change::kRunAdded:
      return FromWire(message.run_added(), &change->emplace<RunAdded>());
    case wire::Change::kRunMoved:
      return FromWire(message.run_moved(), &change->emplace<RunMoved>());
    case wire::Change::kStepMoved:
      return FromWire(message.step_moved(), &change->emplace<StepMoved>());
    case wire::Change::kMachineChanged:
      return FromWire(message.machine_changed(), &change->emplace<MachineChanged>());
    case wire::Change::kStepsAdded:
      return FromWire(message.steps_added(), &change->emplace<StepsAdded>());
    case wire::Change::kTrialMeasured:
      *change = FromWire(message.trial_measured());
      return absl::OkStatus();
    case wire::Change::kRunOrdered:
      *change = FromWire(message.run_ordered());
      return absl::OkStatus();
    case wire::Change::kTeamChanged:
      FromWire(message.team_changed(), &change->emplace<TeamChanged>());
      return absl::OkStatus();
    case wire::Change::kTeamUsed:
      FromWire(message.team_used(), &change->emplace<TeamUsed>());
      return absl::OkStatus();
    case wire::Change::kPoolChanged:
      *change = FromWire(message.pool_changed());
      return absl::OkStatus();
    case wire::Change::CHANGE_NOT_SET:
      break;
  }
  return absl::DataLossError("a change is of a kind that is not known");
}

}  // namespace potok::server
