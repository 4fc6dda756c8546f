#include "client/cli/stack/postmaster.h"

#include <cstdlib>

#include "fmt/format.h"

namespace potok::client {

std::optional<ProcessIdentity> PostmasterOf(const Home& home) {
  for (const std::string& folder : {home.postgres() + "/data", home.postgres()}) {
    const pid_t pid = std::atoi(ContentOf(folder + "/postmaster.pid").c_str());
    if (pid <= 0) continue;
    // A stale file's number may be anybody's by now: the command line must name the folder.
    const std::string command = ContentOf(fmt::format("/proc/{}/cmdline", pid));
    if (command.find(folder) == std::string::npos) continue;
    if (const std::optional<ProcessIdentity> found = IdentityOf(pid)) return found;
  }
  return std::nullopt;
}

}  // namespace potok::client
