// The beginning of a ShimExecutor: choosing the isolation, and taking up earlier attempts.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "agent/executor/attempt_state.h"
#include "agent/executor/pidfd.h"
#include "agent/executor/process_tree.h"
#include "agent/executor/shim_executor.h"
#include "agent/executor/small_files.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::agent {
namespace {

constexpr int kTryMilliseconds = 10'000;
constexpr int kShimUsage = 2;  // the shim's exit code without an agent

// The same for every agent of one state folder, another for every other.
std::string PoolName(const std::string& state_folder) {
  struct stat folder = {};
  if (stat(state_folder.c_str(), &folder) != 0) return "potok";
  return fmt::format("potok-{:x}-{}", folder.st_dev, folder.st_ino);
}

std::vector<std::unique_ptr<CgroupTree>> Trees(const CgroupOptions& options) {
  const auto mounts = ReadSmallFile("/proc/self/mountinfo");
  const auto cgroups = ReadSmallFile("/proc/self/cgroup");
  std::vector<std::unique_ptr<CgroupTree>> trees;
  if (!mounts.ok() || !cgroups.ok()) return trees;
  const OwnCgroups own = FindOwnCgroups(*mounts, *cgroups);
  if (auto v2 = MakeV2Tree(own, options)) trees.push_back(std::move(v2));
  if (auto v1 = MakeV1Tree(own, options)) trees.push_back(std::move(v1));
  return trees;
}

bool WaitReadable(int fd) {
  pollfd waited = {fd, POLLIN, 0};
  return poll(&waited, 1, kTryMilliseconds) > 0;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ShimExecutor>> ShimExecutor::Open(
    const ShimExecutorOptions& options) {
  std::error_code error;
  std::filesystem::create_directories(options.state_folder, error);
  if (error) return ErrnoStatus(error.value(), "make the folder", options.state_folder);
  const std::string boot_id = BootId();
  POTOK_ASSIGN_OR_RETURN(LeasePage lease,
                         LeasePage::Open(options.state_folder + "/lease", boot_id));
  std::unique_ptr<ShimExecutor> executor(new ShimExecutor(options, std::move(lease), boot_id));
  POTOK_RETURN_IF_ERROR(executor->OpenEvents());
  std::string refused;
  for (auto& tree : Trees({PoolName(options.state_folder), options.processes_max})) {
    if (!options.isolation.empty() && options.isolation != tree->name()) continue;
    absl::Status works = tree->Prepare();
    if (works.ok()) {
      executor->pool_ = std::make_unique<CgroupPool>(std::move(tree));
      works = executor->Try();
      if (works.ok()) return executor;
      executor->pool_ = nullptr;
    }
    refused += "; " + works.ToString();
  }
  if (!options.isolation.empty() && options.isolation != "none") {
    return absl::FailedPreconditionError(
        fmt::format("isolation {} does not work here{}", options.isolation, refused));
  }
  POTOK_RETURN_IF_ERROR(executor->Try());
  return executor;
}

absl::Status ShimExecutor::OpenEvents() {
  has_terminal_ = UniqueFd(open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)).valid();
  int ends[2];
  epoll_ = UniqueFd(epoll_create1(EPOLL_CLOEXEC));
  timer_ = UniqueFd(timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK));
  null_ = MoveAboveShims(open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!epoll_.valid() || !timer_.valid() || !null_.valid() || pipe2(ends, O_CLOEXEC) != 0) {
    return ErrnoStatus(errno, "open descriptors for", "the executor's events");
  }
  started_read_ = UniqueFd(ends[0]);
  started_write_ = MoveAboveShims(ends[1]);
  // Only the reading end: it must be the shims that wait when the pipe is full.
  fcntl(started_read_.get(), F_SETFL, O_NONBLOCK);
  epoll_event timer = {};
  timer.events = EPOLLIN;
  timer.data.u64 = 0;
  epoll_event started = {};
  started.events = EPOLLIN;
  started.data.u64 = 1;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, timer_.get(), &timer) != 0 ||
      epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, started_read_.get(), &started) != 0) {
    return ErrnoStatus(errno, "watch", "the executor's events");
  }
  return absl::OkStatus();
}

// Runs an attempt with limits from start to end: files that exist prove little.
absl::Status ShimExecutor::Try() {
  std::string folder = options_.state_folder + "/try-XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) return ErrnoStatus(errno, "make the folder", folder);
  Launch launch;
  launch.key = {0, 0, 0};
  launch.folder = folder;
  launch.working_directory = folder;
  launch.argv = {options_.shim_path};
  launch.limits = {std::int64_t{64} << 20, 1000, 0};
  launch.timeout = absl::Milliseconds(kTryMilliseconds);
  absl::Status result = StartShim(launch);
  Ended end;
  end.cause = EndCause::kLost;
  while (result.ok() && end.cause == EndCause::kLost) {
    if (!WaitReadable(epoll_.get())) result = absl::DeadlineExceededError("no answer of the shim");
    for (const ProcessEvent& event : TakeEvents()) {
      if (event.ended.has_value()) end = *event.ended;
      if (event.ended.has_value() && end.cause == EndCause::kLost) {
        result = absl::InternalError("the shim died");
      }
    }
  }
  // The lease of an earlier agent may have run out.
  const bool ran =
      end.cause == EndCause::kLease || (end.cause == EndCause::kExit && end.code == kShimUsage);
  if (result.ok() && !ran) {
    result = absl::InternalError(
        fmt::format("cause {}, code {} {}", static_cast<int>(end.cause), end.code, end.message));
  }
  if (result.ok() && pool_ != nullptr) {
    const std::string kill =
        pool_->tree().TrackedFolder(attempts_.at(ids_.at(launch.key)).leaf->name) + "/cgroup.kill";
    if (access(kill.c_str(), W_OK) != 0) result = ErrnoStatus(errno, "write", kill);
  }
  Forget(launch.key);
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  if (result.ok()) return result;
  return absl::Status(result.code(),
                      fmt::format("a trial attempt with isolation {} failed: {}",
                                  isolation(),
                                  std::string(result.message())));
}

absl::Status ShimExecutor::Adopt(const AttemptKey& key, const std::string& folder) {
  if (ids_.contains(key)) {
    return absl::AlreadyExistsError(
        fmt::format("attempt {} is known to the executor already", ToString(key)));
  }
  absl::StatusOr<FoundState> found = FindState(folder);
  // The agent that locked the file may have died before the shim wrote its number, microseconds
  // later.
  for (int tries = 0; found.ok() && found->shim_lives && found->record.shim_pid == 0; ++tries) {
    if (tries == 1000) {
      return absl::UnavailableError(fmt::format(
          "the shim of attempt {} has the lock on {} but does not say its number; try again",
          ToString(key),
          StatePath(folder)));
    }
    const timespec millisecond = {0, 1'000'000};
    nanosleep(&millisecond, nullptr);
    found = FindState(folder);
  }
  if (found.ok() && found->shim_lives) return AdoptRunning(key, folder, *found);
  AdoptEnded(key, found);
  return absl::OkStatus();
}

absl::Status ShimExecutor::AdoptRunning(const AttemptKey& key,
                                        const std::string& folder,
                                        const FoundState& found) {
  Shim shim{.pid = found.record.shim_pid, .pidfd = OpenPidfd(found.record.shim_pid)};
  // Only if the lock is held still, the number was the shim's when the pidfd was opened.
  const absl::StatusOr<FoundState> again = FindState(folder);
  if (!shim.pidfd.valid() || !again.ok() || !again->shim_lives) {
    AdoptEnded(key, again);
    return absl::OkStatus();
  }
  Attempt attempt;
  attempt.key = key;
  attempt.folder = folder;
  attempt.leaf = Claim(found.record);
  attempt.started_at = BootTimeNs();
  POTOK_ASSIGN_OR_RETURN(attempt.shim_number, AddShim(std::move(shim)));
  const std::uint64_t id = ++last_id_;
  AddRunning(id, std::move(attempt));
  TellStart(attempts_.at(id));
  ArmTimer();
  return absl::OkStatus();
}

void ShimExecutor::AdoptEnded(const AttemptKey& key, const absl::StatusOr<FoundState>& found) {
  Attempt attempt;
  attempt.key = key;
  attempt.ended = true;
  Ended end;
  end.cause = EndCause::kLost;
  // After a crash of the machine nothing on disk can be trusted: nothing was synced.
  if (found.ok() && boot_id_ == found->record.boot_id) {
    attempt.leaf = Claim(found->record);
    attempt.shim = found->record.shim_pid;
    end = EndOf(found->record);
    if (attempt.leaf.has_value() && end.cause != EndCause::kLost) {
      SettleLeaf(attempt, found->record, &end);
    }
    if (end.cause == EndCause::kLost && attempt.shim != 0) {
      EndOrphans(attempt, found->record.command_pid);
    }
  }
  const std::uint64_t id = ++last_id_;
  ids_[key] = id;
  attempts_[id] = std::move(attempt);
  pending_.push_back({key, std::move(end)});
  ArmTimer();
}

// Somebody killed the shim while there was no agent.
void ShimExecutor::EndOrphans(Attempt& attempt, pid_t command) {
  if (attempt.leaf.has_value()) {
    KillWithoutShim(attempt);
    return;
  }
  // The command died with the shim. While its process group has members no other process gets its
  // number, so if a process has it, that is another one with a group of its own.
  if (command != 0 && !IsRunning(command)) kill(-command, SIGKILL);
}

std::optional<CgroupLeaf> ShimExecutor::Claim(const ShimRecord& record) {
  if (pool_ == nullptr || record.leaf[0] == 0) return std::nullopt;
  std::optional<CgroupLeaf> leaf = pool_->Claim(record.leaf);
  if (leaf.has_value()) {
    leaf->peak_bytes = record.leaf_peak_before;
    leaf->cpu_time = absl::Nanoseconds(record.leaf_cpu_ns_before);
    // Of the limits only whether there is one matters now.
    leaf->limits.memory_bytes = record.leaf_memory_limit;
  }
  return leaf;
}

}  // namespace potok::agent
