// Small files that are written as a whole.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace potok::agent {

// Why `what` did not work on `path`, from errno: PERMISSION_DENIED, or UNAVAILABLE for what may
// pass, such as a full disk.
absl::Status DiskError(const char* what, const std::string& path);

// Makes or replaces the content of a file, in place; does not follow a symbolic link. The file is
// not cut to nothing first: ext4 would write it to the disk when it is closed (ext4(5),
// auto_da_alloc), which costs a small file more than all the rest. Blocks on the disk; not synced.
absl::Status WriteFile(const std::string& path, const std::string& content);

}  // namespace potok::agent
