#include "server/rpc/convert.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "common/base/overloaded.h"
#include "common/base/status_macros.h"
#include "common/rpc/pipeline_convert.h"
#include "common/rpc/usage_convert.h"
#include "fmt/format.h"
#include "server/rpc/hello_check.h"
#include "server/rpc/run_name.h"

namespace potok::server {

namespace {

FailureCause CauseOf(v1::AttemptFailed::Cause cause) {
  switch (cause) {
    case v1::AttemptFailed::CAUSE_EXIT_CODE:
      return FailureCause::kExitCode;
    case v1::AttemptFailed::CAUSE_SIGNAL:
      return FailureCause::kSignal;
    case v1::AttemptFailed::CAUSE_OUT_OF_MEMORY:
      return FailureCause::kOutOfMemory;
    case v1::AttemptFailed::CAUSE_TIMEOUT:
      return FailureCause::kTimeout;
    case v1::AttemptFailed::CAUSE_INPUT:
      return FailureCause::kInput;
    case v1::AttemptFailed::CAUSE_OUTPUT:
      return FailureCause::kOutput;
    case v1::AttemptFailed::CAUSE_START:
      return FailureCause::kStart;
    case v1::AttemptFailed::CAUSE_LEASE:
      return FailureCause::kLease;
    case v1::AttemptFailed::CAUSE_MACHINE_LOST:
      return FailureCause::kMachineLost;
    default:
      return FailureCause::kInternal;  // of a newer agent
  }
}

absl::StatusOr<AttemptSucceeded> SucceededOf(const v1::Succeeded& succeeded) {
  AttemptSucceeded out;
  for (const v1::AttemptOutput& output : succeeded.outputs()) {
    if (output.has_artifact()) {
      POTOK_ASSIGN_OR_RETURN(Artifact artifact, potok::FromProto(output.artifact()));
      out.outputs.push_back({output.name(), std::move(artifact)});
    } else {
      out.outputs.push_back({output.name(), output.text()});
    }
  }
  return out;
}

template <class Message>
std::optional<Usage> UsageOf(const Message& message) {
  if (!message.has_usage()) return std::nullopt;
  return potok::FromProto(message.usage());
}

bool IsMachineName(const std::string& name) {
  if (name.empty() || name.size() > 63 || std::isalnum(static_cast<unsigned char>(name[0])) == 0) {
    return false;
  }
  return std::ranges::all_of(name, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '.' || c == '-';
  });
}

v1::StartAttempt StartOf(const StartOrder& order) {
  const Step& step = order.plan->definition(order.key.index);
  v1::StartAttempt out;
  out.set_run(order.run);
  const std::string name = order.plan->NameOf(order.key.index);
  out.set_step(name);
  out.set_job_name(StepJobName(order.plan->spec(), order.run, name));
  out.set_command(order.command);
  if (const auto* code = std::get_if<Artifact>(&step.code)) {
    *out.mutable_code() = potok::ToProto(*code);
  }
  for (const OrderInput& value : order.inputs) {
    const Input& input = step.inputs[value.input];
    v1::AttemptInput& in = *out.add_inputs();
    in.set_name(input.name);
    in.set_type(potok::ToProto(input.type));
    in.set_mode(potok::ToProto(input.mode));
    std::visit(Overloaded{[&](const std::string& text) { in.set_text(text); },
                          [&](const Artifact& artifact) {
                            *in.mutable_artifact() = potok::ToProto(artifact);
                          }},
               value.value);
  }
  for (const Output& output : step.outputs) *out.add_outputs() = potok::ToProto(output);
  out.mutable_environment_variables()->insert(step.environment_variables.begin(),
                                              step.environment_variables.end());
  *out.mutable_resources() = potok::ToProto(step.resources);
  out.mutable_resources()->set_memory_bytes(order.memory_bytes);
  out.mutable_gpu_indices()->Assign(order.gpus.begin(), order.gpus.end());
  out.set_timeout_seconds(step.timeout_seconds);
  out.set_experiment_name(order.plan->spec().experiment_name);
  out.set_instance_count(step.instance_count);
  if (!step.distribution.type.empty()) {
    *out.mutable_distribution() = potok::ToProto(step.distribution);
  }
  out.set_fence(ToString(order.key));
  if (order.gang.has_value()) {
    out.mutable_gang()->set_rank(order.gang->rank);
    out.mutable_gang()->set_port(order.gang->port);
    for (const std::string& host : order.gang->hosts) out.mutable_gang()->add_hosts(host);
  }
  out.set_environment_definition(step.environment_definition);
  out.set_isolation(step.isolation);
  out.set_network(step.network);
  out.set_images(WordOf(order.images));
  return out;
}

}  // namespace

v1::AttemptId ToProto(const AttemptKey& key) {
  v1::AttemptId id;
  id.set_run(key.run);
  id.set_index(key.index);
  id.set_attempt(key.attempt);
  return id;
}

AttemptKey FromProto(const v1::AttemptId& id) {
  return {id.run(), id.index(), id.attempt()};
}

absl::StatusOr<Report> FromProto(const v1::Report& report) {
  Report out;
  out.key = FromProto(report.id());
  out.runtime = report.runtime();
  switch (report.event_case()) {
    case v1::Report::kStarted:
      out.event = AttemptStarted{};
      return out;
    case v1::Report::kExited:
      out.event = AttemptExited{};
      return out;
    case v1::Report::kSucceeded: {
      POTOK_ASSIGN_OR_RETURN(out.event, SucceededOf(report.succeeded()));
      out.usage = UsageOf(report.succeeded());
      return out;
    }
    case v1::Report::kFailed: {
      const v1::AttemptFailed& failed = report.failed();
      out.event = AttemptFailed{{CauseOf(failed.cause()), failed.exit_code(), failed.message()}};
      out.usage = UsageOf(failed);
      return out;
    }
    case v1::Report::kStopped:
      out.event = AttemptStopped{};
      out.usage = UsageOf(report.stopped());
      return out;
    case v1::Report::EVENT_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError(
      fmt::format("the report of attempt {} says nothing", ToString(out.key)));
}

absl::StatusOr<MachineHello> FromProto(const v1::Hello& hello, SessionId session) {
  if (!IsMachineName(hello.machine())) {
    return absl::InvalidArgumentError(
        fmt::format("'{}' is no name for a machine: use letters, digits, '_', '.' and '-', at most "
                    "63, and start "
                    "with a letter or digit (--name)",
                    hello.machine().substr(0, 100)));
  }
  MachineHello out;
  out.session = session;
  MachineChanged& machine = out.machine;
  machine.name = hello.machine();
  machine.state_id = hello.state_id();
  machine.boot_id = hello.boot_id();
  machine.agent_version = hello.agent_version();
  machine.isolation = hello.isolation();
  // As it was said: what cannot be is refused by name below.
  machine.capacity.memory_bytes = hello.capacity().memory_bytes();
  machine.capacity.cpu_millis = hello.capacity().cpu_millis();
  machine.capacity.gpu_millis = GpuMillisOf(hello.capacity());
  machine.capacity.disk_bytes = hello.capacity().disk_bytes();
  for (const auto& [name, count] : hello.capacity().named()) {
    if (count != 0) machine.capacity.named[name] = count;
  }
  for (const v1::Gpu& gpu : hello.gpus()) {
    machine.gpus.push_back({gpu.index(), gpu.model(), gpu.memory_bytes(), gpu.uuid()});
  }
  machine.labels = {hello.labels().begin(), hello.labels().end()};
  machine.pools.assign(hello.pools().begin(), hello.pools().end());
  machine.runtimes.assign(hello.runtimes().begin(), hello.runtimes().end());
  out.cache_bytes = std::max<std::int64_t>(hello.cache_bytes(), 0);
  POTOK_RETURN_IF_ERROR(CheckHelloMachine(machine));
  for (const v1::AttemptId& id : hello.live()) out.live.push_back(FromProto(id));
  for (const v1::Report& report : hello.unacknowledged()) {
    POTOK_ASSIGN_OR_RETURN(Report converted, FromProto(report));
    out.unacknowledged.push_back(std::move(converted));
  }
  return out;
}

v1::Order ToProto(const SendOrder& order) {
  v1::Order out;
  std::visit(Overloaded{[&](const StartOrder& start) {
                          *out.mutable_id() = ToProto(start.key);
                          *out.mutable_start() = StartOf(start);
                        },
                        [&](const StopOrder& stop) {
                          *out.mutable_id() = ToProto(stop.key);
                          out.mutable_stop()->set_reason(stop.reason);
                          out.mutable_stop()->set_grace_ms(10'000);
                        }},
             order.order);
  return out;
}

v1::Status StatusOf(const StepState& state, bool machine_silent) {
  if (machine_silent && PlacementOf(state) != nullptr) return v1::STATUS_NOT_RESPONDING;
  return std::visit(Overloaded{
                        [](const Blocked&) { return v1::STATUS_NOT_STARTED; },
                        [](const Queued&) { return v1::STATUS_QUEUED; },
                        [](const Assigned&) { return v1::STATUS_PREPARING; },
                        [](const Running&) { return v1::STATUS_RUNNING; },
                        [](const Uploading&) { return v1::STATUS_FINALIZING; },
                        [](const Stopping&) { return v1::STATUS_CANCEL_REQUESTED; },
                        [](const Succeeded&) { return v1::STATUS_COMPLETED; },
                        [](const Failed&) { return v1::STATUS_FAILED; },
                        [](const Canceled&) { return v1::STATUS_CANCELED; },
                        [](const Skipped&) { return v1::STATUS_CANCELED; },
                        [](const Resolving&) { return v1::STATUS_NOT_STARTED; },
                        [](const Open&) { return v1::STATUS_RUNNING; },
                        [](const Delayed&) { return v1::STATUS_QUEUED; },
                        // Nobody canceled it: it runs, here until it has ended and then elsewhere.
                        [](const Leaving&) { return v1::STATUS_RUNNING; },
                    },
                    state);
}

v1::Status StatusOf(RunStatus status) {
  switch (status) {
    case RunStatus::kNotStarted:
      return v1::STATUS_NOT_STARTED;
    case RunStatus::kRunning:
      return v1::STATUS_RUNNING;
    case RunStatus::kCancelRequested:
      return v1::STATUS_CANCEL_REQUESTED;
    case RunStatus::kCompleted:
      return v1::STATUS_COMPLETED;
    case RunStatus::kFailed:
      return v1::STATUS_FAILED;
    case RunStatus::kCanceled:
      return v1::STATUS_CANCELED;
  }
  return v1::STATUS_UNSPECIFIED;
}

std::vector<RunStatus> RunStatusesOf(v1::Status status) {
  for (const RunStatus known : {RunStatus::kNotStarted,
                                RunStatus::kRunning,
                                RunStatus::kCancelRequested,
                                RunStatus::kCompleted,
                                RunStatus::kFailed,
                                RunStatus::kCanceled}) {
    if (StatusOf(known) == status) return {known};
  }
  return {};
}

v1::OutputValue ToProto(const OutputValue& output) {
  v1::OutputValue out;
  out.set_name(output.name);
  std::visit(Overloaded{[&](const Artifact& artifact) {
                          *out.mutable_artifact() = potok::ToProto(artifact);
                        },
                        [&](const std::string& text) { out.set_text(text); }},
             output.value);
  return out;
}

std::int64_t LeaseMs(absl::Duration lease) {
  return lease == absl::InfiniteDuration() ? 0 : absl::ToInt64Milliseconds(lease);
}

v1::Run ToProto(const RunRow& row) {
  v1::Run out;
  out.set_name(row.added.name);
  out.set_display_name(row.added.display_name);
  out.set_experiment_name(row.added.experiment_name);
  out.set_description(row.added.description);
  out.set_status(StatusOf(row.status));
  out.set_reason(row.reason);
  out.set_created_us(row.created_us);
  out.set_started_us(row.started_us);
  out.set_ended_us(row.ended_us);
  out.set_forgotten_us(row.forgotten_us);
  out.set_submitter(row.added.submitter);
  out.set_team(row.added.team.empty() ? kDefaultTeam : row.added.team);
  out.mutable_tags()->insert(row.added.tags.begin(), row.added.tags.end());
  out.set_steps_total(static_cast<std::int32_t>(row.added.steps + row.added_steps));
  out.set_steps_completed(row.completed);
  out.set_steps_failed(row.failed);
  out.set_steps_canceled(row.canceled);
  out.set_steps_running(row.running);
  out.set_revision(row.revision);
  out.set_is_pipeline(row.added.is_pipeline);
  out.mutable_properties()->insert(row.added.properties.begin(), row.added.properties.end());
  out.set_archived(row.archived);
  for (const After& after : row.added.after) {
    v1::RunDependency& dependency = *out.add_after();
    dependency.set_run(after.name);
    dependency.set_only_if_completed(after.only_if_completed);
  }
  return out;
}

v1::StepStatus ToProto(const StepRow& row, const std::map<MachineId, MachineChanged>& machines) {
  v1::StepStatus out;
  const auto machine = machines.find(row.machine);
  const bool known = machine != machines.end();
  out.set_index(static_cast<std::int32_t>(row.index));
  out.set_status(StatusOf(row.state, known && machine->second.liveness != Liveness::kReady));
  out.set_attempt(static_cast<std::int32_t>(row.attempt));
  if (known) out.set_machine(machine->second.name);
  out.set_queued_us(row.queued_us);
  out.set_started_us(row.started_us);
  out.set_ended_us(row.ended_us);
  if (row.usage.has_value()) *out.mutable_usage() = potok::ToProto(*row.usage);
  if (row.attempt > 0 && row.started_us > 0) {
    out.set_runtime(row.runtime.empty() ? "host" : row.runtime);
  }
  std::visit(
      Overloaded{
          [&](const Succeeded& state) {
            out.set_exit_code(0);
            for (const OutputValue& output : state.outputs) *out.add_outputs() = ToProto(output);
          },
          [&](const Failed& state) {
            out.set_reason(state.failure.message.empty() ? NameOf(state.failure.cause)
                                                         : state.failure.message);
            if (state.failure.cause == FailureCause::kExitCode) {
              out.set_exit_code(state.failure.code);
            }
          },
          [&](const Canceled& state) { out.set_reason(state.reason); },
          [&](const Skipped& state) { out.set_reason(state.reason); },
          [&](const Stopping& state) { out.set_reason(state.reason); },
          [&](const Leaving& state) { out.set_reason(state.reason); },
          [&](const Delayed& state) {
            out.set_reason(fmt::format(
                "{} failed ({}); another follows at {}",
                row.attempt == 0 ? "an attempt" : fmt::format("attempt {}", row.attempt),
                state.failure.message.empty() ? NameOf(state.failure.cause) : state.failure.message,
                absl::FormatTime(absl::RFC3339_sec, state.until, absl::UTCTimeZone())));
          },
          [](const auto&) {},
      },
      row.state);
  return out;
}

}  // namespace potok::server
