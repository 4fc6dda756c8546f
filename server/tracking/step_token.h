// The token of an attempt: says what it is of, signed by the server, so that nothing need be looked
// up or remembered. Pure; thread-safe.
#pragma once

#include <optional>
#include <string>

#include "common/base/attempt.h"

namespace potok::server {

// Which attempt of what: all that the tracking API needs to know of a step that calls it.
struct StepClaim {
  AttemptKey attempt;
  std::string run;  // names
  std::string step;
  std::string mlflow_id;   // of MlflowIdOf
  std::string experiment;  // never empty
};

// What MLflow calls the run of a step: its job name, where that is what MLflow's clients take for a
// run id ([A-Za-z0-9][A-Za-z0-9_-]{0,255}; mlflow/utils/validation.py). The names of loops' steps
// are not: what they have of other characters becomes '-', and run and index follow.
std::string MlflowIdOf(const std::string& job_name, const AttemptKey& attempt);

// An experiment without a name is called so, as in Azure ML and MLflow.
inline constexpr char kDefaultExperiment[] = "Default";

class StepTokens {
 public:
  // `secret` is known to nobody else; tokens end when it changes.
  explicit StepTokens(std::string secret) : secret_(std::move(secret)) {}

  std::string TokenOf(const StepClaim& claim) const;
  // Nothing for a text that is no token of ours.
  std::optional<StepClaim> Read(const std::string& token) const;

 private:
  std::string Sign(const std::string& text) const;

  const std::string secret_;
};

}  // namespace potok::server
