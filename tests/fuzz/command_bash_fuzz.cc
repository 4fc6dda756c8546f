// Commands put together of bash's syntax, each byte a piece of it, and run by the real bash with a
// value that tells when a part of it is run. The pieces hold no program but printf, no redirection
// to a file, no loop and no assignment, so that nothing happens but what the value does.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <iterator>

#include "common/pipeline/command.h"
#include "fmt/format.h"
#include "tests/fuzz/fuzz.h"

namespace potok {
namespace {

const char* const kPieces[] = {
    "${{inputs.x}}",
    "printf %s ",
    "a",
    " ",
    "\n",
    ";",
    "'",
    "\"",
    "\\",
    "`",
    "$(",
    ")",
    "(",
    "$'",
    "$\"",
    "$",
    "${U:-",
    "${U#",
    "${U%%",
    "${U/a/",
    "${U:+",
    "}",
    "${U:",
    "#",
    "$((",
    "))",
    "((",
    "$[",
    "]",
    "[[ a ",
    " ]]",
    "{ ",
    "<<E\n",
    "<<-E\n",
    "<<'E'\n",
    "<<\\E\n",
    "\nE\n",
    "\n\tE\n",
    "<<E;",
    "<<< ",
    "case a in ",
    ";;",
    " esac",
    "|",
    "\\\n",
    "!",
    "\t",
    "${U[",
    "if ",
    "then ",
    "fi",
    "\\`",
    "\\\"",
    "\\$",
    "\\\\",
    "1",
};

// Ends every quoting, and is a command and a substitution in all of them.
const std::string kValue =
    "1;printf R>&9;$(printf R>&9)`printf R>&9`\n'$(printf R>&9)'\"$(printf R>&9)`printf "
    "R>&9`\"\nE\n"
    "printf R>&9\n)}]];printf R>&9\n#";

// What the value has written to descriptor 9.
std::string Run(const std::string& script, const std::string& variable) {
  int ends[2];
  POTOK_CHECK(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  for (const int fd : {0, 1, 2}) {
    posix_spawn_file_actions_addopen(&files, fd, "/dev/null", O_RDWR, 0);
  }
  posix_spawn_file_actions_adddup2(&files, ends[1], 9);
  // Functions cannot call themselves without end, and what computes does not for long.
  std::string text = "ulimit -t 2\n" + script;
  std::string bound = variable + "=" + kValue;
  char shell[] = "bash";
  char option[] = "-c";
  char path[] = "PATH=";
  char nest[] = "FUNCNEST=5";
  char* const arguments[] = {shell, option, text.data(), nullptr};
  char* const environment[] = {path, nest, bound.data(), nullptr};
  pid_t pid = 0;
  POTOK_CHECK(posix_spawn(&pid, "/bin/bash", &files, nullptr, arguments, environment) == 0);
  int status = 0;
  while (waitpid(pid, &status, 0) != pid) POTOK_CHECK(errno == EINTR);  // libFuzzer's clock
  posix_spawn_file_actions_destroy(&files);
  char written[256];
  const ssize_t got = read(ends[0], written, sizeof written);
  close(ends[0]);
  close(ends[1]);
  return {written, got > 0 ? static_cast<std::size_t>(got) : 0};
}

}  // namespace
}  // namespace potok

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace potok;
  std::string command;
  for (std::size_t i = 0; i < std::min<std::size_t>(size, 40); ++i) {
    command += kPieces[data[i] % std::size(kPieces)];
  }
  if (command.find("${{") == std::string::npos) return 0;
  const auto rendered = RenderForShell(command, {{"x", kValue}}, {});
  // Without a variable nothing of the value is there to be run.
  if (!rendered.ok() || rendered->environment.empty()) return 0;
  const std::string written = Run(rendered->script, rendered->environment.begin()->first);
  if (written.empty()) return 0;
  fmt::print(
      stderr, "the value was run ({})\n{}\nrendered:\n{}\n", written, command, rendered->script);
  POTOK_CHECK(false && "a value was run");
}
