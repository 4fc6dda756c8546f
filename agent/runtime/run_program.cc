#include "agent/runtime/run_program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/time/clock.h"
#include "fmt/format.h"

namespace potok::agent {
namespace {

constexpr std::size_t kKeptBytes = 64 << 10;
constexpr int kPollMilliseconds = 50;
constexpr std::size_t kWordsBytes = 600;

struct Pipe {
  int read = -1;
  int write = -1;
  ~Pipe() {
    CloseWrite();
    if (read >= 0) close(read);
  }
  bool Open() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return false;
    read = ends[0];
    write = ends[1];
    return fcntl(read, F_SETFL, O_NONBLOCK) == 0;
  }
  void CloseWrite() {
    if (write >= 0) close(write);
    write = -1;
  }
};

std::vector<char*> PointersTo(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// False at the end.
bool Drain(int descriptor, std::string* text) {
  char buffer[4096];
  for (;;) {
    const ssize_t count = read(descriptor, buffer, sizeof(buffer));
    if (count == 0) return false;
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    text->append(buffer, static_cast<std::size_t>(count));
    if (text->size() > 2 * kKeptBytes) text->erase(0, text->size() - kKeptBytes);
  }
}

absl::StatusOr<pid_t> StartProgram(const ProgramRun& run, int output, int errors) {
  std::vector<std::string> argv = run.argv;
  std::vector<std::string> environment;
  for (const auto& [name, value] : run.environment) environment.push_back(name + "=" + value);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  if (run.output_file.empty()) {
    posix_spawn_file_actions_adddup2(&actions, output, 1);
  } else {
    posix_spawn_file_actions_addopen(
        &actions, 1, run.output_file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0640);
  }
  posix_spawn_file_actions_adddup2(&actions, errors, 2);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  sigset_t all;
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  pid_t pid = 0;
  const int error = posix_spawn(&pid,
                                run.argv.front().c_str(),
                                &actions,
                                &attributes,
                                PointersTo(argv).data(),
                                PointersTo(environment).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error == 0) return pid;
  return absl::UnavailableError(
      fmt::format("could not start {}: {}", run.argv.front(), std::strerror(error)));
}

absl::Status WhyToEnd(const ProgramRun& run, absl::Time give_up_at) {
  if (run.canceled && run.canceled()) return absl::CancelledError("the attempt was stopped");
  if (absl::Now() < give_up_at) return absl::OkStatus();
  return absl::DeadlineExceededError(
      fmt::format("{} did not end within {}", run.argv.front(), absl::FormatDuration(run.timeout)));
}

}  // namespace

absl::StatusOr<ProgramEnd> RunProgram(const ProgramRun& run) {
  Pipe output;
  Pipe errors;
  if (!output.Open() || !errors.Open()) {
    return absl::UnavailableError(fmt::format("no pipe: {}", std::strerror(errno)));
  }
  const absl::StatusOr<pid_t> pid = StartProgram(run, output.write, errors.write);
  if (!pid.ok()) return pid.status();
  output.CloseWrite();
  errors.CloseWrite();
  const absl::Time give_up_at = absl::Now() + run.timeout;
  ProgramEnd end;
  absl::Status why;
  int status = 0;
  // What it left in the background may hold the pipes: its own end counts.
  for (bool ended = false; !ended;) {
    pollfd ready[] = {{output.read, POLLIN, 0}, {errors.read, POLLIN, 0}};
    poll(ready, 2, kPollMilliseconds);
    ended = waitpid(*pid, &status, WNOHANG) == *pid;
    const bool more_output = Drain(output.read, &end.output);
    const bool more_errors = Drain(errors.read, &end.errors);
    // poll(2) does not wait for what has ended.
    if (!more_output && !more_errors && !ended) absl::SleepFor(absl::Milliseconds(5));
    if (!ended && why.ok()) {
      why = WhyToEnd(run, give_up_at);
      if (!why.ok()) kill(-*pid, SIGKILL);
    }
  }
  if (!why.ok()) return why;
  end.code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return end;
}

std::string LastWords(const ProgramEnd& end) {
  std::string words = end.errors.empty() ? end.output : end.errors;
  while (!words.empty() && (words.back() == '\n' || words.back() == ' ')) words.pop_back();
  if (words.size() > kWordsBytes) words = "..." + words.substr(words.size() - kWordsBytes);
  for (char& c : words) {
    if (c == '\n') c = ';';
    if (c == '\r' || c == '\t') c = ' ';
  }
  return words.empty() ? fmt::format("it ended with code {} and said nothing", end.code) : words;
}

}  // namespace potok::agent
