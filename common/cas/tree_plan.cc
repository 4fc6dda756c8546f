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
// Of all paths and targets together: as many entries with long names deep down would fill any
// memory.
constexpr std::int64_t kNamesBytesMax = 512LL * 1024 * 1024;
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

// What the paths and targets of the folder at `path` take.
std::int64_t NamesBytes(const std::string& path, const Folder& folder) {
  std::size_t bytes = 0;
  for (const FolderFile& file : folder.files) bytes += path.size() + 1 + file.name.size();
  for (const FolderChild& child : folder.folders) bytes += path.size() + 1 + child.name.size();
  for (const FolderLink& link : folder.links) {
    bytes += path.size() + 1 + link.name.size() + link.target.size();
  }
  return static_cast<std::int64_t>(bytes);
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
  std::int64_t names_bytes = 0;
  Level level = {{"", artifact.digest}};
  for (int depth = 0; !level.empty(); ++depth) {
    if (depth > kFolderDepthMax) {
      return absl::DataLossError(fmt::format(
          "folder {} is more than {} folders deep", artifact.digest.Hex(), kFolderDepthMax));
    }
    POTOK_ASSIGN_OR_RETURN(const auto folders, ReadLevel(level, depth, read));
    Level below;
    for (const FolderChild& child : level) {
      const Folder& folder = folders.at(child.digest);
      names_bytes += NamesBytes(child.name, folder);
      if (names_bytes > kNamesBytesMax) {
        return absl::DataLossError(fmt::format("the paths in folder {} take more than {}",
                                               artifact.digest.Hex(),
                                               FormatBytes(kNamesBytesMax)));
      }
      AddFolder(child.name, folder, plan, below);
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

std::map<std::string, std::string> ListingOf(const TreePlan& plan) {
  std::map<std::string, std::string> listing;
  if (plan.folders.empty()) return listing;
  for (const TreePlan::File& file : plan.files) {
    listing[file.path] = file.digest.Hex() + (file.is_executable ? " executable" : "");
  }
  for (const TreePlan::Link& link : plan.links) listing[link.path] = "link to " + link.target;
  return listing;
}

}  // namespace potok
