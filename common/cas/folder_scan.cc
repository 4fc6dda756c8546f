#include "common/cas/folder_scan.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "common/base/status_macros.h"
#include "common/cas/disk_file.h"
#include "common/cas/folder.h"
#include "fmt/format.h"

namespace potok {

namespace {

namespace fs = std::filesystem;

// Where the scan is: the folder's place below the root, ending in '/' unless it is the root.
struct Place {
  std::string relative;
  int depth = 0;
};

absl::StatusOr<std::vector<std::string>> NamesIn(const std::string& path) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator next(path, error), end; !error && next != end;
       next.increment(error)) {
    names.push_back(next->path().filename().string());
  }
  if (error) return DiskError(error.value(), "list", path);
  std::ranges::sort(names);
  return names;
}

absl::StatusOr<std::string> TargetOf(const std::string& path) {
  std::error_code error;
  const fs::path target = fs::read_symlink(path, error);
  if (error) return DiskError(error.value(), "read link", path);
  return target.string();
}

class Scan {
 public:
  Scan(std::string root, const SnapshotOptions& options)
      : root_(std::move(root)), options_(options) {}

  // Adds the entry `name` that lies at `path` to `into`, which stands at `place`.
  absl::Status AddEntry(const std::string& path,
                        const std::string& name,
                        const Place& place,
                        ScannedFolder& into);
  // Adds an entry of additional_includes to the root.
  absl::Status AddInclude(const std::string& path, ScannedFolder& root);
  // Adds everything in `path`; true if something was there and all of it was ignored.
  absl::StatusOr<bool> AddEntriesOf(const std::string& path,
                                    const Place& place,
                                    ScannedFolder& into);

 private:
  absl::Status AddFile(const std::string& path,
                       const std::string& name,
                       const struct stat& entry,
                       ScannedFolder& into);
  absl::Status AddFolder(const std::string& path,
                         const std::string& name,
                         const struct stat& entry,
                         const Place& place,
                         ScannedFolder& into);
  absl::Status AddLink(const std::string& path,
                       const std::string& name,
                       const Place& place,
                       ScannedFolder& into);
  bool Ignores(const std::string& relative) const {
    return options_.ignored && options_.ignored(relative);
  }

  const std::string root_;
  const SnapshotOptions& options_;
  std::size_t entries_ = 0;
  std::vector<std::pair<dev_t, ino_t>> open_;  // the folders that we are in
};

absl::Status Clash(const std::string& name, const std::string& path) {
  return absl::InvalidArgumentError(
      fmt::format("{} cannot be included: the snapshot already has another '{}'", path, name));
}

absl::Status Scan::AddEntry(const std::string& path,
                            const std::string& name,
                            const Place& place,
                            ScannedFolder& into) {
  const absl::Status name_is_good = CheckName(name);
  if (!name_is_good.ok()) {
    return absl::InvalidArgumentError(
        fmt::format("in folder '{}': {}", place.relative, std::string(name_is_good.message())));
  }
  if (++entries_ > options_.entries_max) {
    return absl::InvalidArgumentError(
        fmt::format("{} has more than {} files and folders; leave some out by .amlignore, or put "
                    "them into archives",
                    root_,
                    options_.entries_max));
  }
  struct stat entry {};
  if (lstat(path.c_str(), &entry) != 0) return DiskError(errno, "look at", path);
  if (S_ISLNK(entry.st_mode)) {
    if (!options_.follow_symlinks) return AddLink(path, name, place, into);
    // The rules may leave out what a broken link cannot tell.
    if (stat(path.c_str(), &entry) != 0) {
      if (Ignores(place.relative + name)) return absl::OkStatus();
      return absl::InvalidArgumentError(
          fmt::format("link {} leads nowhere; remove it, or name it in .amlignore", path));
    }
  }
  if (S_ISDIR(entry.st_mode)) return AddFolder(path, name, entry, place, into);
  if (Ignores(place.relative + name)) return absl::OkStatus();
  if (S_ISREG(entry.st_mode)) return AddFile(path, name, entry, into);
  return absl::InvalidArgumentError(fmt::format(
      "{} is neither a file, a folder nor a link; it cannot be stored: remove it", path));
}

absl::Status Scan::AddFile(const std::string& path,
                           const std::string& name,
                           const struct stat& entry,
                           ScannedFolder& into) {
  const bool is_executable = (entry.st_mode & S_IXUSR) != 0;
  if (into.folders.contains(name) || into.links.contains(name)) return Clash(name, path);
  const auto [place, is_new] =
      into.files.try_emplace(name, ScannedFile{path, is_executable, nullptr});
  if (is_new) return absl::OkStatus();
  std::error_code error;
  const bool same = fs::equivalent(place->second.path, path, error);
  return same && !error ? absl::OkStatus() : Clash(name, path);
}

absl::Status Scan::AddFolder(const std::string& path,
                             const std::string& name,
                             const struct stat& entry,
                             const Place& place,
                             ScannedFolder& into) {
  const Place inside{place.relative + name + "/", place.depth + 1};
  if (Ignores(inside.relative)) return absl::OkStatus();
  if (into.files.contains(name) || into.links.contains(name)) return Clash(name, path);
  const std::pair<dev_t, ino_t> identity{entry.st_dev, entry.st_ino};
  if (std::ranges::find(open_, identity) != open_.end()) {
    return absl::InvalidArgumentError(fmt::format(
        "{} leads back to a folder that it lies in; remove the link, or name it in .amlignore",
        path));
  }
  if (inside.depth > kFolderDepthMax) {
    return absl::InvalidArgumentError(
        fmt::format("{} lies more than {} folders deep", path, kFolderDepthMax));
  }
  open_.push_back(identity);
  const bool merged = into.folders.contains(name);
  auto all_ignored = AddEntriesOf(path, inside, into.folders[name]);
  open_.pop_back();
  POTOK_RETURN_IF_ERROR(all_ignored.status());
  if (*all_ignored && !merged) into.folders.erase(name);
  return absl::OkStatus();
}

absl::StatusOr<bool> Scan::AddEntriesOf(const std::string& path,
                                        const Place& place,
                                        ScannedFolder& into) {
  POTOK_ASSIGN_OR_RETURN(const std::vector<std::string> names, NamesIn(path));
  for (const std::string& name : names) {
    POTOK_RETURN_IF_ERROR(AddEntry(path + "/" + name, name, place, into));
  }
  return !names.empty() && into.files.empty() && into.folders.empty() && into.links.empty();
}

absl::Status Scan::AddLink(const std::string& path,
                           const std::string& name,
                           const Place& place,
                           ScannedFolder& into) {
  if (Ignores(place.relative + name)) return absl::OkStatus();
  POTOK_ASSIGN_OR_RETURN(std::string target, TargetOf(path));
  // An absolute link into the folder itself stays right wherever the folder is laid, if made
  // relative.
  if (target.rfind(root_ + "/", 0) == 0) {
    std::string up;
    for (int i = 0; i < place.depth; ++i) up += "../";
    target = up + target.substr(root_.size() + 1);
  }
  if (!LinkStaysInside(target, place.depth)) {
    return absl::InvalidArgumentError(fmt::format(
        "link {} leads to '{}', outside of the folder; write the file itself there", path, target));
  }
  if (into.files.contains(name) || into.folders.contains(name)) return Clash(name, path);
  const auto [known, is_new] = into.links.try_emplace(name, target);
  return is_new || known->second == target ? absl::OkStatus() : Clash(name, path);
}

// The folder that an include "lib.zip" stands for, or "": a zip that is there is what it is.
std::string FolderToPack(const std::string& include) {
  const fs::path path = include;
  std::error_code error;
  if (path.extension() != ".zip" || fs::exists(fs::symlink_status(path, error))) return "";
  const fs::path folder = path.parent_path() / path.stem();
  return fs::is_directory(folder, error) ? folder.string() : "";
}

absl::Status Scan::AddInclude(const std::string& path, ScannedFolder& root) {
  const std::string name = fs::path(path).filename().string();
  const std::string folder = FolderToPack(path);
  if (folder.empty()) return AddEntry(path, name, {}, root);
  const std::string packed_name = fs::path(folder).filename().string();
  ScannedFolder around;
  POTOK_RETURN_IF_ERROR(AddEntry(folder, packed_name, {}, around));
  auto packed = std::make_shared<ScannedFolder>(std::move(around.folders[packed_name]));
  if (root.folders.contains(name) || root.links.contains(name)) return Clash(name, path);
  const bool is_new = root.files.try_emplace(name, ScannedFile{folder, false, packed}).second;
  return is_new ? absl::OkStatus() : Clash(name, path);
}

std::string WithoutTrailingSlash(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

}  // namespace

absl::StatusOr<ScannedFolder> ScanFolder(const std::string& path, const SnapshotOptions& options) {
  const std::string root = WithoutTrailingSlash(path);
  Scan scan(root, options);
  ScannedFolder folder;
  if (!root.empty()) {
    std::error_code error;
    const bool exists = fs::exists(root, error);
    if (exists && !fs::is_directory(root, error)) {
      return absl::InvalidArgumentError(fmt::format("{} is not a folder", root));
    }
    POTOK_RETURN_IF_ERROR(scan.AddEntriesOf(root, {}, folder).status());
  }
  for (const std::string& raw : options.additional_includes) {
    POTOK_RETURN_IF_ERROR(scan.AddInclude(WithoutTrailingSlash(raw), folder));
  }
  return folder;
}

}  // namespace potok
