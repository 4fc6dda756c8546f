// One folder of a tree as a value, and its canonical bytes (a REAPI Directory message). Pure;
// thread-safe. Knows protobuf only in its .cc.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/digest.h"

namespace potok {

// Folders in folders: deeper ones are refused. Far beyond what paths can hold (PATH_MAX).
constexpr int kFolderDepthMax = 512;

struct FolderFile {
  std::string name;
  Digest digest;
  bool is_executable = false;
};
struct FolderChild {
  std::string name;
  Digest digest;
};
struct FolderLink {
  std::string name;
  std::string target;
};
struct Folder {
  std::vector<FolderFile> files;
  std::vector<FolderChild> folders;
  std::vector<FolderLink> links;
};

// Equal folders have equal bytes: entries are sorted by name.
std::string EncodeFolder(Folder folder);

// Reads somebody's bytes; DATA_LOSS for what is no Directory message, bad digests, names that are
// bad (CheckName) or occur twice, and links that leave a tree whose root is `depth` folders up.
absl::StatusOr<Folder> DecodeFolder(const std::string& bytes, int depth);

// What the bytes of a folder name, whatever else is wrong with them: for those who must not lose
// what somebody may come back for. Nothing if they are no Directory message.
struct FolderEntry {
  Digest digest;
  bool is_folder = false;
};
std::vector<FolderEntry> EntriesOf(const std::string& bytes);

// INVALID_ARGUMENT unless `name` can be one entry's name: 1 to 255 bytes of UTF-8 without '/' and
// NUL, neither "." nor "..".
absl::Status CheckName(const std::string& name);

// True if a link with this target, `depth` folders below the root, stays below the root: a relative
// path that goes up only at its start and at most `depth` times. Going up later is refused as such,
// because what was gone into may itself be a link.
bool LinkStaysInside(const std::string& target, int depth);

}  // namespace potok
