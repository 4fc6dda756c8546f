// Opening paths that others chose, so that neither ".." nor any link leads out of a folder. Blocks
// on the disk.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/cas/disk_file.h"

namespace potok::server {

// Opens (O_PATH) what lies at `parts` below the folder `root`, by openat2(2) with RESOLVE_BENEATH,
// RESOLVE_NO_SYMLINKS and RESOLVE_NO_MAGICLINKS. NOT_FOUND; INVALID_ARGUMENT if a link is met.
absl::StatusOr<Fd> OpenBeneath(int root, const std::vector<std::string>& parts);

// The same for a folder, made with those above it where they are not there.
absl::StatusOr<Fd> MakeFoldersBeneath(int root, const std::vector<std::string>& parts);

// A path that names exactly what the descriptor is open for, as long as it is open.
std::string PathOf(const Fd& fd);

}  // namespace potok::server
