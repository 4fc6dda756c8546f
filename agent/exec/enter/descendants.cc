#include "agent/exec/enter/descendants.h"

#include <signal.h>
#include <sys/types.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

namespace potok::enter {

void KillDescendants() {
  std::vector<pid_t> found{getpid()};
  for (std::size_t i = 0; i < found.size(); ++i) {
    const std::string number = std::to_string(found[i]);
    std::ifstream children("/proc/" + number + "/task/" + number + "/children");
    for (pid_t child = 0; children >> child;) {
      kill(child, SIGKILL);
      found.push_back(child);
    }
  }
}

}  // namespace potok::enter
