// The start of an attempt by a ShimExecutor.
#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <variant>

#include "agent/executor/attempt_state.h"
#include "agent/executor/shim_channel.h"
#include "agent/executor/shim_executor.h"
#include "agent/executor/small_files.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::agent {
namespace {

template <std::size_t kSize>
void CopyText(char (&target)[kSize], const std::string& text) {
  std::memset(target, 0, kSize);
  text.copy(target, kSize - 1);
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Nanoseconds as the shim's record has them: 0 is no limit.
std::int64_t LimitNs(absl::Duration duration) {
  const std::int64_t ns = absl::ToInt64Nanoseconds(duration);
  return ns == INT64_MAX || ns < 0 ? 0 : ns;
}

}  // namespace

ShimRecord ShimExecutor::NewRecord(const Launch& launch, const std::optional<CgroupLeaf>& leaf) {
  ShimRecord record = {};
  record.magic = kShimRecordMagic;
  record.id = ++last_id_;
  CopyText(record.boot_id, boot_id_);
  record.leave_terminal = has_terminal_ ? 1 : 0;
  record.timeout_ns = LimitNs(launch.timeout);
  record.grace_ns = std::max<std::int64_t>(absl::ToInt64Nanoseconds(launch.grace), 0);
  if (leaf.has_value()) {
    CopyText(record.leaf, leaf->name);
    record.oom_kills_before = leaf->oom_kills;
    record.leaf_peak_before = leaf->peak_bytes;
    record.leaf_cpu_ns_before = absl::ToInt64Nanoseconds(leaf->cpu_time);
    record.leaf_memory_limit = launch.limits.memory_bytes;
  } else {
    record.memory_watch_bytes = launch.limits.memory_bytes;
  }
  return record;
}

absl::Status ShimExecutor::StartShim(const Launch& launch) {
  if (launch.argv.empty()) {
    return absl::InvalidArgumentError(
        fmt::format("cannot start attempt {}: its command is empty", ToString(launch.key)));
  }
  if (ids_.contains(launch.key)) {
    return absl::AlreadyExistsError(
        fmt::format("attempt {} was started before", ToString(launch.key)));
  }
  Attempt attempt;
  attempt.key = launch.key;
  attempt.folder = launch.folder;
  CgroupPaths paths;
  if (pool_ != nullptr) {
    POTOK_ASSIGN_OR_RETURN(attempt.leaf, pool_->Take(launch.limits));
    paths = pool_->tree().PathsOf(attempt.leaf->name, launch.limits);
  }
  const ShimRecord record = NewRecord(launch, attempt.leaf);
  absl::StatusOr<UniqueFd> state = CreateState(launch.folder, record);
  const std::string log_path = launch.folder + "/log";
  const UniqueFd log = MoveAboveShims(
      state.ok() ? open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640) : -1);
  const int log_error = errno;
  if (!state.ok() || !log.valid()) {
    if (attempt.leaf.has_value()) pool_->Give(*std::move(attempt.leaf));
    if (!state.ok()) return state.status();
    unlink(StatePath(launch.folder).c_str());
    return ErrnoStatus(log_error, "create", log_path);
  }
  state = MoveAboveShims(state->release());
  const auto taken = GiveToShim(launch, paths, log.get(), state->get());
  if (const auto* failure = std::get_if<SpawnFailure>(&taken)) {
    if (attempt.leaf.has_value()) pool_->Give(*std::move(attempt.leaf));
    return OnSpawnFailure(launch, *failure, *state, record);
  }
  attempt.shim_number = std::get<std::uint64_t>(taken);
  attempt.started_at = BootTimeNs();
  AddRunning(record.id, std::move(attempt));
  return absl::OkStatus();
}

std::variant<std::uint64_t, SpawnFailure> ShimExecutor::GiveToShim(const Launch& launch,
                                                                   const CgroupPaths& paths,
                                                                   int log,
                                                                   int state) {
  std::vector<std::string> arguments = {"potok-shim",
                                        paths.tracked,
                                        paths.memory_procs,
                                        paths.cpu_procs,
                                        paths.oom_counter_file,
                                        paths.pids_procs};
  arguments.insert(arguments.end(), launch.argv.begin(), launch.argv.end());
  std::vector<std::string> environment;
  environment.reserve(launch.environment.size());
  for (const auto& [name, value] : launch.environment) environment.push_back(name + "=" + value);
  const std::string order = OrderMessage(launch.working_directory, arguments, environment);
  while (!idle_.empty() && !order.empty()) {
    const std::uint64_t number = idle_.back();
    idle_.pop_back();
    // One that was killed meanwhile takes nothing; its pidfd will tell.
    if (SendOrder(shims_.at(number).channel, order, {log, state})) return number;
  }
  auto channel = MakeChannel();
  if (!channel.has_value()) return SpawnFailure{errno, false};
  const std::vector<char*> argv = Pointers(arguments);
  const std::vector<char*> envp = Pointers(environment);
  SpawnRequest request;
  request.program = options_.shim_path.c_str();
  request.working_directory = launch.working_directory.c_str();
  request.argv = argv.data();
  request.environment = envp.data();
  request.descriptors = {
      null_.get(), log, log, started_write_.get(), lease_.fd(), state, channel->shim.get()};
  auto spawned = spawner_.Spawn(request);
  if (const auto* failure = std::get_if<SpawnFailure>(&spawned)) return *failure;
  auto& shim = std::get<Spawned>(spawned);
  const auto number = AddShim(
      {.pid = shim.pid, .pidfd = std::move(shim.pidfd), .channel = std::move(channel->own)});
  if (!number.ok()) return SpawnFailure{ENOMEM, false};
  return *number;
}

// What the launch asks for cannot be had: the attempt has ended. Anything else is this machine's
// fault, and the folder is as before.
absl::Status ShimExecutor::OnSpawnFailure(const Launch& launch,
                                          const SpawnFailure& failure,
                                          const UniqueFd& state,
                                          ShimRecord record) {
  if (!failure.working_directory && failure.error != E2BIG) {
    unlink(StatePath(launch.folder).c_str());
    return ErrnoStatus(
        failure.error, "start attempt " + ToString(launch.key) + " under", options_.shim_path);
  }
  const StartStage stage =
      failure.working_directory ? StartStage::kWorkingDirectory : StartStage::kExec;
  record.failed_stage = static_cast<std::int32_t>(stage);
  record.failed_errno = failure.error;
  CopyText(record.program,
           failure.working_directory ? launch.working_directory : launch.argv.front());
  record.ended = 1;
  record.cause = static_cast<std::int32_t>(EndCause::kStartFailed);
  RewriteState(state, record);
  Attempt attempt;
  attempt.key = launch.key;
  attempt.ended = true;
  ids_[launch.key] = record.id;
  attempts_[record.id] = std::move(attempt);
  pending_.push_back({launch.key, EndOf(record)});
  ArmTimer();
  return absl::OkStatus();
}

absl::StatusOr<std::uint64_t> ShimExecutor::AddShim(Shim shim) {
  const std::uint64_t number = ++last_shim_;
  epoll_event ended = {};
  ended.events = EPOLLIN;
  ended.data.u64 = PidfdReady(number);
  epoll_event word = {};
  word.events = EPOLLIN;
  word.data.u64 = ChannelReady(number);
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, shim.pidfd.get(), &ended) != 0 ||
      (shim.channel.valid() &&
       epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, shim.channel.get(), &word) != 0)) {
    return ErrnoStatus(errno, "watch the shim", std::to_string(shim.pid));
  }
  shims_[number] = std::move(shim);
  return number;
}

void ShimExecutor::AddRunning(std::uint64_t id, Attempt attempt) {
  Shim& shim = shims_.at(attempt.shim_number);
  shim.attempt = id;
  attempt.shim = shim.pid;
  ids_[attempt.key] = id;
  attempts_[id] = std::move(attempt);
}

}  // namespace potok::agent
