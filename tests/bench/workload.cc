#include "tests/bench/workload.h"

namespace potok::bench {

std::vector<std::string> WorkloadKeys() {
  return {"P1", "P2", "P3", "P4", "P6"};
}

std::vector<Contest> ContestsOf(const std::string& key,
                                const WorkloadOptions& options,
                                Stack& stack) {
  if (key == "P3") return NoopContests(options, stack);
  if (key == "P6") return SubmitContests(options, stack);
  return StepsContests(key, options, stack);
}

}  // namespace potok::bench
