// Files of the submitting machine that a pipeline names become artifacts of the server's store.
#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/cas/snapshot.h"
#include "common/pipeline/spec.h"

namespace potok::client {

// Stores a snapshot of what lies at `path`; CasClient::Upload, for one.
using StoreSnapshot =
    std::function<absl::Status(const std::string& path, const Snapshot& snapshot)>;

// Stores a file or folder, and a code folder with what is merged into it. Errors name the path.
absl::StatusOr<Artifact> StorePath(const std::string& path, const StoreSnapshot& store);
absl::StatusOr<Artifact> StoreCode(const LocalCode& code, const StoreSnapshot& store);
// What StoreCode would store, without storing it.
absl::StatusOr<Artifact> ContentOfCode(const LocalCode& code);

// Replaces every local path and local code folder of `spec` by an artifact. Each is read and stored
// once, however many steps name it. Blocks; the first error ends it, naming the path. `spec` is
// then half replaced.
absl::Status UploadLocal(PipelineSpec* spec, const StoreSnapshot& store);

}  // namespace potok::client
