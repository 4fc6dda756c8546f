#include "common/cas/snapshot.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <set>
#include <utility>

#include "absl/time/clock.h"
#include "common/base/status_macros.h"
#include "common/cas/disk_file.h"
#include "common/cas/folder.h"
#include "common/cas/folder_scan.h"
#include "common/cas/zip.h"
#include "fmt/format.h"

namespace potok {

namespace {

// Times of files are those of a clock that ticks every 1 to 10 ms (CONFIG_HZ).
constexpr absl::Duration kDiskTick = absl::Milliseconds(20);

bool SameState(const struct stat& a, const struct stat& b) {
  return a.st_ino == b.st_ino && a.st_size == b.st_size && a.st_mtim.tv_sec == b.st_mtim.tv_sec &&
         a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

// `changed` becomes what SnapshotBlob says.
absl::StatusOr<Digest> HashFile(const std::string& path, absl::Time* changed) {
  // Without O_NONBLOCK a pipe put in the file's place would hold us for ever.
  POTOK_ASSIGN_OR_RETURN(const Fd fd, OpenFile(path, O_RDONLY | O_NONBLOCK));
  struct stat before {};
  if (fstat(fd.get(), &before) != 0) return DiskError(errno, "look at", path);
  Hasher hasher;
  POTOK_ASSIGN_OR_RETURN(const std::int64_t read_bytes, HashRest(fd.get(), hasher, path));
  struct stat after {};
  if (fstat(fd.get(), &after) != 0) return DiskError(errno, "look at", path);
  if (!SameState(before, after) || read_bytes != after.st_size) {
    return absl::AbortedError(
        fmt::format("{} changed while it was read; try again when nothing writes to it", path));
  }
  *changed = absl::TimeFromTimespec(after.st_ctim);
  // A later change within the same tick of the disk's clock would not show.
  if (absl::Now() - *changed < kDiskTick) *changed = absl::InfinitePast();
  return hasher.Finish();
}

// Turns a scanned tree into blobs, from the leaves up.
class Hashing {
 public:
  explicit Hashing(Snapshot& snapshot) : snapshot_(snapshot) {}

  absl::StatusOr<Digest> HashFolder(const ScannedFolder& scanned) {
    Folder folder;
    for (const auto& [name, file] : scanned.files) {
      POTOK_ASSIGN_OR_RETURN(const Digest digest, file.packed ? AddZip(file) : AddFile(file.path));
      folder.files.push_back({name, digest, file.is_executable});
    }
    for (const auto& [name, child] : scanned.folders) {
      POTOK_ASSIGN_OR_RETURN(const Digest digest, HashFolder(child));
      folder.folders.push_back({name, digest});
    }
    for (const auto& [name, target] : scanned.links) folder.links.push_back({name, target});
    std::string bytes = EncodeFolder(std::move(folder));
    return AddBytes(std::move(bytes));
  }

  absl::StatusOr<Digest> AddFile(const std::string& path) {
    absl::Time changed;
    POTOK_ASSIGN_OR_RETURN(const Digest digest, HashFile(path, &changed));
    if (seen_.insert(digest).second) {
      snapshot_.blobs.push_back(
          {digest, decltype(SnapshotBlob::content)(std::in_place_index<1>, path), changed});
    }
    snapshot_.artifact.total_bytes += digest.size_bytes;
    ++snapshot_.file_count;
    return digest;
  }

 private:
  Digest AddBytes(std::string bytes) {
    const Digest digest = DigestOf(bytes);
    if (seen_.insert(digest).second) {
      snapshot_.blobs.push_back(
          {digest, decltype(SnapshotBlob::content)(std::in_place_index<0>, std::move(bytes))});
    }
    return digest;
  }

  absl::StatusOr<Digest> AddZip(const ScannedFile& file) {
    const std::string name = std::filesystem::path(file.path).filename().string();
    POTOK_ASSIGN_OR_RETURN(std::string bytes, ZipOf(*file.packed, name));
    const Digest digest = AddBytes(std::move(bytes));
    snapshot_.artifact.total_bytes += digest.size_bytes;
    ++snapshot_.file_count;
    return digest;
  }

  Snapshot& snapshot_;
  std::set<Digest> seen_;
};

}  // namespace

absl::StatusOr<Snapshot> SnapshotFolder(const std::string& path, const SnapshotOptions& options) {
  POTOK_ASSIGN_OR_RETURN(const ScannedFolder scanned, ScanFolder(path, options));
  Snapshot snapshot;
  snapshot.artifact.is_folder = true;
  POTOK_ASSIGN_OR_RETURN(snapshot.artifact.digest, Hashing(snapshot).HashFolder(scanned));
  return snapshot;
}

absl::StatusOr<Snapshot> SnapshotFile(const std::string& path) {
  struct stat file {};
  if (stat(path.c_str(), &file) != 0) return DiskError(errno, "look at", path);
  if (!S_ISREG(file.st_mode)) {
    return absl::InvalidArgumentError(fmt::format("{} is not a regular file", path));
  }
  Snapshot snapshot;
  snapshot.artifact.file_name = std::filesystem::path(path).filename().string();
  POTOK_RETURN_IF_ERROR(CheckName(snapshot.artifact.file_name));
  POTOK_ASSIGN_OR_RETURN(snapshot.artifact.digest, Hashing(snapshot).AddFile(path));
  return snapshot;
}

}  // namespace potok
