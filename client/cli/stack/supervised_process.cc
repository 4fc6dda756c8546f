#include "client/cli/stack/supervised_process.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

extern "C" {
#include <sys/pidfd.h>  // glibc 2.36 forgets to say that it is C
}

namespace potok::client {
namespace {

std::string EndOf(int wait_status) {
  if (WIFSIGNALED(wait_status)) {
    const int number = WTERMSIG(wait_status);
    return fmt::format("signal {} ({})", number, strsignal(number));
  }
  return fmt::format("exit code {}", WEXITSTATUS(wait_status));
}

// In the child, between fork and exec. The supervisor has one thread, so all functions may be used.
[[noreturn]] void Become(const ProcessSpec& spec,
                         const std::string& log_path,
                         const std::string& pid_file,
                         pid_t supervisor) {
  // Until the pid file names it, the child must not outlive its supervisor: the next one would not
  // know of it and start a second.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != supervisor) _exit(127);
  const int log = open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (log < 0 || null < 0) _exit(127);
  dup2(null, STDIN_FILENO);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  // Of its own group: a signal to the supervisor's group is none of its business.
  setpgid(0, 0);
  const std::optional<ProcessIdentity> self = IdentityOf(getpid());
  if (!self.has_value() || !WritePidFile(pid_file, *self).ok()) _exit(127);
  prctl(PR_SET_PDEATHSIG, 0);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int number : {SIGHUP, SIGINT, SIGTERM, SIGPIPE}) signal(number, SIG_DFL);
  std::vector<char*> argv;
  for (const std::string& word : spec.argv) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  execv(argv[0], argv.data());
  fmt::print(stderr, "cannot run {}: {}\n", spec.argv[0], std::strerror(errno));
  _exit(127);
}

}  // namespace

SupervisedProcess::SupervisedProcess(ProcessSpec spec, const Home& home, const ProcessState* before)
    : spec_(std::move(spec)),
      log_path_(home.log(spec_.name)),
      pid_file_(home.pid_file(spec_.name)) {
  if (before != nullptr) {
    state_.restarts = before->restarts;
    state_.last_end = before->last_end;
    state_.last_end_at = before->last_end_at;
  }
  state_.name = spec_.name;
  if (const std::optional<ProcessIdentity> live = LiveProcessOf(pid_file_)) {
    spdlog::info("process taken over process={} pid={}", spec_.name, live->pid);
    Watch(*live);
  }
}

SupervisedProcess::SupervisedProcess(SupervisedProcess&& other) noexcept
    : spec_(std::move(other.spec_)),
      log_path_(std::move(other.log_path_)),
      pid_file_(std::move(other.pid_file_)),
      state_(std::move(other.state_)),
      backoff_(other.backoff_),
      pidfd_(std::exchange(other.pidfd_, -1)),
      unwanted_(other.unwanted_),
      is_child_(other.is_child_),
      start_at_(other.start_at_) {}

SupervisedProcess::~SupervisedProcess() {
  if (pidfd_ >= 0) close(pidfd_);
}

void SupervisedProcess::Watch(const ProcessIdentity& identity) {
  pidfd_ = pidfd_open(identity.pid, 0);
  // Opened first, compared then: if the number had passed to another process, this tells.
  if (pidfd_ >= 0 && !is_child_ && !IsAlive(identity)) {
    close(pidfd_);
    pidfd_ = -1;
  }
  if (pidfd_ >= 0) state_.identity = identity;
}

void SupervisedProcess::Start(absl::Time now) {
  const pid_t supervisor = getpid();
  const pid_t pid = fork();
  if (pid == 0) Become(spec_, log_path_, pid_file_, supervisor);
  if (pid < 0) {
    NoteEnd(
        fmt::format("could not be started: {}", std::strerror(errno)), absl::ZeroDuration(), now);
    return;
  }
  is_child_ = true;
  ProcessIdentity identity = IdentityOf(pid).value_or(ProcessIdentity{});
  identity.pid = pid;  // it may have ended already; then Ended() comes at once
  Watch(identity);
  spdlog::info("process started process={} pid={}", spec_.name, pid);
}

void SupervisedProcess::Ended(absl::Time now) {
  std::string how = "end not known (it was taken over)";
  if (is_child_) {
    int status = 0;
    if (waitpid(state_.identity.pid, &status, 0) > 0) how = EndOf(status);
  }
  timespec boot{};
  clock_gettime(CLOCK_BOOTTIME, &boot);
  const double started =
      static_cast<double>(state_.identity.start_ticks) / static_cast<double>(sysconf(_SC_CLK_TCK));
  NoteEnd(how, absl::DurationFromTimespec(boot) - absl::Seconds(started), now);
}

void SupervisedProcess::NoteEnd(const std::string& how, absl::Duration life, absl::Time now) {
  if (pidfd_ >= 0) close(pidfd_);
  pidfd_ = -1;
  is_child_ = false;
  state_.identity = ProcessIdentity{};
  state_.last_end = how;
  state_.last_end_at = now;
  if (unwanted_) {
    spdlog::info("process stopped process={} end=\"{}\"", spec_.name, how);
    return;
  }
  state_.restarts += 1;
  const absl::Duration wait = backoff_.AfterLifeOf(life);
  start_at_ = now + wait;
  spdlog::warn("process ended process={} end=\"{}\" starts_again_in={}",
               spec_.name,
               how,
               absl::FormatDuration(wait));
}

void SupervisedProcess::Stop() {
  unwanted_ = true;
  Signal(SIGTERM);
}

void SupervisedProcess::Kill() const {
  Signal(SIGKILL);
}

void SupervisedProcess::Signal(int number) const {
  // By pidfd, so that it reaches this process and no other of the same number.
  if (pidfd_ >= 0) pidfd_send_signal(pidfd_, number, nullptr, 0);
}

}  // namespace potok::client
