#include "agent/loop/attempt_table.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "agent/loop/disk_room.h"
#include "agent/loop/verdict.h"
#include "common/base/status_macros.h"

namespace potok::agent {
namespace {

// Between SIGTERM and SIGKILL when a step exceeds its time limit.
constexpr absl::Duration kTimeoutGrace = absl::Seconds(10);

// True of an end that follows from how the processes ended.
bool StateTells(const ReportEvent& report) {
  if (const auto* succeeded = std::get_if<SucceededReport>(&report)) {
    return succeeded->outputs.empty();
  }
  const auto* failed = std::get_if<FailedReport>(&report);
  return failed == nullptr || failed->cause != FailureCause::kOutput;
}

}  // namespace

AttemptTable::AttemptTable(Ports ports, StepSurroundings surroundings, FindProgram find_program)
    : ports_(ports),
      surroundings_(std::move(surroundings)),
      find_program_(std::move(find_program)) {}

void AttemptTable::TakeUp() {
  // All are adopted before the first is started: a start ends what is left of earlier attempts.
  std::vector<AttemptKey> not_started;
  for (FoundAttempt& found : ports_.folders.Scan()) {
    const AttemptKey key = found.key;
    TakeUp(std::move(found));
    const auto taken = attempts_.find(key);
    if (taken != attempts_.end() && std::holds_alternative<Staging>(taken->second.state)) {
      not_started.push_back(key);
    }
  }
  for (const AttemptKey& key : not_started) Begin(key);
}

void AttemptTable::TakeUp(FoundAttempt found) {
  const AttemptKey key = found.key;
  Attempt attempt{.state = Staging{},
                  .order = nullptr,
                  .paths = ports_.folders.PathsOf(key),
                  .on_disk = true,
                  .launched = found.launched};
  attempt.runtime.shown = std::move(found.runtime);
  if (found.order) attempt.order = std::make_shared<AttemptOrder>(*std::move(found.order));
  const bool lost = !ports_.folders.same_boot() || attempt.order == nullptr;
  if (found.report) {
    const std::int64_t log_bytes = LogBytesOf(*found.report);
    attempt.state = Finished{.report = *std::move(found.report), .log_stored = log_bytes == 0};
    const std::string log = attempt.paths.log();
    Add(key, std::move(attempt));
    if (log_bytes > 0) ports_.logs.Finish(key, log, log_bytes);
  } else if (lost || found.launched) {
    attempt.state = Active{.started = true};
    const AttemptPaths paths = attempt.paths;
    Add(key, std::move(attempt));
    if (!lost) ports_.logs.Follow(key, paths.log());
    absl::Status adopted = absl::OkStatus();
    if (!lost) adopted = ports_.executor.Adopt(key, paths.folder);
    if (lost || !adopted.ok()) {
      if (!adopted.ok()) {
        spdlog::warn(
            "attempt not adopted attempt={} error=\"{}\"", ToString(key), adopted.ToString());
      }
      Apply(key, JudgeLost(ports_.logs.StoredBytes(found.log_bytes)));
    }
  } else {
    Add(key, std::move(attempt));
  }
}

void AttemptTable::Add(const AttemptKey& key, Attempt attempt) {
  if (IsLive(attempt.state)) ++live_count_;
  attempts_.insert_or_assign(key, std::move(attempt));
}

void AttemptTable::Start(StartOrder start) {
  const AttemptKey key = start.order.key;
  if (const auto known = attempts_.find(key); known != attempts_.end()) {
    // Said twice. Of what has ended the server did not hear.
    const Finished* finished = std::get_if<Finished>(&known->second.state);
    if (finished != nullptr && finished->report)
      reports_.push_back(ReportOf(key, *finished->report));
    return;
  }
  Attempt attempt{.state = Staging{},
                  .order = std::make_shared<AttemptOrder>(std::move(start.order)),
                  .paths = ports_.folders.PathsOf(key)};
  const absl::Status created = ports_.folders.Create(attempt.paths, start.serialized);
  attempt.on_disk = true;
  if (!created.ok()) attempt.state = Active{};
  Add(key, std::move(attempt));
  if (!created.ok()) return Apply(key, LaunchRefused{created});
  Begin(key);
}

void AttemptTable::Begin(const AttemptKey& key) {
  Attempt& attempt = attempts_.at(key);
  attempt.runtime = PlainRuntime(ports_.runtimes.Choose(*attempt.order));
  if (attempt.runtime.choice.NeedsPreparing()) {
    ports_.logs.Follow(key, attempt.paths.log());  // says what it waits for
  }
  if (NeedsStaging(*attempt.order) || attempt.runtime.choice.NeedsPreparing()) {
    ports_.transfers.Stage(attempt.order, attempt.paths);
  } else {
    Apply(key, StagingDone{ports_.transfers.MakeFolders(*attempt.order, attempt.paths)});
  }
}

void AttemptTable::Refuse(const UnusableOrder& order) {
  if (attempts_.contains(order.key)) return;
  Add(order.key, {.state = Active{}, .order = nullptr, .paths = ports_.folders.PathsOf(order.key)});
  Apply(order.key, LaunchRefused{absl::InvalidArgumentError(order.message)});
}

void AttemptTable::Stop(const AttemptKey& key, absl::Duration grace) {
  if (!attempts_.contains(key)) {
    // Its start never arrived, or its end is acknowledged and the server says this again.
    Add(key, {.state = Active{}, .order = nullptr, .paths = ports_.folders.PathsOf(key)});
    return Apply(key, ProcessEnded{.was_stopped = true});
  }
  Apply(key, StopAsked{StopReason::kOrdered, std::max(grace, absl::ZeroDuration())});
}

void AttemptTable::Apply(const AttemptKey& key, const AttemptEvent& event) {
  const auto found = attempts_.find(key);
  if (found == attempts_.end()) return;
  Attempt& attempt = found->second;
  const bool was_live = IsLive(attempt.state);
  if (const auto* staged = std::get_if<StagingDone>(&event); staged != nullptr && staged->runtime) {
    attempt.runtime = *staged->runtime;
  }
  Transition transition = Next(attempt.state, event);
  attempt.state = std::move(transition.state);
  if (was_live && !IsLive(attempt.state)) --live_count_;
  for (const Action action : transition.actions) Perform(action, key, event);
}

void AttemptTable::ApplyToLive(const AttemptEvent& event) {
  for (const AttemptKey& key : Live()) Apply(key, event);
}

void AttemptTable::Perform(Action action, const AttemptKey& key, const AttemptEvent& event) {
  Attempt& attempt = attempts_.at(key);
  switch (action) {
    case Action::kLaunch:
      attempt.launched = true;
      if (const absl::Status status = Launch(attempt); !status.ok()) {
        Apply(key, LaunchRefused{status});
      }
      break;
    case Action::kStopProcesses:
      ports_.executor.Stop(key, std::get<StopAsked>(event).grace);
      break;
    case Action::kStoreOutputs:
      ports_.transfers.Store(attempt.order, attempt.paths);
      break;
    case Action::kSayStarted:
      ports_.logs.Follow(key, attempt.paths.log());
      reports_.push_back(ReportOf(key, StartedReport{}));
      break;
    case Action::kSayExited:
      reports_.push_back(ReportOf(key, ExitedReport{}));
      break;
    case Action::kFinish:
      Finish(key, attempt);
      break;
    case Action::kRemove:
      Remove(key);
      break;
  }
}

absl::StatusOr<RuntimeCommand> AttemptTable::CommandOf(const Attempt& attempt) {
  const StepSurroundings surroundings =
      ports_.runtimes.SurroundingsIn(attempt.runtime, surroundings_);
  // Which programs an image has, the container will see.
  const FindProgram take_it = [](const std::string& program, const std::string&) {
    return std::optional(program);
  };
  POTOK_ASSIGN_OR_RETURN(StepCommand step,
                         RenderStep(*attempt.order,
                                    attempt.paths,
                                    surroundings,
                                    surroundings.is_image ? take_it : find_program_));
  if (step.script) {
    POTOK_RETURN_IF_ERROR(ports_.folders.WriteScript(attempt.paths, *step.script));
  }
  if (!attempt.runtime.shown.empty()) {
    POTOK_RETURN_IF_ERROR(ports_.folders.WriteRuntime(attempt.paths, attempt.runtime.shown));
  }
  POTOK_ASSIGN_OR_RETURN(
      RuntimeCommand command,
      ports_.runtimes.Make(
          *attempt.order, attempt.paths, attempt.runtime, std::move(step), surroundings));
  if (!command.variables.empty()) {
    POTOK_RETURN_IF_ERROR(ports_.folders.WriteVariables(attempt.paths, command.variables));
  }
  return command;
}

absl::Status AttemptTable::Launch(const Attempt& attempt) {
  POTOK_ASSIGN_OR_RETURN(RuntimeCommand command, CommandOf(attempt));
  agent::Launch launch;
  launch.key = attempt.order->key;
  launch.folder = attempt.paths.folder;
  launch.working_directory = attempt.paths.work();
  launch.argv = std::move(command.argv);
  launch.environment = std::move(command.environment);
  launch.limits = attempt.order->resources;
  launch.timeout = attempt.order->timeout;
  launch.grace = kTimeoutGrace;
  return ports_.executor.Start(launch);
}

Report AttemptTable::ReportOf(const AttemptKey& key, ReportEvent event) const {
  return {key, std::move(event), attempts_.at(key).runtime.shown};
}

void AttemptTable::Finish(const AttemptKey& key, const Attempt& attempt) {
  if (attempt.launched) ports_.executor.Forget(key);
  const auto& finished = std::get<Finished>(attempt.state);
  if (!finished.files_idle) ports_.transfers.Cancel(key);
  if (!finished.report) return ports_.logs.Drop(key);
  Report report = ReportOf(key, *finished.report);
  // What the shim's state tells as well is worth a file only while nobody listens.
  if (!server_listens_ || !attempt.launched || !StateTells(*finished.report)) {
    KeepReport(attempt, report);
  }
  reports_.push_back(std::move(report));
  const std::int64_t log_bytes = LogBytesOf(*finished.report);
  if (log_bytes > 0) {
    ports_.logs.Finish(key, attempt.paths.log(), log_bytes);
  } else {
    ports_.logs.Drop(key);
  }
}

void AttemptTable::KeepReport(const Attempt& attempt, const Report& report) {
  if (!attempt.on_disk) return;
  if (const absl::Status kept = ports_.folders.WriteReport(attempt.paths, report); !kept.ok()) {
    // It is still said from memory; only a restart before the acknowledgement would lose it.
    spdlog::warn("report not kept attempt={} error=\"{}\"", ToString(report.key), kept.ToString());
  }
}

void AttemptTable::ServerListens(bool listens) {
  if (server_listens_ && !listens) {
    for (const Report& report : Unacknowledged()) KeepReport(attempts_.at(report.key), report);
  }
  server_listens_ = listens;
}

void AttemptTable::Remove(const AttemptKey& key) {
  const auto found = attempts_.find(key);
  const Attempt& attempt = found->second;
  // Only what had no files of its own is worth looking at: the rest takes long to remove,
  // elsewhere.
  const bool plain =
      attempt.order != nullptr && !NeedsStaging(*attempt.order) && attempt.order->outputs.empty();
  if (attempt.on_disk && !(plain && ports_.folders.Recycle(attempt.paths))) {
    ports_.transfers.Remove(attempt.paths);
  }
  attempts_.erase(found);
}

void AttemptTable::HandleProcesses() {
  for (const ProcessEvent& event : ports_.executor.TakeEvents()) {
    if (!event.ended) {
      Apply(event.key, ProcessStarted{});
    } else {
      // Before anything reads its folders.
      if (ports_.execs != nullptr) ports_.execs->EndOf(event.key);
      Apply(event.key, JudgeAttempt(event.key, *event.ended));
    }
  }
}

std::vector<UsageSoFar> AttemptTable::Measure() {
  std::vector<UsageSoFar> all = ports_.executor.Measure();
  const std::map<int, GpuReading> readings =
      ports_.gpus == nullptr ? std::map<int, GpuReading>() : ports_.gpus->Read();
  for (UsageSoFar& one : all) {
    const auto found = attempts_.find(one.key);
    if (found == attempts_.end()) continue;
    Look(readings, found->second);
    Fill(found->second.gpus, one.usage);
  }
  return all;
}

void AttemptTable::Look(const std::map<int, GpuReading>& readings, Attempt& attempt) {
  if (attempt.order == nullptr) return;
  double utilization = 0;
  int gpus = 0;
  std::int64_t memory_bytes = 0;
  for (const std::int32_t index : attempt.order->gpu_indices) {
    const auto reading = readings.find(index);
    if (reading == readings.end()) continue;
    utilization += reading->second.utilization;
    memory_bytes += reading->second.memory_bytes;
    ++gpus;
  }
  if (gpus == 0) return;
  attempt.gpus.utilization += utilization / gpus;
  ++attempt.gpus.times;
  attempt.gpus.peak_memory_bytes = std::max(attempt.gpus.peak_memory_bytes, memory_bytes);
}

void AttemptTable::Fill(const GpuTally& gpus, Usage& usage) {
  if (gpus.times == 0) return;
  usage.gpu_utilization = gpus.utilization / gpus.times;
  usage.gpu_peak_memory_bytes = gpus.peak_memory_bytes;
}

ProcessEnded AttemptTable::JudgeAttempt(const AttemptKey& key, Ended ended) const {
  ended.log_bytes = ports_.logs.StoredBytes(ended.log_bytes);
  const auto found = attempts_.find(key);
  const bool is_known = found != attempts_.end() && found->second.order != nullptr;
  const std::int64_t asked = is_known ? found->second.order->resources.memory_bytes : 0;
  const bool inside = found != attempts_.end() && !found->second.runtime.shown.empty();
  ProcessEnded judged = inside ? JudgeInside(ended, asked) : Judge(ended, asked);
  if (found != attempts_.end() && judged.usage) Fill(found->second.gpus, *judged.usage);
  if (found == attempts_.end() || judged.was_stopped) return judged;
  const Attempt& attempt = found->second;
  if (judged.failure && attempt.runtime.shown.starts_with("container ")) {
    TellEngineFailure(attempt.paths.log(), &*judged.failure);
  }
  if (judged.failure) {
    // Where the disk is full the log cannot say so: it is there, too.
    const std::string full = FullDiskText(attempt.paths.folder);
    if (!full.empty()) judged.failure->message += "; " + full;
    return judged;
  }
  judged.nothing_to_store =
      !attempt.order->KeepsOutputs() ||
      (attempt.order->outputs.empty() && !ports_.transfers.HasDefaultArtifacts(attempt.paths));
  return judged;
}

std::vector<AttemptKey> AttemptTable::Live() const {
  std::vector<AttemptKey> live;
  for (const auto& [key, attempt] : attempts_) {
    if (IsLive(attempt.state)) live.push_back(key);
  }
  return live;
}

std::vector<Report> AttemptTable::Unacknowledged() const {
  std::vector<Report> reports;
  for (const auto& [key, attempt] : attempts_) {
    const Finished* finished = std::get_if<Finished>(&attempt.state);
    if (finished == nullptr || !finished->report || finished->acknowledged) continue;
    reports.push_back(ReportOf(key, *finished->report));
  }
  return reports;
}

std::vector<Report> AttemptTable::Progress(const std::vector<AttemptKey>& keys) const {
  std::vector<Report> reports;
  for (const AttemptKey& key : keys) {
    const auto found = attempts_.find(key);
    if (found == attempts_.end()) continue;
    const Active* active = std::get_if<Active>(&found->second.state);
    const bool uploading = std::holds_alternative<Uploading>(found->second.state);
    if (uploading || (active != nullptr && active->started)) {
      reports.push_back(ReportOf(key, StartedReport{}));
    }
    if (uploading) reports.push_back(ReportOf(key, ExitedReport{}));
  }
  return reports;
}

std::vector<Report> AttemptTable::TakeReports() {
  return std::exchange(reports_, {});
}

}  // namespace potok::agent
