// potok-enter: runs one command beside the command of a step. It joins the step's cgroups and
// sandbox, gives the command a terminal where one is wanted, tells the agent how it ended, and ends
// all of it with the agent, with the caller, or with the step. One thread.
// See docs/decisions/0047-commands-beside-steps.md.
//
//   potok-enter [--join FILE]... [--sandbox PID] [--terminal ROWS COLUMNS] --directory DIR
//               -- PROGRAM [ARGUMENT]...
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "agent/exec/enter/capabilities.h"
#include "agent/exec/enter/control.h"
#include "agent/exec/enter/descendants.h"
#include "agent/exec/enter/descriptors.h"
#include "agent/exec/enter/namespaces.h"
#include "agent/exec/enter/terminal.h"

namespace potok::enter {
namespace {

constexpr int kHangupGraceMilliseconds = 2'000;
constexpr int kKillEveryMilliseconds = 20;

struct Arguments {
  std::vector<std::string> join;
  pid_t sandbox = 0;
  bool has_terminal = false;
  int rows = 0;
  int columns = 0;
  std::string directory = "/";
  char** command = nullptr;
};

Arguments Parse(char** argv) {
  Arguments arguments;
  char** at = argv + 1;
  const auto next = [&at]() -> const char* { return *at == nullptr ? "" : *at++; };
  while (*at != nullptr) {
    const std::string flag = next();
    if (flag == "--") break;
    if (flag == "--join") arguments.join.emplace_back(next());
    if (flag == "--sandbox") arguments.sandbox = std::atoi(next());
    if (flag == "--directory") arguments.directory = next();
    if (flag != "--terminal") continue;
    arguments.has_terminal = true;
    arguments.rows = std::atoi(next());
    arguments.columns = std::atoi(next());
  }
  arguments.command = at;
  if (*at == nullptr) FailSaying("no command was given");
  return arguments;
}

// Kept for as long as the program runs: the pointers of the environment lead into it.
std::string ReadEnvironment() {
  std::string text;
  std::array<char, 65536> part{};
  off_t offset = 0;
  for (;;) {
    const ssize_t size = pread(agent::kEnterEnvironmentFd, part.data(), part.size(), offset);
    if (size < 0) Fail("its environment cannot be read");
    if (size == 0) break;
    text.append(part.data(), static_cast<std::size_t>(size));
    offset += size;
  }
  return text;
}

std::vector<char*> PointersInto(std::string& text) {
  std::vector<char*> pointers;
  for (std::size_t at = 0; at < text.size(); at += std::strlen(&text[at]) + 1) {
    pointers.push_back(&text[at]);
  }
  pointers.push_back(nullptr);
  return pointers;
}

// The limits of the step hold for what runs beside it, and end it.
void JoinCgroups(const std::vector<std::string>& files) {
  for (const std::string& file : files) {
    const int descriptor = open(file.c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor < 0 || write(descriptor, "0", 1) != 1) {
      Fail("the limits of the step cannot be joined (" + file + ")");
    }
    close(descriptor);
  }
}

// What failed, for the parent; only on failure does it return.
std::string BecomeCommand(const Arguments& arguments,
                          const Terminal& terminal,
                          char** environment) {
  sigset_t none;
  sigemptyset(&none);
  for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (setsid() < 0) return "no session can be made";
  if (terminal.command >= 0 && !TakeTerminal(terminal.command)) return "it gets no terminal";
  if (chdir(arguments.directory.c_str()) != 0) {
    return "its folder " + arguments.directory + " cannot be entered";
  }
  if (arguments.sandbox != 0 && !GiveUpCapabilities()) return "its capabilities cannot be given up";
  environ = environment;  // whose PATH is searched
  execvp(arguments.command[0], arguments.command);
  return std::string(arguments.command[0]) + " cannot be executed";
}

// The command's process. Ends the program if there is none.
pid_t StartCommand(const Arguments& arguments, const Terminal& terminal, char** environment) {
  std::array<int, 2> failure{};
  if (pipe2(failure.data(), O_CLOEXEC) != 0) Fail("no pipe can be made");
  const pid_t pid = fork();
  if (pid < 0) Fail("no process can be started");
  if (pid == 0) {
    std::string what = BecomeCommand(arguments, terminal, environment);
    what += std::string(": ") + std::strerror(errno);
    if (write(failure[1], what.data(), what.size()) < 0) _exit(126);
    _exit(127);
  }
  close(failure[1]);
  std::array<char, 512> what{};
  const ssize_t size = read(failure[0], what.data(), what.size());
  close(failure[0]);
  if (size > 0) FailSaying(std::string(what.data(), static_cast<std::size_t>(size)));
  return pid;
}

// Waits for the command, and for all that it left. Where it is in a sandbox, what it left there is
// the sandbox's own, and ends with the step.
class Watch {
 public:
  explicit Watch(pid_t command) : command_(command) {}

  // The status of the command, as of wait(2).
  int Run(int signals) {
    for (;;) {
      Reap();
      if (all_ended_) return status_;
      if (command_ended_ || killing_) KillAll();
      std::array<pollfd, 2> ready{
          {{signals, POLLIN, 0}, {hung_up_ ? -1 : agent::kEnterControlFd, POLLIN, 0}}};
      const int found = poll(ready.data(), ready.size(), Patience());
      signalfd_siginfo ignored{};
      if ((ready[0].revents & POLLIN) != 0 && read(signals, &ignored, sizeof ignored) < 0) continue;
      if (ready[1].revents != 0) OnWord(Hear());
      if (found == 0 && hung_up_) killing_ = true;
    }
  }

 private:
  int Patience() const {
    if (command_ended_ || killing_) return kKillEveryMilliseconds;
    return hung_up_ ? kHangupGraceMilliseconds : -1;
  }
  void OnWord(const std::string& word) {
    if (word.empty()) {
      hung_up_ = true;
      kill(-command_, SIGHUP);
      kill(-command_, SIGCONT);
    } else if (word == "kill") {
      killing_ = true;
    } else if (word.rfind("signal ", 0) == 0) {
      kill(-command_, std::atoi(word.c_str() + 7));
    }
  }
  void Reap() {
    for (;;) {
      int status = 0;
      const pid_t pid = waitpid(-1, &status, WNOHANG | __WALL);
      if (pid < 0) all_ended_ = true;
      if (pid <= 0) return;
      if (pid != command_) continue;
      command_ended_ = true;
      status_ = status;
    }
  }
  void KillAll() const {
    kill(-command_, SIGKILL);
    KillDescendants();
  }

  const pid_t command_;
  int status_ = 0;
  bool command_ended_ = false;
  bool all_ended_ = false;
  bool hung_up_ = false;
  bool killing_ = false;
};

int OpenChildSignal() {
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  sigprocmask(SIG_SETMASK, &child, nullptr);
  const int descriptor = signalfd(-1, &child, SFD_CLOEXEC);
  if (descriptor < 0) Fail("signals cannot be taken");
  return descriptor;
}

int Main(char** argv) {
  close_range(agent::kEnterEnvironmentFd + 1, ~0U, 0);
  fcntl(agent::kEnterControlFd, F_SETFD, FD_CLOEXEC);
  fcntl(agent::kEnterEnvironmentFd, F_SETFD, FD_CLOEXEC);
  const Arguments arguments = Parse(argv);
  std::string text = ReadEnvironment();
  std::vector<char*> environment = PointersInto(text);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  const int signals = OpenChildSignal();
  JoinCgroups(arguments.join);
  if (arguments.sandbox != 0) EnterSandbox(arguments.sandbox);
  const Terminal terminal =
      arguments.has_terminal ? OpenTerminal(arguments.rows, arguments.columns) : Terminal{};
  const pid_t command = StartCommand(arguments, terminal, environment.data());
  Say("started", terminal.outer);
  if (terminal.outer >= 0) {
    close(terminal.outer);
    close(terminal.command);
  }
  // Its input and output end when the command's do.
  for (int number = 0; number < 3; ++number) close(number);
  const int status = Watch(command).Run(signals);
  const int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  const int code = signal != 0 ? 128 + signal : WEXITSTATUS(status);
  Say("ended " + std::to_string(code) + " " + std::to_string(signal));
  return 0;
}

}  // namespace
}  // namespace potok::enter

int main(int /*argc*/, char** argv) {
  return potok::enter::Main(argv);
}
