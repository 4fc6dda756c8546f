// What runs and why, for people: of runs that are stored, and of pipelines that are not submitted
// yet. Blocks on the database and the store; thread-safe.
#pragma once

#include "absl/status/statusor.h"
#include "potok/v1/runs.pb.h"
#include "server/artifacts/artifact_store.h"
#include "server/rpc/run_view.h"
#include "server/rpc/submission.h"

namespace potok::server {

class Explanations {
 public:
  // All references outlive this.
  Explanations(RunView& view, Submission& submission, ArtifactStore& store)
      : view_(view), submission_(submission), store_(store) {}

  // NOT_FOUND for a run or step that there is not.
  absl::StatusOr<v1::ExplainResponse> Explain(const v1::ExplainRequest& request);
  // Errors are those of Submission::Prepare.
  absl::StatusOr<v1::ExplainResponse> Foresee(PipelineSpec spec,
                                              const std::function<bool()>& is_wanted);

 private:
  RunView& view_;
  Submission& submission_;
  ArtifactStore& store_;
};

}  // namespace potok::server
