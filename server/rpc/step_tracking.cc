#include "server/rpc/step_tracking.h"

#include <utility>

namespace potok::server {

void StepTracking::Offer(const StartOrder& order, v1::StartAttempt& start) const {
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
