// The program `potok`: reads the world around it once, and runs the command line.
#include <poll.h>
#include <pwd.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <iostream>

#include "client/cli/command_line.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

std::string UserName() {
  const passwd* user = getpwuid(geteuid());
  return user == nullptr ? fmt::format("{}", geteuid()) : user->pw_name;
}

std::string HostName() {
  char name[256] = {};
  if (gethostname(name, sizeof name - 1) != 0) return "localhost";
  const std::string host(name);
  return host.substr(0, host.find('.'));
}

std::pair<std::size_t, std::size_t> TerminalSize() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return {80, 24};
  return {size.ws_col, size.ws_row};
}

// The terminal's mode, changed; what is returned puts it back.
std::shared_ptr<void> ChangeTerminal(void (*change)(termios&)) {
  termios before{};
  if (tcgetattr(STDIN_FILENO, &before) != 0) return nullptr;
  termios changed = before;
  change(changed);
  tcsetattr(STDIN_FILENO, TCSANOW, &changed);
  return {new termios(before), [](void* saved) {
            const std::unique_ptr<termios> owned(static_cast<termios*>(saved));
            tcsetattr(STDIN_FILENO, TCSANOW, owned.get());
          }};
}

// Ctrl-C stays a signal.
std::shared_ptr<void> RawKeys() {
  return ChangeTerminal(
      [](termios& mode) { mode.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO); });
}

std::shared_ptr<void> RawTerminal() {
  return ChangeTerminal([](termios& mode) { cfmakeraw(&mode); });
}

std::optional<char> ReadKey(absl::Duration patience) {
  if (isatty(STDIN_FILENO) != 1) {
    absl::SleepFor(patience);
    return std::nullopt;
  }
  pollfd input{STDIN_FILENO, POLLIN, 0};
  if (poll(&input, 1, static_cast<int>(absl::ToInt64Milliseconds(patience))) != 1) {
    return std::nullopt;
  }
  char key = 0;
  return read(STDIN_FILENO, &key, 1) == 1 ? std::optional<char>(key) : std::nullopt;
}

Context ContextOfProcess(const std::stop_token& interrupted) {
  Context context;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text(*entry);
    const std::size_t equals = text.find('=');
    if (equals != std::string::npos)
      context.environment[text.substr(0, equals)] = text.substr(equals + 1);
  }
  std::error_code error;
  context.program = std::filesystem::read_symlink("/proc/self/exe", error).string();
  context.working_folder = std::filesystem::current_path(error).string();
  context.user = UserName();
  context.host = HostName();
  context.is_root = geteuid() == 0;
  context.out = &std::cout;
  context.err = &std::cerr;
  context.input = STDIN_FILENO;
  context.in_is_terminal = isatty(STDIN_FILENO) == 1;
  context.out_is_terminal = isatty(STDOUT_FILENO) == 1;
  context.err_is_terminal = isatty(STDERR_FILENO) == 1;
  context.terminal_size = TerminalSize;
  context.raw_keys = RawKeys;
  context.raw_terminal = RawTerminal;
  context.read_key = ReadKey;
  context.zone = absl::LocalTimeZone();
  context.interrupted = interrupted;
  return context;
}

// Ctrl-C becomes a request to stop; a second one ends the program at once.
void WaitForInterrupt(const std::stop_source& stop) {
  sigset_t interrupts;
  sigemptyset(&interrupts);
  sigaddset(&interrupts, SIGINT);
  int number = 0;
  while (sigwait(&interrupts, &number) == 0) {
    if (stop.stop_requested()) _exit(128 + SIGINT);
    stop.request_stop();
  }
}

int Main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  std::stop_source stop;
  signal(SIGPIPE, SIG_IGN);
  // The supervisor forks and has signals of its own: it stays with one thread.
  if (words.empty() || words[0] != "supervise") {
    sigset_t interrupts;
    sigemptyset(&interrupts);
    sigaddset(&interrupts, SIGINT);
    pthread_sigmask(SIG_BLOCK, &interrupts, nullptr);
    std::thread(WaitForInterrupt, stop).detach();
  }
  const int code = RunCommandLine(words, ContextOfProcess(stop.get_token()));
  std::cout.flush();
  std::cerr.flush();
  // The waiting thread and gRPC's own end with the process.
  _exit(code);
}

}  // namespace
}  // namespace potok::client

int main(int argc, char** argv) {
  return potok::client::Main(argc, argv);
}
