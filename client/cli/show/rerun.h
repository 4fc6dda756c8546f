// What a rerun of a run changes in its pipeline. Pure.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "common/pipeline/spec.h"
#include "potok/v1/runs.pb.h"

namespace potok::client {

enum class RerunKind { kFailed, kFrom, kAll };

// Whether the step, and what it makes if it is a loop or a sweep, may take earlier results.
void SetRead(bool read, Step* step);

// Sets in `spec` what a rerun needs. `from`, a step or a nested pipeline, runs anew, and so does
// all that comes after it, also what ends the run (on_finalize); or all do; everything else may
// take earlier results, if its own reuse says nothing else. `spec` is the definition of `run` or a
// newer one. NOT_FOUND for a step that is not there, INVALID_ARGUMENT for one that a loop makes;
// FAILED_PRECONDITION with kFailed for a run that has not ended, or of which nothing failed.
absl::Status PrepareRerun(RerunKind kind,
                          const std::string& from,
                          const v1::Run& run,
                          PipelineSpec* spec);

}  // namespace potok::client
