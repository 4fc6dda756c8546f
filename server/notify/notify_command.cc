#include "server/notify/notify_command.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "fmt/format.h"

namespace potok::server {

namespace {

using Kind = Outcome::Kind;

constexpr std::size_t kEndKept = 500;  // of what it writes
constexpr int kLookEveryMs = 100;      // whether it is still wanted

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() {
    if (fd_ >= 0) close(fd_);
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  int get() const { return fd_; }

 private:
  const int fd_;
};

// A file in memory to read from: unlike a pipe it waits for nobody. -1 with errno.
int FileWith(const std::string& text) {
  const int fd = memfd_create("notification", MFD_CLOEXEC);
  if (fd < 0) return fd;
  std::size_t written = 0;
  while (written < text.size()) {
    const ssize_t count = write(fd, text.data() + written, text.size() - written);
    if (count <= 0) break;
    written += static_cast<std::size_t>(count);
  }
  lseek(fd, 0, SEEK_SET);
  return fd;
}

// The child's end of things: a group of its own, no signal blocked or ignored, no other file.
class Launch {
 public:
  Launch(int input, int output) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_adddup2(&actions_, input, 0);
    posix_spawn_file_actions_adddup2(&actions_, output, 1);
    posix_spawn_file_actions_adddup2(&actions_, output, 2);
    posix_spawn_file_actions_addclosefrom_np(&actions_, 3);
    posix_spawn_file_actions_addchdir_np(&actions_, "/");
    posix_spawnattr_init(&attributes_);
    posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attributes_, 0);
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes_, &signals);
    sigfillset(&signals);
    posix_spawnattr_setsigdefault(&attributes_, &signals);
  }
  ~Launch() {
    posix_spawnattr_destroy(&attributes_);
    posix_spawn_file_actions_destroy(&actions_);
  }
  Launch(const Launch&) = delete;
  Launch& operator=(const Launch&) = delete;

  // 0, or why it cannot be started.
  int Spawn(const NotifyCommand& command, pid_t* child) const {
    std::string program = command.program;
    std::array<char*, 2> arguments = {program.data(), nullptr};
    std::vector<std::string> texts = {
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8"};
    texts.insert(texts.end(), command.environment.begin(), command.environment.end());
    std::vector<char*> environment;
    environment.reserve(texts.size() + 1);
    for (std::string& text : texts) environment.push_back(text.data());
    environment.push_back(nullptr);
    return posix_spawn(
        child, program.c_str(), &actions_, &attributes_, arguments.data(), environment.data());
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

// Reads what is there; false at its end.
bool TakeOutput(int pipe, std::string* end) {
  std::array<char, 4096> chunk{};
  for (;;) {
    const ssize_t count = read(pipe, chunk.data(), chunk.size());
    if (count == 0) return false;
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    end->append(chunk.data(), static_cast<std::size_t>(count));
    if (end->size() > kEndKept) end->erase(0, end->size() - kEndKept);
  }
}

std::string LastLine(const std::string& text) {
  const std::size_t end = text.find_last_not_of(" \r\n");
  if (end == std::string::npos) return "it wrote nothing";
  const std::size_t begin = text.rfind('\n', end);
  return text.substr(begin == std::string::npos ? 0 : begin + 1, end - (begin + 1) + 1);
}

Outcome OutcomeOf(int status, const std::string& output) {
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {Kind::kDelivered, ""};
  return {Kind::kFailed,
          fmt::format("it ended with {} {}: {}",
                      WIFEXITED(status) ? "exit code" : "signal",
                      WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status),
                      LastLine(output))};
}

int WaitFor(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace

Outcome RunNotifyCommand(const NotifyCommand& command,
                         absl::Duration timeout,
                         const std::function<bool()>& is_wanted) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    return {Kind::kFailed, fmt::format("no pipe: {}", std::strerror(errno))};
  }
  const Fd output(ends[0]);
  fcntl(output.get(), F_SETFL, O_NONBLOCK);
  pid_t child = 0;
  {
    const Fd write_end(ends[1]);
    const Fd input(FileWith(command.input));
    if (input.get() < 0) {
      return {Kind::kFailed, fmt::format("no file for its input: {}", std::strerror(errno))};
    }
    const int failed = Launch(input.get(), write_end.get()).Spawn(command, &child);
    if (failed != 0) {
      return {Kind::kFailed, fmt::format("it cannot be started: {}", std::strerror(failed))};
    }
  }
  const Fd ended(static_cast<int>(syscall(SYS_pidfd_open, child, 0)));
  const auto deadline = std::chrono::steady_clock::now() + absl::ToChronoMilliseconds(timeout);
  std::string said;
  std::array<pollfd, 2> watched = {pollfd{ended.get(), POLLIN, 0}, pollfd{output.get(), POLLIN, 0}};
  while ((watched[0].revents & POLLIN) == 0) {
    const bool is_late = std::chrono::steady_clock::now() >= deadline;
    if (is_late || !is_wanted()) {
      kill(-child, SIGKILL);
      WaitFor(child);
      if (!is_late) return {Kind::kStopped, ""};
      return {
          Kind::kFailed,
          fmt::format("it had not ended after {} and was killed", absl::FormatDuration(timeout))};
    }
    poll(watched.data(), watched.size(), kLookEveryMs);
    // A descriptor below 0 is left out by poll(2).
    if (watched[1].revents != 0 && !TakeOutput(output.get(), &said)) watched[1].fd = -1;
  }
  const int status = WaitFor(child);
  TakeOutput(output.get(), &said);
  return OutcomeOf(status, said);
}

}  // namespace potok::server
