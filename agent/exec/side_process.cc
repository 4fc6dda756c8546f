#include "agent/exec/side_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <utility>
#include <variant>

#include "agent/exec/enter/descriptors.h"
#include "agent/executor/spawn.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::agent {
namespace {

// The lowest number of a descriptor that is given away, so that none is overwritten before its
// turn.
constexpr int kHighDescriptor = 16;

absl::Status Errno(const char* what) {
  return absl::InternalError(fmt::format("{}: {}", what, std::strerror(errno)));
}

UniqueFd High(int descriptor) {
  return UniqueFd(fcntl(descriptor, F_DUPFD_CLOEXEC, kHighDescriptor));
}

struct Pipe {
  UniqueFd read;
  UniqueFd write;
};

absl::StatusOr<Pipe> MakePipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return Errno("no pipe can be made");
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

void DoNotBlock(const UniqueFd& descriptor) {
  const int flags = fcntl(descriptor.get(), F_GETFL);
  fcntl(descriptor.get(), F_SETFL, flags | O_NONBLOCK);
}

absl::StatusOr<UniqueFd> FileOf(const std::map<std::string, std::string>& environment) {
  std::string text;
  for (const auto& [name, value] : environment) {
    // What no environment can hold is left out.
    if (value.find('\0') != std::string::npos || name.find('\0') != std::string::npos) continue;
    text += name;
    text += '=';
    text += value;
    text += '\0';
  }
  UniqueFd file(memfd_create("environment", MFD_CLOEXEC));
  if (!file.valid()) return Errno("no file for the environment");
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t wrote = write(file.get(), text.data() + done, text.size() - done);
    if (wrote < 0) return Errno("the environment cannot be written");
    done += static_cast<std::size_t>(wrote);
  }
  return file;
}

std::vector<std::string> ArgumentsOf(const std::string& enter_path,
                                     const ExecOrder& order,
                                     const ExecCommand& command) {
  std::vector<std::string> argv{enter_path};
  for (const std::string& file : command.cgroups) argv.insert(argv.end(), {"--join", file});
  if (command.sandbox != 0) {
    argv.insert(argv.end(), {"--sandbox", std::to_string(command.sandbox)});
  }
  if (order.has_terminal) {
    argv.insert(argv.end(),
                {"--terminal", std::to_string(order.rows), std::to_string(order.columns)});
  }
  argv.insert(argv.end(), {"--directory", command.directory, "--"});
  argv.insert(argv.end(), command.argv.begin(), command.argv.end());
  return argv;
}

// The next word on the control socket, and the descriptor with it, if any. Empty: its other end is
// gone.
std::string Receive(int control, UniqueFd* descriptor) {
  std::array<char, kEnterWordMax> word{};
  iovec part{word.data(), word.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> room{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = room.data();
  message.msg_controllen = room.size();
  const ssize_t size = recvmsg(control, &message, MSG_CMSG_CLOEXEC);
  if (size <= 0) return "";
  if (const cmsghdr* header = CMSG_FIRSTHDR(&message);
      header != nullptr && header->cmsg_type == SCM_RIGHTS) {
    int received = -1;
    std::memcpy(&received, CMSG_DATA(header), sizeof received);
    *descriptor = UniqueFd(received);
  }
  return {word.data(), static_cast<std::size_t>(size)};
}

absl::StatusOr<pid_t> Spawn(std::vector<std::string> argv,
                            const std::vector<const UniqueFd*>& given) {
  std::vector<UniqueFd> high;
  high.reserve(given.size());
  SpawnRequest request;
  for (const UniqueFd* descriptor : given) {
    high.push_back(High(descriptor->get()));
    request.descriptors.push_back(high.back().get());
  }
  std::vector<char*> pointers;
  pointers.reserve(argv.size() + 1);
  for (std::string& argument : argv) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  char* const no_environment[] = {nullptr};
  request.program = pointers[0];
  request.working_directory = "/";
  request.argv = pointers.data();
  request.environment = no_environment;
  const auto spawned = Spawner().Spawn(request);
  if (const auto* failure = std::get_if<SpawnFailure>(&spawned)) {
    return absl::FailedPreconditionError(
        fmt::format("{} cannot be started: {}", argv[0], std::strerror(failure->error)));
  }
  return std::get<Spawned>(spawned).pid;
}

}  // namespace

absl::StatusOr<std::unique_ptr<SideProcess>> SideProcess::Start(const std::string& enter_path,
                                                                const ExecOrder& order,
                                                                const ExecCommand& command) {
  std::unique_ptr<SideProcess> side(new SideProcess);
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return Errno("no socket can be made");
  }
  side->control_ = UniqueFd(ends[0]);
  UniqueFd its_control(ends[1]);
  side->stop_ = UniqueFd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  side->has_terminal_ = order.has_terminal;
  POTOK_ASSIGN_OR_RETURN(const UniqueFd environment, FileOf(command.environment));
  POTOK_ASSIGN_OR_RETURN(Pipe input, MakePipe());
  POTOK_ASSIGN_OR_RETURN(Pipe output, MakePipe());
  POTOK_ASSIGN_OR_RETURN(Pipe error_output, MakePipe());
  POTOK_ASSIGN_OR_RETURN(
      side->pid_,
      Spawn(ArgumentsOf(enter_path, order, command),
            {&input.read, &output.write, &error_output.write, &its_control, &environment}));
  its_control = UniqueFd();
  // Not before: it says in its control socket what failed.
  const std::string word = Receive(side->control_.get(), &side->terminal_);
  if (word != "started") {
    const bool said = word.rfind("failed ", 0) == 0;
    return absl::FailedPreconditionError(said ? word.substr(7) : "it was killed at its start");
  }
  if (order.has_terminal) {
    side->output_ = UniqueFd(fcntl(side->terminal_.get(), F_DUPFD_CLOEXEC, 0));
    DoNotBlock(side->terminal_);  // and with it the output: they are one
    return side;
  }
  side->input_ = std::move(input.write);
  side->output_ = std::move(output.read);
  side->error_output_ = std::move(error_output.read);
  for (const UniqueFd* one : {&side->input_, &side->output_, &side->error_output_}) {
    DoNotBlock(*one);
  }
  return side;
}

SideProcess::~SideProcess() {
  HangUp();
  terminal_ = UniqueFd();
  output_ = UniqueFd();
  control_ = UniqueFd();
  if (pid_ != 0) waitpid(pid_, nullptr, 0);
}

absl::StatusOr<SideEnd> SideProcess::End() {
  UniqueFd none;
  const std::string word = Receive(control_.get(), &none);
  SideEnd end;
  if (std::sscanf(word.c_str(), "ended %d %d", &end.exit_code, &end.signal) == 2) return end;
  return absl::UnavailableError("it was killed, as all of a step is when the step's command ends");
}

bool SideProcess::WriteInput(const std::string& bytes) {
  const int to = has_terminal_ ? terminal_.get() : input_.get();
  if (to < 0) return false;
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t wrote = write(to, bytes.data() + done, bytes.size() - done);
    if (wrote >= 0) {
      done += static_cast<std::size_t>(wrote);
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return false;
    std::array<pollfd, 2> ready{{{to, POLLOUT, 0}, {stop_.get(), POLLIN, 0}}};
    if (poll(ready.data(), ready.size(), -1) < 0 && errno != EINTR) return false;
    if (ready[1].revents != 0) return false;
  }
  return true;
}

void SideProcess::EndInput() {
  // The character that ends input, in a terminal's usual settings: termios(3), VEOF.
  if (has_terminal_) {
    WriteInput("\x04");
  } else {
    input_ = UniqueFd();
  }
}

void SideProcess::Resize(int rows, int columns) {
  if (!has_terminal_ || rows <= 0 || columns <= 0) return;
  winsize size{};
  size.ws_row = static_cast<unsigned short>(rows);
  size.ws_col = static_cast<unsigned short>(columns);
  ioctl(terminal_.get(), TIOCSWINSZ, &size);
}

void SideProcess::Signal(int number) {
  if (number > 0 && number < NSIG) Say("signal " + std::to_string(number));
}

void SideProcess::HangUp() {
  eventfd_write(stop_.get(), 1);
  if (control_.valid()) shutdown(control_.get(), SHUT_WR);
}

void SideProcess::Kill() {
  eventfd_write(stop_.get(), 1);
  Say("kill");
}

void SideProcess::Say(const std::string& word) const {
  send(control_.get(), word.data(), word.size(), MSG_NOSIGNAL);
}

}  // namespace potok::agent
