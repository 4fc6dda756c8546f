// Folders as zip archives. Only for snapshot.cc.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "common/cas/folder_scan.h"

namespace potok {

// The bytes of a zip archive of `folder`, whose members are in the archive's folder `name`. Nothing
// is compressed: the store does that. Equal folders (names, bytes, executable bits) give equal
// archives: members are ordered by name and have the format's first date. INVALID_ARGUMENT for more
// than the format holds without its 64-bit form (65,535 members) or than is built in memory
// (256 MiB); a file that cannot be read is an error, too.
absl::StatusOr<std::string> ZipOf(const ScannedFolder& folder, const std::string& name);

}  // namespace potok
