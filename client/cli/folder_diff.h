// Which files differ between two folders of a store. Blocks in `read`; one thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cli/show/run_diff.h"
#include "common/base/digest.h"

namespace potok::client {

// The bytes of a Directory message.
using ReadFolder = std::function<absl::StatusOr<std::string>(const Digest& digest)>;

// Paths below the roots `a` and `b` with what each has there: "sha256:.../42" of a file, with "
// executable" behind it, "link to x", "folder". Only folders that differ are read. At most 1,000
// are told; then the last is {"...", "", ""}. Errors of `read`; DATA_LOSS for what is no folder.
absl::StatusOr<std::vector<Difference>> DiffFolders(const Digest& a,
                                                    const Digest& b,
                                                    const ReadFolder& read);

}  // namespace potok::client
