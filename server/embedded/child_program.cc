#include "server/embedded/child_program.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "fmt/format.h"

namespace potok::server {

namespace {

// What was written into the file from `start` on, at most its last 2000 bytes.
std::string EndOf(const std::string& file, std::uintmax_t start) {
  constexpr std::uintmax_t kBytesMax = 2000;
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(file, error);
  if (error || size <= start) return "(it wrote nothing)";
  const std::uintmax_t from = size - start > kBytesMax ? size - kBytesMax : start;
  std::string text(size - from, '\0');
  std::ifstream stream(file, std::ios::binary);
  stream.seekg(static_cast<std::streamoff>(from));
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  return text;
}

// Standard input from nowhere, output and errors to the end of the log; the folder `/`, because an
// unprivileged child may not be able to read ours.
class Actions {
 public:
  explicit Actions(const std::string& log_file) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_addopen(&actions_, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(
        &actions_, 1, log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    posix_spawn_file_actions_adddup2(&actions_, 1, 2);
    posix_spawn_file_actions_addchdir_np(&actions_, "/");
  }
  ~Actions() { posix_spawn_file_actions_destroy(&actions_); }
  Actions(const Actions&) = delete;
  Actions& operator=(const Actions&) = delete;

  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

}  // namespace

absl::Status RunProgram(const std::vector<std::string>& argv, const std::string& log_file) {
  std::error_code error;
  const std::uintmax_t before = std::filesystem::file_size(log_file, error);
  const std::uintmax_t start = error ? 0 : before;
  std::vector<char*> arguments;
  arguments.reserve(argv.size() + 1);
  for (const std::string& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  char language[] = "LC_ALL=C.UTF-8";
  char* environment[] = {path, language, nullptr};

  pid_t child = 0;
  const Actions actions(log_file);
  const int failed =
      posix_spawn(&child, arguments[0], actions.get(), nullptr, arguments.data(), environment);
  if (failed != 0) {
    return absl::InternalError(
        fmt::format("cannot start {} (log {}): {}", argv[0], log_file, std::strerror(failed)));
  }
  int result = 0;
  while (waitpid(child, &result, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(result) && WEXITSTATUS(result) == 0) return absl::OkStatus();
  return absl::InternalError(fmt::format("{} failed ({} {}), see {}; it said: {}",
                                         fmt::join(argv, " "),
                                         WIFEXITED(result) ? "exit code" : "signal",
                                         WIFEXITED(result) ? WEXITSTATUS(result) : WTERMSIG(result),
                                         log_file,
                                         EndOf(log_file, start)));
}

}  // namespace potok::server
