// What a folder on the disk holds, before anything is read. Only for snapshot.cc.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/cas/snapshot.h"

namespace potok {

struct ScannedFolder;

struct ScannedFile {
  std::string path;
  bool is_executable = false;
  // Set: the file is a zip of this folder, which lies at `path`.
  std::shared_ptr<const ScannedFolder> packed;
};
struct ScannedFolder {
  std::map<std::string, ScannedFile> files;
  std::map<std::string, ScannedFolder> folders;
  std::map<std::string, std::string> links;  // name to target
};

// Lists `path` (may be empty: only the includes) by the rules of SnapshotFolder. A folder of which
// everything was ignored is left out, so that what made it does not change the digest.
absl::StatusOr<ScannedFolder> ScanFolder(const std::string& path, const SnapshotOptions& options);

}  // namespace potok
