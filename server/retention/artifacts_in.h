// The artifacts that something stored names, wherever in it they stand: a field that is added later
// is found without further work. Pure; thread-safe.
#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "common/pipeline/spec.h"

namespace potok::server {

using SeeArtifact = std::function<absl::Status(const Artifact&)>;

// Of a serialised potok.v1.PipelineSpec: code and inputs. Returns what `see` does; DATA_LOSS if it
// cannot be read. Seconds that its outputs are kept come back in `retention_seconds` (Settings).
absl::Status ArtifactsInSpec(const std::string& spec,
                             const SeeArtifact& see,
                             std::int64_t* retention_seconds);

// Of a serialised potok.journal.v1.StepState: outputs.
absl::Status ArtifactsInStepState(const std::string& state, const SeeArtifact& see);

}  // namespace potok::server
