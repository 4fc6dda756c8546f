// What made an artifact, what used it, and what it goes back to. Thread-safe; blocks on the
// database.
//
// Which steps made and took which artifacts is written down when somebody asks, for the runs that
// have ended since anybody did: docs/decisions/0029-lineage-is-indexed-when-asked-for.md.
#pragma once

#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "potok/v1/runs.pb.h"
#include "server/domain/plan.h"
#include "server/store/store.h"

namespace potok::server {

using PlanOfRun = std::function<absl::StatusOr<std::shared_ptr<const Plan>>(const RunRow&)>;

class Lineage {
 public:
  // `reader` outlives this, and what `plan_of` refers to.
  Lineage(Reader& reader, PlanOfRun plan_of) : reader_(reader), plan_of_(std::move(plan_of)) {}

  // Errors are those of Runs.Lineage and of the reader.
  absl::StatusOr<v1::LineageResponse> Of(const v1::LineageRequest& request);

  // Writes down the uses of all runs that have ended. About a millisecond a run.
  absl::Status CatchUp();

 private:
  Reader& reader_;
  const PlanOfRun plan_of_;
};

}  // namespace potok::server
