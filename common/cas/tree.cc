#include "common/cas/tree.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
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

// What a walk over the folders of a store has found.
struct Walk {
  std::set<Digest> seen;
  std::set<Digest> files;
  std::vector<Digest> missing;
};

absl::StatusOr<std::vector<Digest>> VisitFolder(BlobStore& store,
                                                const Digest& digest,
                                                Walk& walk) {
  std::vector<Digest> below;
  POTOK_RETURN_IF_ERROR(CheckFolderSize(digest));
  auto bytes = store.Read(digest);
  if (absl::IsNotFound(bytes.status())) {
    walk.missing.push_back(digest);
    return below;
  }
  POTOK_RETURN_IF_ERROR(bytes.status());
  // How deep a folder lies is known only when it is laid; the links are checked again then.
  POTOK_ASSIGN_OR_RETURN(const Folder folder, DecodeFolder(*bytes, kFolderDepthMax));
  for (const FolderFile& file : folder.files) walk.files.insert(file.digest);
  for (const FolderChild& child : folder.folders) {
    if (walk.seen.insert(child.digest).second) below.push_back(child.digest);
  }
  return below;
}

absl::Status SyncDisk(const std::string& path) {
  POTOK_ASSIGN_OR_RETURN(const Fd fd, OpenFile(path, O_RDONLY));
  if (syncfs(fd.get()) != 0) return DiskError(errno, "sync the disk of", path);
  return absl::OkStatus();
}

absl::StatusOr<std::string> BytesOf(const SnapshotBlob& blob) {
  if (blob.content.index() == 0) return std::get<0>(blob.content);
  return ReadWholeFile(std::get<1>(blob.content));
}

}  // namespace

absl::StatusOr<std::vector<Digest>> MissingOf(BlobStore& store, const Artifact& artifact) {
  if (!artifact.is_folder) return store.Missing({artifact.digest});
  Walk walk;
  std::vector<Digest> level = {artifact.digest};
  walk.seen.insert(artifact.digest);
  for (int depth = 0; !level.empty(); ++depth) {
    if (depth > kFolderDepthMax) {
      return absl::DataLossError(fmt::format(
          "folder {} is more than {} folders deep", artifact.digest.Hex(), kFolderDepthMax));
    }
    std::vector<Digest> below;
    for (const Digest& digest : level) {
      POTOK_ASSIGN_OR_RETURN(const std::vector<Digest> more, VisitFolder(store, digest, walk));
      below.insert(below.end(), more.begin(), more.end());
    }
    level = std::move(below);
  }
  for (const Digest& digest : store.Missing({walk.files.begin(), walk.files.end()})) {
    if (!walk.seen.contains(digest)) walk.missing.push_back(digest);
  }
  return std::move(walk.missing);
}

absl::Status LayOut(BlobStore& store,
                    const Artifact& artifact,
                    const std::string& path,
                    bool replace) {
  const auto read = [&](const std::vector<Digest>& digests) {
    std::vector<std::string> contents;
    for (const Digest& digest : digests) {
      auto bytes = store.Read(digest);
      if (!bytes.ok()) return absl::StatusOr<std::vector<std::string>>(bytes.status());
      contents.push_back(*std::move(bytes));
    }
    return absl::StatusOr<std::vector<std::string>>(std::move(contents));
  };
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
