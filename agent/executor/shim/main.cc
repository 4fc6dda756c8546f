// potok-shim: owns the processes of one attempt. It outlives the agent, ends the whole tree on
// SIGTERM, on the time limit and when the agent's lease runs out, and leaves how it ended in
// FOLDER/state. After that it takes another attempt, while there is an agent to give it one. One
// thread, no C library; see docs/decisions/0004-one-shim-per-attempt.md.
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "agent/executor/shim/command.h"
#include "agent/executor/shim/next_order.h"
#include "agent/executor/shim/proc_files.h"
#include "agent/executor/shim/shim_record.h"
#include "agent/executor/shim/system_calls.h"
#include "agent/executor/shim/timer.h"

namespace potok::shim {
namespace {

using agent::EndCause;
using agent::ShimRecord;
using agent::StartStage;

constexpr std::int64_t kMillisecond = 1'000'000;
constexpr std::int64_t kWatchPeriod = 200 * kMillisecond;
constexpr std::int64_t kKillPeriod = 20 * kMillisecond;
constexpr int kShellsSigkill = 128 + SIGKILL;
// After a lease's end the server waits 30 s before it starts the step elsewhere.
constexpr std::int64_t kLeaseGraceMax = 10'000 * kMillisecond;

// Signals are only ever taken by rt_sigtimedwait. The agent starts the shim with all of them
// blocked, so that none is lost before.
std::uint64_t SignalSet() {
  const int signals[] = {SIGCHLD, SIGTERM, SIGUSR1, SIGALRM};
  std::uint64_t set = 0;
  for (int signal : signals) set |= std::uint64_t{1} << (signal - 1);
  return set;
}

class Attempt {
 public:
  // `timer` is the shim's only one.
  Attempt(const ShimRecord& record, const Order& order, Timer& timer)
      : record_(record),
        order_(order),
        argv_(order.argv),
        is_earlier_(record.magic == agent::kShimRecordMagic1),
        timer_(timer) {}

  // From the start of the command until nothing of it is alive.
  void Run(std::int64_t started_at);

 private:
  Started MapLease();
  std::int64_t LeaseDeadline() const { return __atomic_load_n(lease_, __ATOMIC_RELAXED); }
  // The agent may still be of the release before this one.
  const char* const* Command() const {
    return argv_ + (is_earlier_ ? agent::kArgCommand1 : agent::kArgCommand);
  }
  bool StartCommand();
  int WaitForSignal(std::int64_t now, siginfo_t* info);
  void Reap();
  void Count(const rusage& usage);
  void OnDeadlines(std::int64_t now);
  void Stop(EndCause cause, std::int64_t now, std::int64_t grace);
  bool MemoryExceeded();
  bool MustKill(std::int64_t now) const;
  void KillTree();
  void JudgeEnd();
  void WriteEnd();

  ShimRecord record_;
  const Order& order_;
  const char* const* argv_;
  const bool is_earlier_;
  const std::int64_t* lease_ = nullptr;
  int tracked_cgroup_ = -1;
  int main_pid_ = 0;
  int main_status_ = 0;
  bool main_ended_ = false;
  bool all_ended_ = false;
  bool stopping_ = false;
  int kill_rounds_ = 0;
  EndCause stop_cause_ = EndCause::kStopped;
  std::int64_t kill_at_ = kNever;
  std::int64_t timeout_at_ = kNever;
  std::int64_t watch_at_ = kNever;
  std::int64_t cpu_ns_ = 0;  // of all that ended
  std::int64_t peak_rss_bytes_ = 0;
  Timer& timer_;
};

// What this process and all that it has waited for moved from and to storage, proc_pid_io(5); -1
// where the kernel does not count it.
struct Moved {
  std::int64_t read = -1;
  std::int64_t written = -1;
};

Moved MovedSoFar() {
  char text[512];
  if (ReadText("/proc/self/io", text, sizeof(text)) <= 0) return {};
  return {static_cast<std::int64_t>(NumberNamed(text, "read_bytes:")),
          static_cast<std::int64_t>(NumberNamed(text, "write_bytes:"))};
}

// Since the attempt before. The first one's includes what the start of the shim moved, which is
// next to nothing.
void CountMoved(ShimRecord& record) {
  static Moved before = {0, 0};
  const Moved now = MovedSoFar();
  const bool known = now.read >= 0 && before.read >= 0;
  record.read_bytes = known ? now.read - before.read : -1;
  record.written_bytes = known ? now.written - before.written : -1;
  before = now;
}

Started Attempt::MapLease() {
  static const std::int64_t* mapped = nullptr;  // the same file for all attempts of a shim
  lease_ = mapped;
  if (mapped != nullptr) return {};
  const long page =
      Call(SYS_mmap, nullptr, sizeof(*lease_), PROT_READ, MAP_SHARED, agent::kLeaseFd, 0);
  if (page < 0) return {0, StartStage::kLease, static_cast<int>(-page)};
  // NOLINTNEXTLINE(performance-no-int-to-ptr): the system call gives the address as a word
  lease_ = mapped = reinterpret_cast<const std::int64_t*>(page);
  return {};
}

bool Attempt::StartCommand() {
  const char* tracked = argv_[agent::kArgTrackedCgroup];
  Started started = MapLease();
  if (order_.directory_errno != 0) {
    started = {0, StartStage::kWorkingDirectory, order_.directory_errno};
  }
  if (*tracked != 0) {
    const long folder = Call(SYS_open, tracked, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    tracked_cgroup_ = static_cast<int>(folder);
    if (folder < 0) started = {0, StartStage::kCgroup, static_cast<int>(-folder)};
  }
  if (started.failed_stage == StartStage::kNone) {
    started = Start({Command(),
                     order_.environment,
                     {argv_[agent::kArgMemoryProcs],
                      argv_[agent::kArgCpuProcs],
                      is_earlier_ ? "" : argv_[agent::kArgPidsProcs]},
                     tracked_cgroup_});
  }
  main_pid_ = started.pid;
  record_.failed_stage = static_cast<std::int32_t>(started.failed_stage);
  record_.failed_errno = started.failed_errno;
  return main_pid_ != 0;
}

void Attempt::Run(std::int64_t started_at) {
  if (!StartCommand()) {
    record_.cause = static_cast<std::int32_t>(EndCause::kStartFailed);
    const bool in_folder = order_.directory_errno == 0;
    const char* program = in_folder ? Command()[0] : order_.working_directory;
    for (std::size_t i = 0; i + 1 < sizeof(record_.program) && program[i] != 0; ++i) {
      record_.program[i] = program[i];
    }
    record_.read_bytes = record_.written_bytes = -1;
    return WriteEnd();
  }
  Call(SYS_write, agent::kStartedFd, &record_.id, sizeof(record_.id));
  if (record_.timeout_ns > 0) timeout_at_ = Later(started_at, record_.timeout_ns);
  if (record_.memory_watch_bytes > 0) watch_at_ = started_at + kWatchPeriod;
  std::int64_t now = started_at;
  for (;;) {
    siginfo_t info = {};
    const int signal = WaitForSignal(now, &info);
    Reap();
    if (all_ended_) break;
    now = Now();
    if (signal == SIGTERM) {
      const bool from_agent = info.si_code == SI_QUEUE;
      Stop(EndCause::kStopped,
           now,
           from_agent ? info.si_value.sival_int * kMillisecond : record_.grace_ns);
    }
    OnDeadlines(now);
    if (MustKill(now)) KillTree();
  }
  JudgeEnd();
  record_.wall_ns = Now() - started_at;
  CountMoved(record_);
  WriteEnd();
}

int Attempt::WaitForSignal(std::int64_t now, siginfo_t* info) {
  std::int64_t due = watch_at_;
  if (!stopping_) due = Smaller(due, Smaller(timeout_at_, LeaseDeadline()));
  if (stopping_) due = Smaller(due, kill_at_);
  if (kill_rounds_ > 0) due = now + kKillPeriod;
  timer_.ArmAt(due);
  const std::uint64_t set = SignalSet();
  const long signal = Call(SYS_rt_sigtimedwait, &set, info, nullptr, sizeof(set));
  if (signal == SIGALRM) timer_.Fired();
  return static_cast<int>(signal);
}

// The shim is the subreaper of all it started, so "no child" means that nothing is left at all.
void Attempt::Reap() {
  for (;;) {
    int status = 0;
    rusage usage = {};
    const long pid = Call(SYS_wait4, -1, &status, WNOHANG | __WALL, &usage);
    if (pid < 0) all_ended_ = true;
    if (pid <= 0) return;
    Count(usage);
    if (pid == main_pid_) {
      main_ended_ = true;
      main_status_ = status;
    }
  }
}

void Attempt::Count(const rusage& usage) {
  cpu_ns_ += (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1'000'000'000 +
             (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1'000;
  const std::int64_t peak = usage.ru_maxrss * 1024;
  if (peak > peak_rss_bytes_) peak_rss_bytes_ = peak;
}

void Attempt::OnDeadlines(std::int64_t now) {
  if (LeaseDeadline() <= now) {
    Stop(EndCause::kLease, now, Smaller(record_.grace_ns, kLeaseGraceMax));
  }
  if (timeout_at_ <= now && !stopping_) Stop(EndCause::kTimeout, now, record_.grace_ns);
  if (watch_at_ <= now) {
    watch_at_ = now + kWatchPeriod;
    if (MemoryExceeded()) Stop(EndCause::kOutOfMemory, now, 0);
  }
}

// The first cause counts; a later one can only shorten the grace.
void Attempt::Stop(EndCause cause, std::int64_t now, std::int64_t grace) {
  if (main_ended_ && !stopping_) return;
  kill_at_ = Smaller(kill_at_, Later(now, grace));
  if (stopping_) return;
  stopping_ = true;
  stop_cause_ = cause;
  if (grace == 0) return;
  Call(SYS_kill, -main_pid_, SIGTERM);
  Call(SYS_kill, -main_pid_, SIGCONT);
}

bool Attempt::MemoryExceeded() {
  const int self = record_.shim_pid;
  std::int64_t held = MemoryOfDescendants(self, false);
  if (held > record_.memory_watch_bytes) held = MemoryOfDescendants(self, true);
  if (held > record_.peak_tree_bytes) record_.peak_tree_bytes = held;
  return held > record_.memory_watch_bytes;
}

// What the command left behind dies with it, but for its own process group while it is being
// stopped: a launcher that dies of SIGTERM at once must not cost its child the grace.
bool Attempt::MustKill(std::int64_t now) const {
  if (!stopping_) return main_ended_;
  if (kill_at_ <= now) return true;
  return main_ended_ && Call(SYS_kill, -main_pid_, 0) < 0;
}

void Attempt::KillTree() {
  // What is moved into other cgroups is still a descendant of the shim.
  if (kill_rounds_ > 0 || tracked_cgroup_ < 0) {
    VisitDescendants(
        record_.shim_pid, [](int pid, void*) { Call(SYS_kill, pid, SIGKILL); }, nullptr);
  }
  ++kill_rounds_;
  if (tracked_cgroup_ < 0) return;
  const long file = Call(SYS_openat, tracked_cgroup_, "cgroup.kill", O_WRONLY | O_CLOEXEC);
  Call(SYS_write, file, "1", 1);
  Call(SYS_close, file);
  record_.cgroup_killed = 1;
}

// An exit status says nothing of memory; only the cgroup's own counter does.
void Attempt::JudgeEnd() {
  const char* counter_file = argv_[agent::kArgOomCounterFile];
  char text[1024];
  record_.oom_kills = record_.oom_kills_before;
  if (*counter_file != 0 && ReadText(counter_file, text, sizeof(text)) > 0) {
    record_.oom_kills = NumberNamed(text, "oom_kill");
  }
  const bool out_of_memory = record_.oom_kills > record_.oom_kills_before;
  const bool by_signal = WIFSIGNALED(main_status_);
  record_.code = by_signal ? WTERMSIG(main_status_) : WEXITSTATUS(main_status_);
  EndCause cause = by_signal ? EndCause::kSignal : EndCause::kExit;
  // cgroup v2 kills the shell with its child; elsewhere it passes the child's end on as 128 + 9.
  const bool killed = record_.code == (by_signal ? SIGKILL : kShellsSigkill);
  if (stopping_) {
    cause = stop_cause_;
  } else if (killed && out_of_memory) {
    cause = EndCause::kOutOfMemory;
  }
  record_.cause = static_cast<std::int32_t>(cause);
  record_.child_out_of_memory = out_of_memory && cause != EndCause::kOutOfMemory ? 1 : 0;
  record_.cpu_ns = cpu_ns_;
  record_.peak_rss_bytes = peak_rss_bytes_;
}

void Attempt::WriteEnd() {
  struct stat log = {};
  Call(SYS_fstat, 1, &log);
  record_.log_bytes = log.st_size;
  record_.ended = 1;
  Call(SYS_pwrite64,
       agent::kStateFd,
       &record_.ended,
       (is_earlier_ ? agent::kShimRecord1Bytes : sizeof(record_)) - agent::kShimEndOffset,
       agent::kShimEndOffset);
  if (tracked_cgroup_ >= 0) Call(SYS_close, tracked_cgroup_);
  timer_.ArmAt(kNever);
}

// Not setsid(2), which is what one does: a new session is a new group for the scheduler where
// CONFIG_SCHED_AUTOGROUP is on, and that costs 50 us when the machine is idle and milliseconds when
// it is not. What it would give is a process group and no terminal.
void LeaveAgent(const ShimRecord& record) {
  Call(SYS_setpgid, 0, 0);
  if (record.leave_terminal == 0) return;
  const long terminal = Call(SYS_open, "/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
  Call(SYS_ioctl, terminal, TIOCNOTTY);
  Call(SYS_close, terminal);
}

// The attempt whose descriptors are in their places. False if it is none, or was started before.
bool ReadRecord(ShimRecord* record) {
  const long size = Call(SYS_pread64, agent::kStateFd, record, sizeof(*record), 0);
  const bool is_known =
      (size == static_cast<long>(sizeof(*record)) && record->magic == agent::kShimRecordMagic) ||
      (size >= static_cast<long>(agent::kShimRecord1Bytes) &&
       record->magic == agent::kShimRecordMagic1);
  return is_known && record->shim_pid == 0;
}

void RunAttempt(ShimRecord& record, const Order& order, Timer& timer) {
  record.shim_pid = static_cast<std::int32_t>(Call(SYS_getpid));
  Call(SYS_pwrite64,
       agent::kStateFd,
       &record.shim_pid,
       sizeof(record.shim_pid),
       agent::kShimPidOffset);
  Attempt(record, order, timer).Run(Now());
}

// Of the first attempt, which ps(1) would show for as long as the shim lives.
void HideArguments(int argc, const char* const* argv) {
  for (int i = 1; i < argc; ++i) {
    // The kernel put them on the stack of this process.
    for (char* at = const_cast<char*>(argv[i]); *at != 0; ++at) *at = 0;
  }
}

int Main(int argc, const char* const* argv, const char* const* environment) {
  if (argc <= agent::kArgCommand1) return 2;
  ShimRecord record;
  if (!ReadRecord(&record)) return 3;  // not started by an agent
  const std::uint64_t all = ~std::uint64_t{0};
  Call(SYS_rt_sigprocmask, SIG_SETMASK, &all, nullptr, sizeof(all));
  Call(SYS_close_range, agent::kChannelFd + 1, ~0U, 0);
  Call(SYS_close_range, agent::kStartedFd, agent::kChannelFd, CLOSE_RANGE_CLOEXEC);
  LeaveAgent(record);
  Call(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1);
  Timer timer;
  Order order;
  order.argv = argv;
  order.environment = environment;
  RunAttempt(record, order, timer);
  HideArguments(argc, argv);
  while (NextOrder(record.id, &order) && ReadRecord(&record)) RunAttempt(record, order, timer);
  return 0;
}

}  // namespace
}  // namespace potok::shim

// What the kernel leaves on the stack at a program's start: argc, argv, 0, environment, 0.
extern "C" [[noreturn]] __attribute__((used)) void PotokShimStart(const long* stack) {
  const auto argc = static_cast<int>(stack[0]);
  const auto* argv = reinterpret_cast<const char* const*>(stack + 1);
  potok::shim::Exit(potok::shim::Main(argc, argv, argv + argc + 1));
}

asm(".globl _start\n"
    "_start:\n\t"
    "xor %ebp, %ebp\n\t"
    "mov %rsp, %rdi\n\t"
    "and $-16, %rsp\n\t"
    "call PotokShimStart\n");
