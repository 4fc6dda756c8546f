// How an artifact is written in a YAML file, as the value of `code:` or of an input's `path:`:
//
//   potok-artifact:<64 hexadecimal digits>/<bytes>[?folder=1&bytes=N&name=F]
//
// The digest, then what else an Artifact says where it says anything: that it is a folder, the
// bytes of all files below, the name of a single file. In a name, bytes other than letters, digits
// and
// "-._~" are written as %XX. Pure.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "common/pipeline/spec.h"

namespace potok {

// True if `text` is meant to be such a reference; it may still be a wrong one.
bool IsArtifactReference(const std::string& text);

// The one text of this artifact. Parsing it gives an equal one.
std::string ArtifactReference(const Artifact& artifact);

// INVALID_ARGUMENT says what is wrong and shows the form.
absl::StatusOr<Artifact> ParseArtifactReference(const std::string& text);

}  // namespace potok
