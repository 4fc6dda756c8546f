#include "common/cas/laying.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "common/base/random_id.h"
#include "common/base/status_macros.h"
#include "common/cas/disk_file.h"
#include "fmt/format.h"

namespace potok {

namespace {

absl::Status CopyTo(const std::string& blob,
                    const Digest& digest,
                    const std::string& path,
                    mode_t mode) {
  POTOK_ASSIGN_OR_RETURN(const Fd from, OpenFile(blob, O_RDONLY));
  POTOK_ASSIGN_OR_RETURN(const Fd to, OpenFile(path, O_RDWR | O_CREAT | O_EXCL, 0600));
  POTOK_ASSIGN_OR_RETURN(const Digest copied, CopyAndHash(from.get(), to.get(), path));
  if (copied != digest) {
    return absl::DataLossError(fmt::format("{} changed while it was copied to {}", blob, path));
  }
  if (fchmod(to.get(), mode) != 0) return DiskError(errno, "set mode of", path);
  return absl::OkStatus();
}

// True if `path` is now the blob's file; false if it has to be copied.
bool LinkTo(const std::string& blob, const std::string& path) {
  return linkat(AT_FDCWD, blob.c_str(), AT_FDCWD, path.c_str(), 0) == 0;
}

bool Adopt(const std::string& blob, const std::string& path, mode_t mode) {
  struct stat file {};
  // A blob that is already adopted elsewhere in the tree is somebody's private file.
  if (stat(blob.c_str(), &file) != 0 || file.st_nlink > 1) return false;
  if (!LinkTo(blob, path)) return false;
  return chmod(path.c_str(), mode) == 0 &&
         utimensat(AT_FDCWD, path.c_str(), nullptr, AT_SYMLINK_NOFOLLOW) == 0;
}

absl::Status LayFile(const TreePlan::File& file,
                     const std::string& path,
                     Laying laying,
                     const std::string& blob) {
  const bool shared = laying == Laying::kLink;
  // Links share one mode, and blobs are not executable.
  if (shared && !file.is_executable && LinkTo(blob, path)) return absl::OkStatus();
  const mode_t mode = (shared ? 0444U : 0644U) | (file.is_executable ? 0111U : 0U);
  if (laying == Laying::kAdopt && Adopt(blob, path, mode)) return absl::OkStatus();
  return CopyTo(blob, file.digest, path, mode);
}

std::string Below(const std::string& root, const std::string& relative) {
  return relative.empty() ? root : root + "/" + relative;
}

// Nothing is to be put beside files that several share.
absl::Status CloseFolders(const TreePlan& plan, const std::string& path) {
  for (auto folder = plan.folders.rbegin(); folder != plan.folders.rend(); ++folder) {
    const std::string whole = Below(path, *folder);
    if (chmod(whole.c_str(), 0555) != 0) return DiskError(errno, "set mode of", whole);
  }
  return absl::OkStatus();
}

absl::Status MoveInto(const std::string& made, const std::string& path, bool replace) {
  if (renameat2(AT_FDCWD, made.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) == 0) {
    return absl::OkStatus();
  }
  if (errno != EEXIST || !replace) return DiskError(errno, "make", path);
  if (renameat2(AT_FDCWD, made.c_str(), AT_FDCWD, path.c_str(), RENAME_EXCHANGE) != 0) {
    return DiskError(errno, "replace", path);
  }
  return RemoveTree(made);
}

}  // namespace

absl::Status LayPlan(const TreePlan& plan,
                     const std::string& path,
                     Laying laying,
                     const PathOfBlob& path_of) {
  for (const std::string& folder : plan.folders) {
    const std::string whole = Below(path, folder);
    if (mkdir(whole.c_str(), 0755) != 0) return DiskError(errno, "make folder", whole);
  }
  for (const TreePlan::File& file : plan.files) {
    POTOK_ASSIGN_OR_RETURN(const std::string blob, path_of(file.digest));
    POTOK_RETURN_IF_ERROR(LayFile(file, Below(path, file.path), laying, blob));
  }
  // Links last: nothing is ever written through one.
  for (const TreePlan::Link& link : plan.links) {
    const std::string whole = Below(path, link.path);
    if (symlink(link.target.c_str(), whole.c_str()) != 0) {
      return DiskError(errno, "make link", whole);
    }
  }
  return laying == Laying::kLink ? CloseFolders(plan, path) : absl::OkStatus();
}

absl::Status MakeBeside(const std::string& path,
                        bool replace,
                        const std::function<absl::Status(const std::string&)>& make) {
  struct stat there {};
  if (!replace && lstat(path.c_str(), &there) == 0) return DiskError(EEXIST, "make", path);
  const std::string parent = std::filesystem::path(path).parent_path().string();
  const std::string beside =
      fmt::format("{}/.potok-{}", parent.empty() ? "." : parent, RandomId(16));
  absl::Status made = make(beside);
  if (made.ok()) made = MoveInto(beside, path, replace);
  if (!made.ok()) {
    // The first failure is what the caller can act on.
    RemoveTree(beside).IgnoreError();
  }
  return made;
}

}  // namespace potok
