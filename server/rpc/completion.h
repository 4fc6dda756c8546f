// What must be true before a completion counts: every byte of its outputs is in the store, outputs
// with an explicit destination are written there, and named ones are registered.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/artifacts/datastore.h"
#include "server/domain/effect.h"
#include "server/domain/event.h"
#include "server/domain/plan.h"
#include "server/rpc/output_assets.h"

namespace potok::server {

// The plan and the name of a live run; NOT_FOUND. Blocks for a turn of the scheduler.
struct LiveRun {
  std::string name;
  std::shared_ptr<const Plan> plan;
};
using FindLiveRun = std::function<absl::StatusOr<LiveRun>(RunId)>;

// Thread-safe; blocks on disk and store.
class Completion {
 public:
  // All references outlive this.
  Completion(ArtifactStore& store,
             Datastores& datastores,
             OutputAssets& output_assets,
             FindLiveRun find_run)
      : store_(store),
        datastores_(datastores),
        output_assets_(output_assets),
        find_run_(std::move(find_run)) {}

  // True if there is anything to check or write, so that the others need not wait for the disk.
  static bool Needed(const Report& report);

  // The report as it counts: itself, or a failure with cause kOutput that says what is missing or
  // was not written. UNAVAILABLE: it cannot be said now; the agent shall report again.
  absl::StatusOr<Report> Check(Report report) const;

  // Lays the outputs of a step at their explicit destinations and registers those with names, if
  // there are any; whether the step ran (key.attempt says when) or took them over (attempt 0).
  // Again is the same. UNAVAILABLE: try again; else what the datastore or the registry says, naming
  // output and destination.
  absl::Status Settle(const Plan& plan,
                      const std::string& run,
                      const AttemptKey& key,
                      const std::vector<OutputValue>& outputs) const;

  // The outputs of a control step (composition.h), settled.
  OutputsComposed Compose(const ComposeOutputs& wanted) const;

 private:
  absl::Status CheckArtifacts(const AttemptSucceeded& succeeded) const;
  absl::Status WriteDestinations(const PipelineSpec& spec,
                                 const std::string& run,
                                 const std::string& name,
                                 const Step& step,
                                 const std::vector<OutputValue>& outputs) const;

  ArtifactStore& store_;
  Datastores& datastores_;
  OutputAssets& output_assets_;
  FindLiveRun find_run_;
};

// The destination of an output with ${{name}}, ${{output_name}} and ${{default_datastore}} filled
// in; empty when it has none. ${{name}} is the step's own job name, RUN_STEP; for a run of one step
// it is the run's name.
absl::StatusOr<std::string> DestinationOf(const PipelineSpec& spec,
                                          const std::string& run,
                                          const std::string& step,
                                          const Output& output);

}  // namespace potok::server
