#include "agent/executor/shim_executor.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "agent/executor/attempt_state.h"
#include "agent/executor/pidfd.h"
#include "agent/executor/process_tree.h"
#include "agent/executor/shim_channel.h"
#include "agent/executor/small_files.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::agent {
namespace {

// What epoll says is ready.
constexpr std::uint64_t kTimerReady = 0;
constexpr std::uint64_t kStartedReady = 1;

// More than that are not kept for later.
constexpr std::size_t kIdleMax = 64;

constexpr std::int64_t kAtOnce = 1;
constexpr std::int64_t kForceAgainNs = 100'000'000;

}  // namespace

ShimExecutor::ShimExecutor(ShimExecutorOptions options, LeasePage lease, std::string boot_id)
    : options_(std::move(options)), boot_id_(std::move(boot_id)), lease_(std::move(lease)) {}

ShimExecutor::~ShimExecutor() {
  if (pool_ == nullptr) return;
  for (auto& [id, attempt] : attempts_) {
    if (attempt.ended && attempt.leaf.has_value()) pool_->Give(*std::move(attempt.leaf));
  }
}

std::string ShimExecutor::isolation() const {
  return pool_ == nullptr ? "none" : pool_->tree().name();
}

absl::Status ShimExecutor::Start(const Launch& launch) {
  if (pool_ != nullptr) pool_->EndUnclaimed();
  return StartShim(launch);
}

void ShimExecutor::Stop(const AttemptKey& key, absl::Duration grace) {
  const auto id = ids_.find(key);
  if (id == ids_.end()) return;
  Attempt& attempt = attempts_.at(id->second);
  if (attempt.ended) return;
  Shim& shim = shims_.at(attempt.shim_number);
  shim.signalled = true;
  const absl::Duration bounded = std::clamp(grace, absl::ZeroDuration(), absl::Hours(24 * 20));
  SignalWithValue(shim.pidfd.get(), SIGTERM, static_cast<int>(absl::ToInt64Milliseconds(bounded)));
  const std::int64_t force_at =
      BootTimeNs() + absl::ToInt64Nanoseconds(bounded + options_.stop_margin);
  if (attempt.stop_asked && attempt.force_at <= force_at) return;
  forced_stops_.erase({attempt.force_at, id->second});
  attempt.stop_asked = true;
  attempt.force_at = force_at;
  forced_stops_.insert({force_at, id->second});
  ArmTimer();
}

void ShimExecutor::SetLeaseDeadline(absl::Duration boottime) {
  const std::int64_t before = lease_.Get();
  // Infinite is INT64_MAX, which is kNever.
  const std::int64_t deadline = absl::ToInt64Nanoseconds(boottime);
  lease_.Set(deadline);
  if (deadline >= before) return;
  // Shims sleep until the deadline that they know.
  for (const auto& [number, shim] : shims_) {
    if (shim.attempt != 0) SignalWithValue(shim.pidfd.get(), SIGUSR1, 0);
  }
}

void ShimExecutor::Forget(const AttemptKey& key) {
  const auto id = ids_.find(key);
  if (id == ids_.end()) return;
  const auto attempt = attempts_.find(id->second);
  if (!attempt->second.ended) return;
  if (attempt->second.leaf.has_value()) {
    CgroupLeaf& leaf = *attempt->second.leaf;
    if (attempt->second.has_company && pool_->HasProcesses(leaf)) pool_->Kill(leaf);
    pool_->Give(std::move(leaf));
  }
  attempts_.erase(attempt);
  ids_.erase(id);
}

absl::StatusOr<ProcessPlace> ShimExecutor::PlaceOf(const AttemptKey& key) {
  const auto id = ids_.find(key);
  if (id == ids_.end()) return absl::NotFoundError("there is no attempt " + ToString(key));
  Attempt& attempt = attempts_.at(id->second);
  ProcessPlace place;
  // The oldest child: what was left to the shim by others of its children came later.
  const std::vector<pid_t> children = ChildrenOf(attempt.shim);
  if (!attempt.ended && !children.empty()) place.command = children.front();
  if (!attempt.leaf.has_value()) return place;
  attempt.has_company = true;
  const CgroupPaths paths = pool_->tree().PathsOf(attempt.leaf->name, attempt.leaf->limits);
  for (const std::string& file : {paths.memory_procs, paths.cpu_procs, paths.pids_procs}) {
    if (!file.empty()) place.cgroups.push_back(file);
  }
  place.cgroups.push_back(paths.tracked + "/cgroup.procs");
  return place;
}

std::vector<ProcessEvent> ShimExecutor::TakeEvents() {
  epoll_event ready[256];
  const int count = epoll_wait(epoll_.get(), ready, std::size(ready), 0);
  bool timer = false;
  bool started = false;
  for (int i = 0; i < count; ++i) {
    timer |= ready[i].data.u64 == kTimerReady;
    started |= ready[i].data.u64 == kStartedReady;
  }
  // Before the ends: of an attempt, too, the start comes first.
  if (started) TakeStarted();
  for (int i = 0; i < count; ++i) {
    const ShimReady what = ShimReadyOf(ready[i].data.u64);
    if (what.is_channel) TakeWord(what.number);
    if (what.is_pidfd) TakeShimEnd(what.number);
  }
  std::vector<ProcessEvent> events = std::exchange(pending_, {});
  if (timer) ForceDueStops();
  return events;
}

void ShimExecutor::TakeStarted() {
  std::uint64_t ids[512];
  for (;;) {
    const ssize_t size = read(started_read_.get(), ids, sizeof(ids));
    if (size <= 0) return;
    for (std::size_t i = 0; i < static_cast<std::size_t>(size) / sizeof(ids[0]); ++i) {
      const auto attempt = attempts_.find(ids[i]);
      if (attempt != attempts_.end()) TellStart(attempt->second);
    }
    if (static_cast<std::size_t>(size) < sizeof(ids)) return;
  }
}

void ShimExecutor::TellStart(Attempt& attempt) {
  if (std::exchange(attempt.start_told, true)) return;
  pending_.push_back({attempt.key, std::nullopt});
}

// The attempt has ended, and the shim waits for another.
void ShimExecutor::TakeWord(std::uint64_t number) {
  const auto at = shims_.find(number);
  // A process just being started has copies of all descriptors for a moment, so that epoll may tell
  // of a closed one.
  if (at == shims_.end() || !at->second.channel.valid()) return;
  Shim& shim = at->second;
  std::uint64_t id = 0;
  const ssize_t size = recv(shim.channel.get(), &id, sizeof(id), MSG_DONTWAIT);
  if (size < 0 && errno == EAGAIN) return;
  if (size != sizeof(id)) {
    shim.channel = UniqueFd();  // it ends: its pidfd will tell
    return;
  }
  shim.attempt = 0;
  TakeEnded(id);
  if (shim.signalled || idle_.size() >= kIdleMax) {
    shim.channel = UniqueFd();  // which ends it
  } else {
    idle_.push_back(number);
  }
}

void ShimExecutor::TakeShimEnd(std::uint64_t number) {
  const auto at = shims_.find(number);
  if (at == shims_.end()) return;
  // Fails for an adopted shim, whose parent is another process.
  waitid(P_PIDFD, static_cast<id_t>(at->second.pidfd.get()), nullptr, WEXITED | WNOHANG);
  if (at->second.attempt != 0) TakeEnded(at->second.attempt);
  std::erase(idle_, number);
  shims_.erase(at);
}

void ShimExecutor::TakeEnded(std::uint64_t id) {
  const auto at = attempts_.find(id);
  if (at == attempts_.end() || at->second.ended) return;
  Attempt& attempt = at->second;
  const auto found = FindState(attempt.folder);
  Ended end;
  end.cause = EndCause::kLost;
  if (found.ok()) end = EndOf(found->record);
  if (end.cause == EndCause::kLost) {
    KillWithoutShim(attempt);
    if (attempt.stop_asked) end = {EndCause::kStopped, SIGKILL, "", 0, {}};
    struct stat log = {};
    if (stat((attempt.folder + "/log").c_str(), &log) == 0) end.log_bytes = log.st_size;
  } else if (attempt.leaf.has_value()) {
    SettleLeaf(attempt, found->record, &end);
  }
  std::int64_t& peak = end.usage.peak_memory_bytes;
  peak = std::max(peak, attempt.peak_seen_bytes);
  attempt.ended = true;
  if (attempt.stop_asked) forced_stops_.erase({attempt.force_at, id});
  if (end.cause != EndCause::kStartFailed && end.cause != EndCause::kLost) TellStart(attempt);
  pending_.push_back({attempt.key, std::move(end)});
}

// What the leaf counted goes into the end and into what later attempts in it start from.
void ShimExecutor::SettleLeaf(Attempt& attempt, const ShimRecord& record, Ended* end) {
  CgroupLeaf& leaf = *attempt.leaf;
  leaf.oom_kills = record.oom_kills;
  leaf.cpu_time += end->usage.cpu_time;
  // A leaf in which no process could be made is of no more use either.
  if (record.cgroup_killed != 0 || end->cause == EndCause::kStartFailed) leaf.killed = true;
  // The kernel never lowers it. If it did not grow, it is an earlier attempt's.
  const std::int64_t peak = pool_->tree().PeakMemory(leaf.name);
  if (peak > leaf.peak_bytes) end->usage.peak_memory_bytes = peak;
  leaf.peak_bytes = std::max(leaf.peak_bytes, peak);
}

Usage ShimExecutor::UsageNow(const Attempt& attempt) const {
  Usage usage;
  usage.wall_time = absl::Nanoseconds(BootTimeNs() - attempt.started_at);
  LeafUsage counted;
  if (attempt.leaf.has_value()) {
    counted = pool_->tree().UsageOf(attempt.leaf->name, attempt.leaf->limits);
  }
  if (counted.memory_bytes == 0 || !counted.cpu_time.has_value()) {
    const ProcessesUsage seen = UsageOfTrees(ChildrenOf(attempt.shim));
    if (counted.memory_bytes == 0) counted.memory_bytes = seen.memory_bytes;
    usage.cpu_time = seen.cpu_time;
  }
  if (counted.cpu_time.has_value()) usage.cpu_time = *counted.cpu_time - attempt.leaf->cpu_time;
  usage.cpu_time = std::max(usage.cpu_time, absl::ZeroDuration());
  usage.memory_bytes = counted.memory_bytes;
  return usage;
}

std::vector<UsageSoFar> ShimExecutor::Measure() {
  std::vector<UsageSoFar> all;
  for (auto& [id, attempt] : attempts_) {
    if (attempt.ended) continue;
    Usage usage = UsageNow(attempt);
    attempt.peak_seen_bytes = std::max(attempt.peak_seen_bytes, usage.memory_bytes);
    usage.peak_memory_bytes = attempt.peak_seen_bytes;
    if (attempt.leaf.has_value()) {
      const std::int64_t peak = pool_->tree().PeakMemory(attempt.leaf->name);
      if (peak > attempt.leaf->peak_bytes) usage.peak_memory_bytes = peak;
    }
    all.push_back({attempt.key, usage});
  }
  return all;
}

std::vector<std::string> ShimExecutor::NotEnforced() const {
  if (pool_ != nullptr) return pool_->tree().NotEnforced();
  return {"memory: it is looked at every 0.2 s, and a step over its limit is ended then",
          "CPUs: a step may use all of the machine's",
          "the number of processes"};
}

// True if nothing of the attempt is alive but the shim.
bool ShimExecutor::KillWithoutShim(Attempt& attempt) {
  if (!attempt.leaf.has_value()) {
    const auto found = FindState(attempt.folder);
    return KillTreeOf(attempt.shim, found.ok() ? found->record.command_pid : 0);
  }
  pool_->Kill(*attempt.leaf);
  return !pool_->HasProcesses(*attempt.leaf);
}

// For shims that are dead to SIGTERM: stopped, or stuck.
void ShimExecutor::ForceDueStops() {
  const std::int64_t now = BootTimeNs();
  while (!forced_stops_.empty() && forced_stops_.begin()->first <= now) {
    const std::uint64_t id = forced_stops_.begin()->second;
    forced_stops_.erase(forced_stops_.begin());
    Attempt& attempt = attempts_.at(id);
    // The shim last: what it leaves behind would be nobody's child. Its end is the attempt's.
    if (KillWithoutShim(attempt)) {
      SignalWithValue(shims_.at(attempt.shim_number).pidfd.get(), SIGKILL, 0);
    }
    attempt.force_at = now + kForceAgainNs;
    forced_stops_.insert({attempt.force_at, id});
  }
  ArmTimer();
}

void ShimExecutor::ArmTimer() {
  std::int64_t at = 0;
  if (!forced_stops_.empty()) at = forced_stops_.begin()->first;
  if (!pending_.empty()) at = kAtOnce;
  itimerspec when = {};
  when.it_value.tv_sec = at / 1'000'000'000;
  when.it_value.tv_nsec = at % 1'000'000'000;
  timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &when, nullptr);
}

}  // namespace potok::agent
