// What must be true before a completion counts: every byte of its outputs is in the store, and
// outputs with an explicit destination are written there.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/artifacts/datastore.h"
#include "server/domain/event.h"
#include "server/domain/plan.h"

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
  Completion(ArtifactStore& store, Datastores& datastores, FindLiveRun find_run)
      : store_(store), datastores_(datastores), find_run_(std::move(find_run)) {}

  // True if there is anything to check or write, so that the others need not wait for the disk.
  static bool Needed(const Report& report);

  // The report as it counts: itself, or a failure with cause kOutput that says what is missing or
  // was not written.
  Report Check(Report report) const;

  // Lays the outputs of a step at their explicit destinations, if they have any: INVALID_ARGUMENT
  // or what the datastore says, naming output and destination.
  absl::Status WriteDestinations(const Plan& plan,
                                 const std::string& run,
                                 std::uint32_t index,
                                 const std::vector<OutputValue>& outputs) const;

 private:
  absl::Status CheckArtifacts(const AttemptSucceeded& succeeded) const;
  absl::Status WriteDestinations(const Report& report) const;

  ArtifactStore& store_;
  Datastores& datastores_;
  FindLiveRun find_run_;
};

// The destination of an output with ${{name}}, ${{output_name}} and ${{default_datastore}} filled
// in; empty when it has none. ${{name}} is the step's own job name, RUN_STEP; for a run of one step
// it is the run's name.
absl::StatusOr<std::string> DestinationOf(const PipelineSpec& spec,
                                          const std::string& run,
                                          const Step& step,
                                          const Output& output);

}  // namespace potok::server
