#include "agent/link/wire.h"

#include "common/base/overloaded.h"
#include "common/base/status_macros.h"
#include "common/rpc/pipeline_convert.h"
#include "common/rpc/usage_convert.h"
#include "common/rpc/utf8.h"
#include "fmt/format.h"

namespace potok::agent {
namespace {

// The enums of both forms have the same order; the wire's begin with "unspecified".
ValueType FromProto(v1::ValueType type) {
  if (type <= v1::VALUE_TYPE_UNSPECIFIED || type > v1::VALUE_TYPE_TRITON_MODEL) {
    return ValueType::kUriFolder;  // Azure ML's default where no type is named
  }
  return static_cast<ValueType>(type - 1);
}
Mode FromProto(v1::Mode mode) {
  if (mode < v1::MODE_UNSPECIFIED || mode > v1::MODE_EVAL_DOWNLOAD) return Mode::kDefault;
  return static_cast<Mode>(mode);
}
static_assert(static_cast<int>(ValueType::kTritonModel) == v1::VALUE_TYPE_TRITON_MODEL - 1);
static_assert(static_cast<int>(Mode::kEvalDownload) == v1::MODE_EVAL_DOWNLOAD);
static_assert(static_cast<int>(FailureCause::kMachineLost) ==
              v1::AttemptFailed::CAUSE_MACHINE_LOST);

absl::StatusOr<AttemptInput> FromProto(const v1::AttemptInput& input) {
  AttemptInput result{.name = input.name(),
                      .type = FromProto(input.type()),
                      .mode = FromProto(input.mode()),
                      .value = input.text()};
  if (input.has_artifact()) {
    POTOK_ASSIGN_OR_RETURN(result.value, potok::FromProto(input.artifact()));
  }
  return result;
}

Output FromProto(const v1::Output& output) {
  return {.name = output.name(),
          .type = FromProto(output.type()),
          .mode = FromProto(output.mode()),
          .path = output.path(),
          .promoted_to = output.promoted_to(),
          .asset_name = output.asset_name(),
          .asset_version = output.asset_version()};
}

Distribution FromProto(const v1::Distribution& distribution) {
  return {.type = distribution.type(),
          .process_count_per_instance = distribution.process_count_per_instance(),
          .properties = {distribution.properties().begin(), distribution.properties().end()}};
}

void Fill(const SucceededReport& report, v1::Report& to) {
  v1::Succeeded& succeeded = *to.mutable_succeeded();
  succeeded.set_log_bytes(report.log_bytes);
  if (report.usage) *succeeded.mutable_usage() = potok::ToProto(*report.usage);
  for (const OutputValue& output : report.outputs) {
    v1::AttemptOutput& added = *succeeded.add_outputs();
    added.set_name(output.name);
    std::visit(Overloaded{[&](const Artifact& artifact) {
                            *added.mutable_artifact() = potok::ToProto(artifact);
                          },
                          [&](const std::string& text) { added.set_text(text); }},
               output.value);
  }
}

void Fill(const FailedReport& report, v1::Report& to) {
  v1::AttemptFailed& failed = *to.mutable_failed();
  failed.set_cause(static_cast<v1::AttemptFailed::Cause>(report.cause));
  failed.set_exit_code(report.code);
  failed.set_message(AsUtf8(report.message));
  failed.set_log_bytes(report.log_bytes);
  if (report.usage) *failed.mutable_usage() = potok::ToProto(*report.usage);
}

absl::StatusOr<ReportEvent> FromProto(const v1::Succeeded& succeeded) {
  SucceededReport report{.outputs = {}, .log_bytes = succeeded.log_bytes(), .usage = {}};
  if (succeeded.has_usage()) report.usage = potok::FromProto(succeeded.usage());
  for (const v1::AttemptOutput& output : succeeded.outputs()) {
    OutputValue value{.name = output.name(), .value = output.text()};
    if (output.has_artifact()) {
      POTOK_ASSIGN_OR_RETURN(value.value, potok::FromProto(output.artifact()));
    }
    report.outputs.push_back(std::move(value));
  }
  return report;
}

FailedReport FromProto(const v1::AttemptFailed& failed) {
  FailedReport report{.cause = static_cast<FailureCause>(failed.cause()),
                      .code = failed.exit_code(),
                      .message = failed.message(),
                      .log_bytes = failed.log_bytes(),
                      .usage = {}};
  if (failed.has_usage()) report.usage = potok::FromProto(failed.usage());
  return report;
}

ExecOrder FromProto(const v1::OpenExec& open) {
  const v1::ExecStart& start = open.start();
  ExecOrder order{.token = open.token(),
                  .key = agent::FromProto(open.id()),
                  .argv = {start.argv().begin(), start.argv().end()},
                  .has_terminal = start.terminal()};
  order.rows = start.size().rows();
  order.columns = start.size().columns();
  order.terminal_type = start.terminal_type().empty() ? "dumb" : start.terminal_type();
  order.user = start.user();
  return order;
}

ServerWord WordOf(const v1::Order& order) {
  const AttemptKey key = agent::FromProto(order.id());
  if (order.has_stop()) return StopOrder{key, absl::Milliseconds(order.stop().grace_ms())};
  absl::StatusOr<AttemptOrder> start = agent::FromProto(key, order.start());
  if (!start.ok()) return UnusableOrder{key, std::string(start.status().message())};
  return StartOrder{*std::move(start), order.start().SerializeAsString()};
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

v1::Report ToProto(const Report& report) {
  v1::Report result;
  *result.mutable_id() = ToProto(report.key);
  result.set_runtime(AsUtf8(report.runtime));
  std::visit(Overloaded{[&](const StartedReport&) { result.mutable_started(); },
                        [&](const ExitedReport&) { result.mutable_exited(); },
                        [&](const SucceededReport& succeeded) { Fill(succeeded, result); },
                        [&](const FailedReport& failed) { Fill(failed, result); },
                        [&](const StoppedReport& stopped) {
                          v1::Stopped& to = *result.mutable_stopped();
                          to.set_log_bytes(stopped.log_bytes);
                          if (stopped.usage) *to.mutable_usage() = potok::ToProto(*stopped.usage);
                        }},
             report.event);
  return result;
}

absl::StatusOr<Report> FromProto(const v1::Report& report) {
  Report result{
      .key = FromProto(report.id()), .event = StartedReport{}, .runtime = report.runtime()};
  switch (report.event_case()) {
    case v1::Report::kStarted:
      return result;
    case v1::Report::kExited:
      result.event = ExitedReport{};
      return result;
    case v1::Report::kSucceeded: {
      POTOK_ASSIGN_OR_RETURN(result.event, FromProto(report.succeeded()));
      return result;
    }
    case v1::Report::kFailed:
      result.event = FromProto(report.failed());
      return result;
    case v1::Report::kStopped: {
      StoppedReport stopped{report.stopped().log_bytes(), {}};
      if (report.stopped().has_usage()) stopped.usage = potok::FromProto(report.stopped().usage());
      result.event = stopped;
      return result;
    }
    case v1::Report::EVENT_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("the report says nothing");
}

v1::Hello ToProto(const Hello& hello) {
  const Introduction& self = hello.introduction;
  v1::Hello result;
  result.set_machine(self.machine);
  result.set_state_id(self.state_id);
  result.set_boot_id(self.boot_id);
  result.set_agent_version(self.agent_version);
  *result.mutable_capacity() = potok::ToProto(self.capacity);
  for (const OfferedGpu& gpu : self.gpus) {
    v1::Gpu& added = *result.add_gpus();
    added.set_index(gpu.index);
    added.set_model(gpu.model);
    added.set_memory_bytes(gpu.memory_bytes);
    added.set_uuid(gpu.uuid);
  }
  for (const auto& [name, value] : self.labels) (*result.mutable_labels())[name] = value;
  for (const std::string& pool : self.pools) result.add_pools(pool);
  result.set_isolation(self.isolation);
  result.set_cache_bytes(self.cache_bytes);
  result.set_allows_exec(self.allows_exec);
  for (const std::string& runtime : self.runtimes) result.add_runtimes(runtime);
  for (const AttemptKey& key : hello.live) *result.add_live() = ToProto(key);
  for (const Report& report : hello.unacknowledged) *result.add_unacknowledged() = ToProto(report);
  return result;
}

absl::StatusOr<AttemptOrder> FromProto(const AttemptKey& key, const v1::StartAttempt& start) {
  AttemptOrder order;
  order.key = key;
  order.run = start.run();
  order.job_name = start.job_name();
  order.step = start.step();
  order.command = start.command();
  order.environment_variables = {start.environment_variables().begin(),
                                 start.environment_variables().end()};
  order.gpu_indices = {start.gpu_indices().begin(), start.gpu_indices().end()};
  order.experiment_name = start.experiment_name();
  order.distribution = FromProto(start.distribution());
  order.fence = start.fence();
  order.tracking = {.uri = start.tracking().uri(),
                    .token = start.tracking().token(),
                    .run_id = start.tracking().run_id(),
                    .experiment_id = start.tracking().experiment_id()};
  if (start.has_gang()) {
    const v1::Gang& gang = start.gang();
    order.gang = GangPlace{.rank = gang.rank(),
                           .hosts = {gang.hosts().begin(), gang.hosts().end()},
                           .port = gang.port(),
                           .token = gang.token()};
    if (gang.rank() < 0 || gang.rank() >= gang.hosts().size()) {
      return absl::InvalidArgumentError(
          fmt::format("rank {} of {} members", gang.rank(), gang.hosts().size()));
    }
  }
  order.environment_definition = start.environment_definition();
  order.isolation = start.isolation();
  order.images = start.images();
  order.network = start.network();
  POTOK_ASSIGN_OR_RETURN(order.resources, potok::FromProto(start.resources()));
  if (start.timeout_seconds() > 0) order.timeout = absl::Seconds(start.timeout_seconds());
  if (start.has_code()) {
    POTOK_ASSIGN_OR_RETURN(order.code, potok::FromProto(start.code()));
  }
  for (const v1::AttemptInput& input : start.inputs()) {
    POTOK_ASSIGN_OR_RETURN(AttemptInput read, FromProto(input));
    order.inputs.push_back(std::move(read));
  }
  for (const v1::Output& output : start.outputs()) order.outputs.push_back(FromProto(output));
  POTOK_RETURN_IF_ERROR(CheckNames(order));
  return order;
}

std::vector<ServerWord> WordsOf(const v1::ServerMessage& message) {
  std::vector<ServerWord> words;
  if (message.has_welcome()) {
    const v1::Welcome& from = message.welcome();
    Welcome welcome;
    welcome.lease = absl::Milliseconds(from.lease_ms());
    welcome.heartbeat_interval = absl::Milliseconds(from.heartbeat_interval_ms());
    for (const v1::AttemptId& id : from.keep()) welcome.keep.push_back(FromProto(id));
    words.emplace_back(std::move(welcome));
  } else if (message.has_orders()) {
    // Orders first: steps wait for them, and for what is forgotten nobody does.
    for (const v1::Order& order : message.orders().orders()) words.push_back(WordOf(order));
    ReportsAcknowledged acknowledged;
    for (const v1::AttemptId& id : message.orders().acknowledged()) {
      acknowledged.keys.push_back(FromProto(id));
    }
    if (!acknowledged.keys.empty()) words.emplace_back(std::move(acknowledged));
  } else if (message.has_heartbeat_ack()) {
    words.emplace_back(HeartbeatAcknowledged{message.heartbeat_ack().sequence()});
  } else if (message.has_open_exec()) {
    words.emplace_back(FromProto(message.open_exec()));
  }
  return words;
}

absl::StatusOr<AttemptOrder> ParseOrder(const AttemptKey& key, const std::string& serialized) {
  v1::StartAttempt start;
  if (!start.ParseFromString(serialized)) {
    return absl::DataLossError("the stored order is not whole");
  }
  return FromProto(key, start);
}

std::string SerializeReport(const Report& report) {
  return ToProto(report).SerializeAsString();
}

absl::StatusOr<Report> ParseReport(const std::string& serialized) {
  v1::Report report;
  if (!report.ParseFromString(serialized)) {
    return absl::DataLossError("the stored report is not whole");
  }
  return FromProto(report);
}

}  // namespace potok::agent
