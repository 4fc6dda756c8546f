// How a blob store keeps its files: names, stamps, syncing, admission by rename and eviction. Only
// for blob_store.cc and blob_upload.cc. Thread-safe; blocks on the disk.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/cas/blob_index.h"
#include "common/cas/blob_quota.h"
#include "common/cas/blob_store.h"
#include "common/cas/disk_file.h"

namespace potok {

// A file that is being written. Removed by its destructor unless it was admitted or kept.
class StagedFile {
 public:
  StagedFile(Fd fd, std::string path, BlobQuota::Room room)
      : fd_(std::move(fd)), path_(std::move(path)), room_(std::move(room)) {}
  StagedFile(StagedFile&& other) noexcept
      : fd_(std::move(other.fd_)),
        path_(std::exchange(other.path_, {})),
        room_(std::move(other.room_)) {}
  StagedFile& operator=(StagedFile&&) = delete;
  ~StagedFile();

  int fd() const { return fd_.get(); }
  const std::string& path() const { return path_; }
  // The file is somebody else's now.
  void Keep() {
    path_.clear();
    room_.Drop();
  }
  // Before more is written than Stage was told; RESOURCE_EXHAUSTED.
  absl::Status Grow(std::int64_t bytes) { return room_.Grow(bytes); }
  // All of it will be written anew.
  void Empty() { room_.Drop(); }
  // No more bytes: stamps it and frees the descriptor, so that a batch may be of any size. What was
  // sealed is synced with the whole disk.
  absl::Status Seal();

 private:
  Fd fd_;
  std::string path_;
  BlobQuota::Room room_;
};

class BlobDisk {
 public:
  static absl::StatusOr<std::unique_ptr<BlobDisk>> Open(BlobStoreOptions options);
  explicit BlobDisk(BlobStoreOptions options);

  // True if the blob is here and undamaged; marks it as used.
  bool Has(const Digest& digest);

  std::string BlobPath(const Digest& digest) const;
  std::string UploadPath(const std::string& name) const;

  // For a file of so many bytes; RESOURCE_EXHAUSTED if they do not fit.
  absl::StatusOr<StagedFile> Stage(std::int64_t bytes);
  BlobQuota& quota() { return quota_; }
  // Copies a file in; DATA_LOSS if it does not have this digest.
  absl::Status CopyIn(const Digest& digest, const std::string& path);
  // Links a file in as it is; FAILED_PRECONDITION if it is not what it was at `changed`.
  absl::Status LinkIn(const Digest& digest, const std::string& path, absl::Time changed);
  // From this many files on, one sync of the whole disk is cheaper than one for each.
  static constexpr std::size_t kManyFiles = 8;
  // Stamps verified files, makes them last and lets them appear. All or, on error, some of them;
  // those that did not appear are removed.
  absl::Status Admit(std::vector<std::pair<Digest, StagedFile>> files);

  // Every blob by its file's name, in no order, until `see` fails. What appears or goes meanwhile
  // may be seen or not.
  absl::Status ForEach(const std::function<absl::Status(const Digest&)>& see) const;
  // Removes it unless it was used at or after `before`; or, to only look, says whether it would.
  enum class Removal { kDo, kOnlyAsk };
  absl::StatusOr<bool> RemoveUnused(const Digest& digest, absl::Time before, Removal removal);

  void Pin(const std::vector<Digest>& digests);
  void Unpin(const std::vector<Digest>& digests);

  // Reserves an upload's name; false if it is in use.
  bool Claim(const std::string& upload);
  void Release(const std::string& upload);
  // Removes uploads that nobody writes and nobody has come back for, if the last look is a while
  // ago. What cannot be removed stays.
  void RemoveStaleUploads();

 private:
  absl::Status MakeFolders();
  absl::Status CleanUploads();
  bool IsStale(const struct stat& file) const;
  absl::Status ReadIndex();
  absl::Status CountBytes();
  absl::Status SyncFolders(const std::vector<std::pair<Digest, StagedFile>>& files) const;
  absl::Status MakeFolderOf(const Digest& digest) const;
  absl::Status Appear(const Digest& digest, StagedFile& file);
  void DropIfUnstamped(const Digest& digest);
  void EvictLocked();

  const BlobStoreOptions options_;
  BlobQuota quota_;
  std::mutex mutex_;
  std::optional<BlobIndex> index_;  // of a cache
  std::set<std::string> claimed_;
  absl::Time next_look_ = absl::InfinitePast();
};

}  // namespace potok
