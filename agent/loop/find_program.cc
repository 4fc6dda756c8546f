#include "agent/loop/find_program.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

namespace potok::agent {
namespace {

enum class Finding { kNothing, kExecutable, kForTheShell };

Finding Look(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return access(path.c_str(), X_OK) == 0 ? Finding::kForTheShell : Finding::kNothing;
  struct stat facts {};
  char head[4] = {};
  const bool regular = fstat(file, &facts) == 0 && S_ISREG(facts.st_mode);
  const ssize_t count = regular ? read(file, head, sizeof head) : 0;
  close(file);
  if (!regular || access(path.c_str(), X_OK) != 0) return Finding::kNothing;
  const bool elf = count == 4 && std::memcmp(head, "\177ELF", 4) == 0;
  const bool script = count >= 2 && head[0] == '#' && head[1] == '!';
  return elf || script ? Finding::kExecutable : Finding::kForTheShell;
}

}  // namespace

std::optional<std::string> FindProgramInPath(const std::string& program, const std::string& path) {
  if (program.find('/') != std::string::npos) {
    if (program[0] != '/' || Look(program) != Finding::kExecutable) return std::nullopt;
    return program;
  }
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find(':', begin), path.size());
    // An empty or relative folder depends on the working directory.
    if (end == begin || path[begin] != '/') return std::nullopt;
    std::string candidate = path.substr(begin, end - begin) + "/" + program;
    const Finding finding = Look(candidate);
    if (finding == Finding::kExecutable) return candidate;
    if (finding == Finding::kForTheShell) return std::nullopt;
    begin = end + 1;
  }
  return std::nullopt;
}

}  // namespace potok::agent
