// Outputs of earlier runs by the URIs that name them. Thread-safe; blocks on the database and the
// store of artifacts.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/pipeline/spec.h"
#include "server/artifacts/artifact_store.h"
#include "server/rpc/run_view.h"

namespace potok::server {

// azureml://jobs/JOB/outputs/OUTPUT[/paths/P] or runs:/JOB/P.
struct RunOutputName {
  std::string job;
  std::string output;              // empty for runs:/, whose path may begin with it
  std::vector<std::string> parts;  // below the output
};
// INVALID_ARGUMENT says what is wrong.
absl::StatusOr<RunOutputName> ParseRunOutputUri(const std::string& uri);

class RunOutputs {
 public:
  // Both outlive this.
  RunOutputs(RunView& view, ArtifactStore& store) : view_(view), store_(store) {}

  // JOB is the name of a run, or of a step of one: RUN/STEP, or RUN_STEP as ${{name}} has it.
  // NOT_FOUND names the outputs that there are; FAILED_PRECONDITION for an output that was not
  // made, or not yet.
  absl::StatusOr<Artifact> Find(const std::string& uri);

 private:
  RunView& view_;
  ArtifactStore& store_;
};

}  // namespace potok::server
