#include "client/cli/stack/daemon.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <sstream>

#include "fmt/format.h"

namespace potok::client {

absl::StatusOr<std::string> FindProgram(const std::string& program,
                                        const std::string& own_program,
                                        const std::string& search_path) {
  std::vector<std::string> folders = {std::filesystem::path(own_program).parent_path().string()};
  std::istringstream path(search_path);
  for (std::string folder; std::getline(path, folder, ':');) {
    if (!folder.empty()) folders.push_back(folder);
  }
  for (const std::string& folder : folders) {
    const std::string candidate = folder + "/" + program;
    if (access(candidate.c_str(), X_OK) == 0) return std::filesystem::absolute(candidate).string();
  }
  return absl::NotFoundError(fmt::format(
      "{} is neither beside this program ({}) nor in PATH ({})", program, folders[0], search_path));
}

absl::Status SpawnSupervisor(const Home& home, const std::string& potok_program) {
  const std::string home_flag = "--home=" + home.root;
  std::vector<char*> argv;
  for (const char* word : {potok_program.c_str(), "supervise", home_flag.c_str()}) {
    argv.push_back(const_cast<char*>(word));
  }
  argv.push_back(nullptr);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  pid_t pid = 0;
  const int error =
      posix_spawn(&pid, potok_program.c_str(), nullptr, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    return absl::UnavailableError(
        fmt::format("cannot run {} supervise: {}", potok_program, std::strerror(error)));
  }
  int status = 0;
  waitpid(pid, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return absl::OkStatus();
  return absl::UnavailableError(
      fmt::format("the supervisor did not start: see {}", home.log("supervisor")));
}

absl::Status Detach(const Home& home) {
  const std::string log = home.log("supervisor");
  const int log_fd = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (log_fd < 0 || null_fd < 0) {
    return absl::UnavailableError(fmt::format("cannot open {}: {}", log, std::strerror(errno)));
  }
  const pid_t child = fork();
  if (child < 0) {
    return absl::UnavailableError(fmt::format("cannot fork: {}", std::strerror(errno)));
  }
  if (child > 0) _exit(0);
  dup2(null_fd, STDIN_FILENO);
  dup2(log_fd, STDOUT_FILENO);
  dup2(log_fd, STDERR_FILENO);
  if (chdir("/") != 0) return absl::UnavailableError("cannot change to the folder /");
  return absl::OkStatus();
}

}  // namespace potok::client
