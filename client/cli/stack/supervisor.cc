#include "client/cli/stack/supervisor.h"

#include <fcntl.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "client/cli/stack/postmaster.h"
#include "client/cli/stack/supervised_process.h"
#include "common/base/status_macros.h"

namespace potok::client {
namespace {

struct flock WholeFile(short type) {
  struct flock whole {};
  whole.l_type = type;
  whole.l_whence = SEEK_SET;
  return whole;
}

// The lock of a home; held until closed, not inherited over exec. An open-file-description lock
// (fcntl(2)), because that can be asked for without being taken.
class HomeLock {
 public:
  explicit HomeLock(const Home& home)
      : fd_(open(home.supervisor_lock().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
    struct flock whole = WholeFile(F_WRLCK);
    held_ = fd_ >= 0 && fcntl(fd_, F_OFD_SETLK, &whole) == 0;
  }
  ~HomeLock() {
    if (fd_ >= 0) close(fd_);
  }
  HomeLock(const HomeLock&) = delete;
  HomeLock& operator=(const HomeLock&) = delete;
  bool held() const { return held_; }

 private:
  int fd_ = -1;
  bool held_ = false;
};

std::vector<SupervisedProcess> TakeOver(const Home& home, const StackConfig& config) {
  const std::vector<ProcessState> before = LoadState(home);
  std::vector<SupervisedProcess> processes;
  for (ProcessSpec& spec : ProcessesOf(config, home)) {
    const auto known = std::find_if(before.begin(), before.end(), [&](const ProcessState& state) {
      return state.name == spec.name;
    });
    processes.emplace_back(std::move(spec), home, known == before.end() ? nullptr : &*known);
  }
  return processes;
}

void Save(const std::vector<SupervisedProcess>& processes, const Home& home) {
  std::vector<ProcessState> states;
  states.reserve(processes.size());
  for (const SupervisedProcess& process : processes) states.push_back(process.state());
  if (const absl::Status saved = SaveState(states, home); !saved.ok()) {
    spdlog::warn("state not written error=\"{}\"", saved.ToString());
  }
}

// Waits for an end, a stop signal or `deadline`, and notes the ends. True on a stop signal.
bool WaitForNews(std::vector<SupervisedProcess>& processes, int signal_fd, absl::Time deadline) {
  std::vector<pollfd> fds = {{signal_fd, POLLIN, 0}};
  for (const SupervisedProcess& process : processes) fds.push_back({process.pidfd(), POLLIN, 0});
  const absl::Duration wait = deadline - absl::Now();
  timespec timeout = absl::ToTimespec(std::max(wait, absl::ZeroDuration()));
  const bool endless = deadline == absl::InfiniteFuture();
  if (ppoll(fds.data(), fds.size(), endless ? nullptr : &timeout, nullptr) <= 0) return false;
  for (std::size_t i = 0; i < processes.size(); ++i) {
    if (fds[i + 1].revents != 0) processes[i].Ended(absl::Now());
  }
  if (fds[0].revents == 0) return false;
  signalfd_siginfo stop{};
  return read(signal_fd, &stop, sizeof stop) == static_cast<ssize_t>(sizeof stop);
}

void StopAll(std::vector<SupervisedProcess>& processes,
             std::size_t begin,
             std::size_t end,
             absl::Duration patience,
             const Home& home) {
  const auto any_runs = [&] {
    return std::any_of(processes.begin() + static_cast<std::ptrdiff_t>(begin),
                       processes.begin() + static_cast<std::ptrdiff_t>(end),
                       [](const SupervisedProcess& process) { return process.running(); });
  };
  for (std::size_t i = begin; i < end; ++i) processes[i].Stop();
  const absl::Time deadline = absl::Now() + patience;
  while (any_runs() && absl::Now() < deadline) WaitForNews(processes, -1, deadline);
  while (any_runs()) {
    for (std::size_t i = begin; i < end; ++i) {
      if (!processes[i].running()) continue;
      spdlog::warn("process killed because it did not end process={} patience={}",
                   processes[i].state().name,
                   absl::FormatDuration(patience));
      processes[i].Kill();
    }
    WaitForNews(processes, -1, absl::Now() + absl::Seconds(1));
  }
  Save(processes, home);
}

// PostgreSQL whose server was killed just before: the server would have taken it over.
void StopPostgres(const Home& home, absl::Duration patience) {
  const std::optional<ProcessIdentity> postmaster = PostmasterOf(home);
  if (!postmaster.has_value()) return;
  spdlog::info("postgres left by its server, stopping pid={}", postmaster->pid);
  kill(postmaster->pid, SIGINT);  // fast shutdown (PostgreSQL manual, "Shutting Down the Server")
  const absl::Time deadline = absl::Now() + patience;
  while (IsAlive(*postmaster) && absl::Now() < deadline) absl::SleepFor(absl::Milliseconds(20));
}

void StopInOrder(std::vector<SupervisedProcess>& processes,
                 const Home& home,
                 const StopPatience& patience) {
  // The agents first, while the server can still take their last reports.
  StopAll(processes, 1, processes.size(), patience.agent, home);
  StopAll(processes, 0, 1, patience.server, home);
  StopPostgres(home, patience.server);
}

int StopSignals() {
  sigset_t stops;
  sigemptyset(&stops);
  sigaddset(&stops, SIGTERM);
  sigaddset(&stops, SIGINT);
  sigprocmask(SIG_BLOCK, &stops, nullptr);
  signal(SIGHUP, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
  return signalfd(-1, &stops, SFD_CLOEXEC);
}

}  // namespace

absl::Status Supervise(const Home& home, const StackConfig& config, const StopPatience& patience) {
  const HomeLock lock(home);
  if (!lock.held()) {
    return absl::AlreadyExistsError(
        fmt::format("another supervisor has {} (lock {})", home.root, home.supervisor_lock()));
  }
  const int signal_fd = StopSignals();
  const std::optional<ProcessIdentity> self = IdentityOf(getpid());
  if (self.has_value()) POTOK_RETURN_IF_ERROR(WritePidFile(home.supervisor_pid_file(), *self));
  spdlog::info("supervisor started pid={} home={}", getpid(), home.root);
  std::vector<SupervisedProcess> processes = TakeOver(home, config);
  for (bool stop = false; !stop;) {
    absl::Time next = absl::InfiniteFuture();
    for (SupervisedProcess& process : processes) {
      if (!process.running() && process.start_at() <= absl::Now()) process.Start(absl::Now());
      if (!process.running()) next = std::min(next, process.start_at());
    }
    Save(processes, home);
    stop = WaitForNews(processes, signal_fd, next);
  }
  spdlog::info("supervisor stops");
  StopInOrder(processes, home, patience);
  close(signal_fd);
  std::error_code ignored;
  for (const std::string& path : {home.state_file(), home.supervisor_pid_file()}) {
    std::filesystem::remove(path, ignored);
  }
  spdlog::info("supervisor ended");
  return absl::OkStatus();
}

bool SupervisorRuns(const Home& home) {
  const int fd = open(home.supervisor_lock().c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return false;
  struct flock whole = WholeFile(F_WRLCK);
  const bool asked = fcntl(fd, F_OFD_GETLK, &whole) == 0;
  close(fd);
  return asked && whole.l_type != F_UNLCK;
}

absl::StatusOr<std::vector<std::string>> StopLeftovers(const Home& home,
                                                       const StackConfig& config,
                                                       const StopPatience& patience) {
  const HomeLock lock(home);
  if (!lock.held()) return absl::UnavailableError("a supervisor has this home");
  std::vector<SupervisedProcess> processes = TakeOver(home, config);
  std::vector<std::string> stopped;
  for (const SupervisedProcess& process : processes) {
    if (process.running()) stopped.insert(stopped.begin(), process.state().name);
  }
  StopInOrder(processes, home, patience);
  return stopped;
}

}  // namespace potok::client
