// What laying out an artifact comes to: every folder, file and link of it, checked. Only for the
// .cc files of this folder.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/digest.h"
#include "common/pipeline/spec.h"

namespace potok {

// Paths are relative to the root and unique; the root itself is "".
struct TreePlan {
  struct File {
    std::string path;
    Digest digest;
    bool is_executable = false;
  };
  struct Link {
    std::string path;
    std::string target;
  };
  std::vector<std::string> folders;  // parents first; empty if the artifact is a file
  std::vector<File> files;
  std::vector<Link> links;

  // Each file's digest once.
  std::vector<Digest> Digests() const;
};

// Gives the bytes of these folders, in this order.
using ReadFolders =
    std::function<absl::StatusOr<std::vector<std::string>>(const std::vector<Digest>&)>;

// Reads level by level. DATA_LOSS for what DecodeFolder refuses, more than 512 levels, more than
// two million entries (a small tree can name itself often enough to fill any disk), paths and
// targets beyond 512 MiB in all, and folders whose message is beyond 256 MiB.
absl::StatusOr<TreePlan> PlanTree(const Artifact& artifact, const ReadFolders& read);

// The files and links of a folder's plan.
std::map<std::string, std::string> ListingOf(const TreePlan& plan);

// DATA_LOSS for a folder whose message is beyond 256 MiB.
absl::Status CheckFolderSize(const Digest& digest);

}  // namespace potok
