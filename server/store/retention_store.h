// What the database says about whose bytes are kept. Beside the scheduler. Thread-safe: a
// connection for each call, which blocks. Errors: UNAVAILABLE, or what `see` returned, which ends
// the reading.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/digest.h"
#include "server/domain/change.h"

namespace potok::server {

// A run whose outputs and logs are kept.
struct KeptRun {
  RunId id = 0;
  Digest spec;
  std::int64_t ended_us = 0;  // 0: not yet
};

class RetentionStore {
 public:
  virtual ~RetentionStore() = default;

  // Every stored pipeline, serialised (potok.v1.PipelineSpec), in no order.
  virtual absl::Status ForEachSpec(
      const std::function<absl::Status(const Digest&, const std::string& spec)>& see) = 0;
  // Every run that is not forgotten, by id.
  virtual absl::Status ForEachRun(const std::function<absl::Status(const KeptRun&)>& see) = 0;
  // The state of every step of such a run (serialised potok.journal.v1.StepState), by run.
  virtual absl::Status ForEachStepState(
      const std::function<absl::Status(RunId, const std::string& state)>& see) = 0;

  // The bytes of every file that a step of such a run logged.
  virtual absl::Status ForEachLoggedFile(
      const std::function<absl::Status(RunId, const Digest&)>& see) = 0;
  // What every version of everything registered names, as artifact_reference.h writes it.
  virtual absl::Status ForEachAsset(
      const std::function<absl::Status(const std::string& artifact)>& see) = 0;

  // In one transaction: their outputs and logs are not kept any more, since `at`, and no result of
  // theirs is offered to other runs. Those that are forgotten already stay as they are.
  virtual absl::Status Forget(const std::vector<RunId>& runs, absl::Time at) = 0;
  // Those of `runs` that are forgotten, by id.
  virtual absl::StatusOr<std::vector<RunId>> Forgotten(const std::vector<RunId>& runs) = 0;
};

}  // namespace potok::server
