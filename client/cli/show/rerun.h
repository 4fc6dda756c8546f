// What a rerun of a run changes in its pipeline. Pure.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "common/pipeline/spec.h"
#include "potok/v1/runs.pb.h"

namespace potok::client {

enum class RerunKind { kFailed, kFrom, kAll };

// Sets in `spec` what a rerun needs: `from` (and what comes after it), or all, may take no earlier
// results, everything else may if its own reuse says nothing else. `spec` is the definition of
// `run` or a newer one. NOT_FOUND for a step that is not there; FAILED_PRECONDITION with kFailed
// for a run that has not ended, or of which nothing failed.
absl::Status PrepareRerun(RerunKind kind,
                          const std::string& from,
                          const v1::Run& run,
                          PipelineSpec* spec);

}  // namespace potok::client
