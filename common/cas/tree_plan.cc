#include "common/cas/tree_plan.h"

#include <map>
#include <set>
#include <utility>

#include "common/base/resources.h"
#include "common/base/status_macros.h"
#include "common/cas/folder.h"
#include "fmt/format.h"

namespace potok {

namespace {

constexpr std::size_t kEntriesMax = 2'000'000;
constexpr std::int64_t kFolderBytesMax = 256LL * 1024 * 1024;

using Level = std::vector<FolderChild>;  // names are paths here

absl::StatusOr<std::map<Digest, Folder>> ReadLevel(const Level& level,
                                                   int depth,
                                                   const ReadFolders& read) {
  std::set<Digest> distinct;
  for (const FolderChild& child : level) {
    POTOK_RETURN_IF_ERROR(CheckFolderSize(child.digest));
    distinct.insert(child.digest);
  }
  const std::vector<Digest> digests(distinct.begin(), distinct.end());
  POTOK_ASSIGN_OR_RETURN(const std::vector<std::string> contents, read(digests));
  std::map<Digest, Folder> folders;
  for (std::size_t i = 0; i < digests.size(); ++i) {
    POTOK_ASSIGN_OR_RETURN(folders[digests[i]], DecodeFolder(contents.at(i), depth));
  }
  return folders;
}

std::string Join(const std::string& folder, const std::string& name) {
  return folder.empty() ? name : folder + "/" + name;
}

void AddFolder(const std::string& path, const Folder& folder, TreePlan& plan, Level& below) {
  plan.folders.push_back(path);
  for (const FolderFile& file : folder.files) {
    plan.files.push_back({Join(path, file.name), file.digest, file.is_executable});
  }
  for (const FolderLink& link : folder.links) {
    plan.links.push_back({Join(path, link.name), link.target});
  }
  for (const FolderChild& child : folder.folders) {
    below.push_back({Join(path, child.name), child.digest});
  }
}

}  // namespace

std::vector<Digest> TreePlan::Digests() const {
  std::set<Digest> digests;
  for (const File& file : files) digests.insert(file.digest);
  return {digests.begin(), digests.end()};
}

absl::Status CheckFolderSize(const Digest& digest) {
  if (digest.size_bytes <= kFolderBytesMax) return absl::OkStatus();
  return absl::DataLossError(fmt::format("folder {} is described by {}, more than {}",
                                         digest.Hex(),
                                         FormatBytes(digest.size_bytes),
                                         FormatBytes(kFolderBytesMax)));
}

absl::StatusOr<TreePlan> PlanTree(const Artifact& artifact, const ReadFolders& read) {
  TreePlan plan;
  if (!artifact.is_folder) {
    plan.files.push_back({"", artifact.digest, false});
    return plan;
  }
  Level level = {{"", artifact.digest}};
  for (int depth = 0; !level.empty(); ++depth) {
    if (depth > kFolderDepthMax) {
      return absl::DataLossError(fmt::format(
          "folder {} is more than {} folders deep", artifact.digest.Hex(), kFolderDepthMax));
    }
    POTOK_ASSIGN_OR_RETURN(const auto folders, ReadLevel(level, depth, read));
    Level below;
    for (const FolderChild& child : level) {
      AddFolder(child.name, folders.at(child.digest), plan, below);
      if (plan.files.size() + plan.folders.size() + plan.links.size() + below.size() >
          kEntriesMax) {
        return absl::DataLossError(
            fmt::format("folder {} has more than {} entries", artifact.digest.Hex(), kEntriesMax));
      }
    }
    level = std::move(below);
  }
  return plan;
}

}  // namespace potok
