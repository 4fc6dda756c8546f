#include "common/cas/tree.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "common/base/status_macros.h"
#include "common/cas/disk_file.h"
#include "common/cas/folder.h"
#include "common/cas/laying.h"
#include "common/cas/tree_plan.h"
#include "fmt/format.h"

namespace potok {

namespace {

// Small blobs go into the store in groups of about this size, each with one sync of the disk.
constexpr std::size_t kGroupBytes = std::size_t{16} * 1024 * 1024;
constexpr std::int64_t kGroupedBytesMax = std::int64_t{1024} * 1024;

// What a walk over folders has met.
struct Walk {
  std::set<Digest> folders;
  std::set<Digest> files;
};

absl::Status CheckLevel(const Artifact& artifact, const std::vector<Digest>& level, int depth) {
  if (depth > kFolderDepthMax) {
    return absl::DataLossError(fmt::format(
        "folder {} is more than {} folders deep", artifact.digest.Hex(), kFolderDepthMax));
  }
  for (const Digest& digest : level) POTOK_RETURN_IF_ERROR(CheckFolderSize(digest));
  return absl::OkStatus();
}

// The folders in these folders that were not met before.
absl::StatusOr<std::vector<Digest>> FoldersIn(const std::vector<std::string>& contents,
                                              Walk& walk) {
  std::vector<Digest> below;
  for (const std::string& bytes : contents) {
    // How deep a folder lies is known only when it is laid; the links are checked again then.
    POTOK_ASSIGN_OR_RETURN(const Folder folder, DecodeFolder(bytes, kFolderDepthMax));
    for (const FolderFile& file : folder.files) walk.files.insert(file.digest);
    for (const FolderChild& child : folder.folders) {
      if (walk.folders.insert(child.digest).second) below.push_back(child.digest);
    }
  }
  return below;
}

// Takes `missing` out of `all`, which is sorted.
std::vector<Digest> Without(const std::vector<Digest>& all, std::vector<Digest> missing) {
  std::ranges::sort(missing);
  std::vector<Digest> present;
  std::ranges::set_difference(all, missing, std::back_inserter(present));
  return present;
}

absl::StatusOr<std::vector<std::string>> ReadAll(BlobStore& store,
                                                 const std::vector<Digest>& digests) {
  std::vector<std::string> contents;
  for (const Digest& digest : digests) {
    POTOK_ASSIGN_OR_RETURN(std::string bytes, store.Read(digest));
    contents.push_back(std::move(bytes));
  }
  return contents;
}

absl::StatusOr<std::string> BytesOf(const SnapshotBlob& blob) {
  if (blob.content.index() == 0) return std::get<0>(blob.content);
  return ReadWholeFile(std::get<1>(blob.content));
}

}  // namespace

absl::StatusOr<TreeListing> ListTree(BlobStore& store, const Artifact& artifact) {
  POTOK_ASSIGN_OR_RETURN(const TreePlan plan,
                         PlanTree(artifact, [&](const std::vector<Digest>& digests) {
                           return ReadAll(store, digests);
                         }));
  return ListingOf(plan);
}

absl::StatusOr<std::vector<Digest>> WalkMissing(const Artifact& artifact,
                                                const FindMissing& missing,
                                                const ReadFolders& read) {
  Walk walk;
  walk.folders.insert(artifact.digest);
  std::vector<Digest> gone;
  std::vector<Digest> level = {artifact.digest};
  for (int depth = 0; !level.empty(); ++depth) {
    POTOK_RETURN_IF_ERROR(CheckLevel(artifact, level, depth));
    std::ranges::sort(level);
    POTOK_ASSIGN_OR_RETURN(const std::vector<Digest> gone_here, missing(level));
    gone.insert(gone.end(), gone_here.begin(), gone_here.end());
    POTOK_ASSIGN_OR_RETURN(const auto contents, read(Without(level, gone_here)));
    POTOK_ASSIGN_OR_RETURN(level, FoldersIn(contents, walk));
  }
  POTOK_ASSIGN_OR_RETURN(const auto gone_files, missing({walk.files.begin(), walk.files.end()}));
  std::ranges::copy_if(gone_files, std::back_inserter(gone), [&](const Digest& digest) {
    return !walk.folders.contains(digest);
  });
  return gone;
}

absl::StatusOr<std::vector<Digest>> MissingOf(BlobStore& store, const Artifact& artifact) {
  if (!artifact.is_folder) return store.Missing({artifact.digest});
  return WalkMissing(
      artifact,
      [&](const std::vector<Digest>& digests) { return store.Missing(digests); },
      [&](const std::vector<Digest>& digests) { return ReadAll(store, digests); });
}

absl::Status LayOut(BlobStore& store,
                    const Artifact& artifact,
                    const std::string& path,
                    bool replace) {
  const auto read = [&](const std::vector<Digest>& digests) { return ReadAll(store, digests); };
  POTOK_ASSIGN_OR_RETURN(const TreePlan plan, PlanTree(artifact, read));
  const BlobStore::Pin pin = store.PinAll(plan.Digests());
  const auto path_of = [&](const Digest& digest) { return store.PathOf(digest); };
  return MakeBeside(path, replace, [&](const std::string& beside) {
    POTOK_RETURN_IF_ERROR(LayPlan(plan, beside, Laying::kCopy, path_of));
    // What replaces something must not be less lasting than what it replaces.
    return SyncDisk(beside);
  });
}

absl::Status PutSnapshot(BlobStore& store, const Snapshot& snapshot) {
  std::vector<std::pair<Digest, std::string>> group;
  std::size_t group_bytes = 0;
  for (const SnapshotBlob& blob : snapshot.blobs) {
    const bool is_file = blob.content.index() == 1;
    if (is_file && blob.digest.size_bytes > kGroupedBytesMax) {
      POTOK_RETURN_IF_ERROR(store.PutFile(blob.digest, std::get<1>(blob.content)));
      continue;
    }
    if (store.Contains(blob.digest)) continue;
    POTOK_ASSIGN_OR_RETURN(std::string bytes, BytesOf(blob));
    group_bytes += bytes.size();
    group.emplace_back(blob.digest, std::move(bytes));
    if (group_bytes < kGroupBytes) continue;
    POTOK_RETURN_IF_ERROR(store.PutAll(group));
    group.clear();
    group_bytes = 0;
  }
  return store.PutAll(group);
}

}  // namespace potok
