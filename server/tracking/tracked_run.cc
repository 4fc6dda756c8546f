#include "server/tracking/tracked_run.h"

#include <array>

namespace potok::server {

const char* NameOf(TrackedStatus status) {
  constexpr std::array kNames = {"RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"};
  return kNames[static_cast<std::size_t>(status) - 1];
}

std::string HolderOf(const TrackedRun& run) {
  return run.is_child ? run.mlflow_id : ToString(run.attempt);
}

bool IsHiddenTag(const std::string& name) {
  return name == kInputsTag || name == kOutputsTag;
}

}  // namespace potok::server
