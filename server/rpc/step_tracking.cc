#include "server/rpc/step_tracking.h"

#include <utility>

namespace potok::server {

void StepTracking::Offer(const StartOrder& order, v1::StartAttempt& start) const {
  if (order.gang.has_value()) {
    // The same for all members, and of nobody's attempt: by it nothing can be logged.
    const auto rank = static_cast<std::uint32_t>(order.gang->rank);
    StepClaim shared;
    shared.attempt = {order.key.run, order.key.index - rank, 0};
    shared.run = start.run();
    start.mutable_gang()->set_token(tokens_.TokenOf(shared));
  }
  if (uri_.empty()) return;
  StepClaim claim;
  claim.attempt = order.key;
  claim.run = start.run();
  claim.step = start.step();
  claim.mlflow_id = MlflowIdOf(start.job_name(), order.key);
  claim.experiment = start.experiment_name();
  if (claim.experiment.empty()) claim.experiment = kDefaultExperiment;
  v1::Tracking& tracking = *start.mutable_tracking();
  tracking.set_uri(uri_);
  tracking.set_token(tokens_.TokenOf(claim));
  tracking.set_run_id(claim.mlflow_id);
  tracking.set_experiment_id(claim.experiment);
}

}  // namespace potok::server
