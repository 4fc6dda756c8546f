// The pipeline of a run that was, to be submitted again.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cli/context.h"
#include "common/pipeline/spec.h"
#include "potok/v1/runs.pb.h"

namespace potok::client {

// Properties by which a run says which it was made from.
inline constexpr char kClonedFrom[] = "potok.cloned_from";
inline constexpr char kRerunOf[] = "potok.rerun_of";

// What the run runs, without its name, described as the run is now; `lineage` is one of the
// properties above, and names the run. INVALID_ARGUMENT for what this version cannot read.
absl::StatusOr<PipelineSpec> SpecOfRun(const v1::Run& run, const char* lineage);

// The same with changes as of `job create --set`, made to the file that `job clone` writes of it.
// Prints what is wrong. Errors of JobFile; INVALID_ARGUMENT with a count of errors.
absl::StatusOr<PipelineSpec> WithChanges(const Context& context,
                                         const PipelineSpec& spec,
                                         const std::vector<std::string>& set);

}  // namespace potok::client
