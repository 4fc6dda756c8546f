// Artifacts as one line of text, in documents that are registered and in YAML. Pure.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "common/pipeline/spec.h"

namespace potok {

// "potok-artifact:SHA256/SIZE" for a folder, "potok-artifact:SHA256/SIZE/NAME" for a file: the
// digest of its root as in potok.v1.Artifact. total_bytes of a folder is not in it.
std::string ArtifactText(const Artifact& artifact);

// True if `text` begins as one.
bool IsArtifactText(const std::string& text);

// INVALID_ARGUMENT for anything that ArtifactText does not write.
absl::StatusOr<Artifact> ParseArtifactText(const std::string& text);

}  // namespace potok
