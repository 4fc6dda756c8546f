#include "tests/bench/workload.h"

namespace potok::bench {

std::vector<std::string> WorkloadKeys() {
  return {"P1", "P2", "P3", "P4", "P6", "P7", "P9", "P10", "P11"};
}

std::vector<Contest> ContestsOf(const std::string& key,
                                const WorkloadOptions& options,
                                Stack& stack) {
  if (key == "P3") return NoopContests(options, stack);
  if (key == "P6") return SubmitContests(options, stack);
  if (key == "P7") return ReuseContests(options, stack);
  if (key == "P9") return LogsContests(options, stack);
  if (key == "P10") return ArtifactsContests(options, stack);
  if (key == "P11") return FirstExecContests(options, stack);
  return StepsContests(key, options, stack);
}

}  // namespace potok::bench
