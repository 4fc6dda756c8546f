#include "server/artifacts/datastore.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "common/base/status_macros.h"
#include "common/cas/snapshot.h"
#include "fmt/format.h"
#include "server/artifacts/beneath.h"
#include "server/artifacts/datastore_uri.h"

namespace potok::server {

namespace {

const char* const kDatastores[] = {"workspaceblobstore", "workspacefilestore"};

absl::Status At(const std::string& action, const std::string& uri, const absl::Status& status) {
  if (status.ok()) return status;
  return absl::Status(status.code(),
                      fmt::format("cannot {} {}: {}", action, uri, std::string(status.message())));
}

// The same status with the descriptor's path as the user knows it.
absl::Status Renamed(const absl::Status& status, const Fd& fd, const DatastorePlace& place) {
  const std::string from = PathOf(fd);
  const std::string to = fmt::format("{}", fmt::join(place.parts, "/"));
  std::string text(status.message());
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at)) {
    text.replace(at, from.size(), to);
    at += to.size();
  }
  return absl::Status(status.code(), text);
}

absl::StatusOr<Snapshot> SnapshotOf(const Fd& fd, const std::string& name) {
  struct stat entry {};
  if (fstat(fd.get(), &entry) != 0) return DiskError(errno, "look at", name);
  // The path goes through the descriptor: what was checked is what is read.
  if (S_ISDIR(entry.st_mode)) return SnapshotFolder(PathOf(fd), {});
  POTOK_ASSIGN_OR_RETURN(Snapshot snapshot, SnapshotFile(PathOf(fd)));
  snapshot.artifact.file_name = name;
  return snapshot;
}

absl::StatusOr<Artifact> ImportBeneath(int root,
                                       const DatastorePlace& place,
                                       ArtifactStore& store) {
  POTOK_ASSIGN_OR_RETURN(const Fd fd, OpenBeneath(root, place.parts));
  const auto snapshot = SnapshotOf(fd, place.parts.back());
  const absl::Status taken = snapshot.ok() ? store.Put(*snapshot) : snapshot.status();
  if (!taken.ok()) return Renamed(taken, fd, place);
  return snapshot->artifact;
}

absl::Status ExportBeneath(int root,
                           const DatastorePlace& place,
                           const Artifact& artifact,
                           ArtifactStore& store) {
  const std::vector<std::string> above(place.parts.begin(), place.parts.end() - 1);
  POTOK_ASSIGN_OR_RETURN(const Fd parent, MakeFoldersBeneath(root, above));
  const std::string leaf = "/" + place.parts.back();
  const absl::Status laid = store.LayOver(artifact, PathOf(parent) + leaf);
  if (laid.ok()) return laid;
  return Renamed(laid, parent, {place.datastore, above});
}

}  // namespace

Datastores::Datastores(std::string root, ArtifactStore& store)
    : root_(std::move(root)), store_(store) {}

absl::StatusOr<std::unique_ptr<Datastores>> Datastores::Open(const std::string& root,
                                                             ArtifactStore& store) {
  for (const char* name : kDatastores) {
    std::error_code error;
    const std::string path = fmt::format("{}/{}", root, name);
    std::filesystem::create_directories(path, error);
    if (error) return DiskError(error.value(), "make folder", path);
  }
  return std::unique_ptr<Datastores>(new Datastores(root, store));
}

absl::Status Datastores::Make(const std::string& name) {
  if (!IsDatastoreName(name)) {
    return absl::InvalidArgumentError("a datastore's name is 1 to 64 letters, digits, '_' and '-'");
  }
  std::error_code error;
  const std::string path = fmt::format("{}/{}", root_, name);
  std::filesystem::create_directories(path, error);
  return error ? DiskError(error.value(), "make folder", path) : absl::OkStatus();
}

std::vector<std::string> Datastores::Names() const {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(root_, error)) {
    std::error_code unreadable;
    std::string name = entry.path().filename().string();
    if (IsDatastoreName(name) && entry.is_directory(unreadable)) names.push_back(std::move(name));
  }
  std::ranges::sort(names);
  return names;
}

absl::Status Datastores::Check(const std::string& uri) const {
  POTOK_ASSIGN_OR_RETURN(const DatastorePlace place, ParseDatastoreUri(uri));
  return CheckKnown(place.datastore);
}

absl::Status Datastores::CheckKnown(const std::string& datastore) const {
  const std::vector<std::string> names = Names();
  if (std::ranges::find(names, datastore) != names.end()) return absl::OkStatus();
  return absl::InvalidArgumentError(fmt::format(
      "there is no datastore '{}'; the known ones are {}; `potok datastore create --name {}` makes "
      "one",
      datastore,
      fmt::join(names, ", "),
      datastore));
}

absl::StatusOr<Artifact> Datastores::Import(const std::string& uri) {
  POTOK_ASSIGN_OR_RETURN(const DatastorePlace place, ParseDatastoreUri(uri));
  POTOK_RETURN_IF_ERROR(CheckKnown(place.datastore));
  POTOK_ASSIGN_OR_RETURN(const Fd root,
                         OpenFile(root_ + "/" + place.datastore, O_PATH | O_DIRECTORY));
  auto artifact = ImportBeneath(root.get(), place, store_);
  if (!artifact.ok()) return At("read", uri, artifact.status());
  return artifact;
}

absl::Status Datastores::Export(const Artifact& artifact, const std::string& uri) {
  POTOK_ASSIGN_OR_RETURN(const DatastorePlace place, ParseDatastoreUri(uri));
  POTOK_RETURN_IF_ERROR(CheckKnown(place.datastore));
  POTOK_ASSIGN_OR_RETURN(const Fd root,
                         OpenFile(root_ + "/" + place.datastore, O_PATH | O_DIRECTORY));
  return At("write to", uri, ExportBeneath(root.get(), place, artifact, store_));
}

}  // namespace potok::server
