// Blobs on a local disk, named by their content: the server's store and the agent's cache.
//
// Layout: ROOT/blobs/ab/cdef... (sha256 in hexadecimal, size as a suffix "-SIZE"),
// ROOT/uploads/ID.* for what is not complete. A blob appears by rename once its digest was verified
// and, when `durable`, its bytes were synced; it is never changed afterwards and is read-only
// (0444). All functions are thread-safe and block on the disk. A full disk is RESOURCE_EXHAUSTED,
// and nothing of what was being written stays.
//
// Others may hold hard links to a blob and, as root, write through them. So every blob carries a
// stamp (mode 0444, a fixed modification time) that any write removes: what lost it is copied and
// hashed again before it counts, and is dropped as missing if it is damaged.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/digest.h"

namespace potok {

class BlobDisk;

struct BlobStoreOptions {
  std::string root;
  bool durable = true;         // fsync file and folder before a blob counts; false for a cache
  std::int64_t bytes_max = 0;  // a cache evicts the least recently used beyond this; 0: no limit
  // What all blobs may have together, and what must stay free on their disk: what does not fit is
  // refused with RESOURCE_EXHAUSTED before it is written. 0: no limit.
  std::int64_t quota_bytes = 0;
  std::int64_t free_bytes_min = 0;
  // What was begun and not finished is removed when nothing has been added to it for so long: when
  // the store is opened, and from time to time when another upload begins.
  absl::Duration upload_keep = absl::Hours(24);
};

class BlobStore {
 public:
  // Makes the folders; UNAVAILABLE or PERMISSION_DENIED if it cannot.
  static absl::StatusOr<std::unique_ptr<BlobStore>> Open(BlobStoreOptions options);
  ~BlobStore();
  BlobStore(const BlobStore&) = delete;
  BlobStore& operator=(const BlobStore&) = delete;

  // While it lives, these blobs are not evicted, and those of them that arrive stay. The store must
  // outlive it.
  class Pin {
   public:
    Pin(Pin&& other) noexcept;
    Pin& operator=(Pin&&) = delete;
    ~Pin();

   private:
    friend class BlobStore;
    Pin(BlobStore* store, std::vector<Digest> digests);
    BlobStore* store_;
    std::vector<Digest> digests_;
  };
  Pin PinAll(std::vector<Digest> digests);

  // Those of `digests` that are not here; the others are marked as used now. The empty blob is
  // always here.
  std::vector<Digest> Missing(const std::vector<Digest>& digests);
  bool Contains(const Digest& digest);

  // Where the blob lies, for reading, linking or sendfile; NOT_FOUND. The path stays valid while
  // the blob is pinned or the store is not a cache.
  absl::StatusOr<std::string> PathOf(const Digest& digest);
  absl::StatusOr<std::string> Read(const Digest& digest);

  // Stores bytes; DATA_LOSS if they do not have this digest. Idempotent.
  absl::Status Put(const Digest& digest, const std::string& bytes);
  // Stores the content of a file by copying it (reflink where the disk can); verifies the digest
  // while it copies.
  absl::Status PutFile(const Digest& digest, const std::string& path);
  // Makes a file on the same disk a blob by a hard link, without reading it: it has this digest as
  // long as it was not changed after `changed` (SnapshotBlob). FAILED_PRECONDITION if it was, or is
  // no regular file of that size. The file itself is read-only from then on.
  absl::Status Adopt(const Digest& digest, const std::string& path, absl::Time changed);
  // Several small blobs with one sync of the disk instead of one each.
  absl::Status PutAll(const std::vector<std::pair<Digest, std::string>>& blobs);

  // A blob that arrives in pieces, resumable by its upload id over cuts and restarts.
  class Upload {
   public:
    virtual ~Upload() = default;
    virtual std::int64_t committed_bytes() const = 0;
    // `offset` must be committed_bytes(), else OUT_OF_RANGE.
    virtual absl::Status Append(std::int64_t offset, const std::string& data) = 0;
    // Verifies and renames; DATA_LOSS (and the upload is gone) if the digest differs.
    virtual absl::Status Finish() = 0;
    // Forgets what has arrived: it will not be resumed.
    virtual void Drop() = 0;
  };
  // `upload_id` is [A-Za-z0-9-]{1,64}. Two at once under one id: the second is ABORTED. What an
  // upload brought stays when it is destroyed without Finish or Drop. The store must outlive the
  // upload.
  absl::StatusOr<std::unique_ptr<Upload>> BeginUpload(const std::string& upload_id,
                                                      const Digest& digest);
  // A blob whose digest is known only when it is here whole. Gone if it is destroyed without
  // Finish.
  class Intake {
   public:
    virtual ~Intake() = default;
    virtual std::int64_t bytes() const = 0;
    virtual absl::Status Append(const void* data, std::size_t size) = 0;
    // Back to nothing.
    virtual absl::Status Restart() = 0;
    // The blob is in the store, or was already. Nothing may be called afterwards.
    virtual absl::StatusOr<Digest> Finish() = 0;
  };
  // The store must outlive it.
  absl::StatusOr<std::unique_ptr<Intake>> BeginIntake();

  // Every blob, in no order, until `see` fails; one that appears or goes meanwhile may be seen or
  // not.
  absl::Status ForEach(const std::function<absl::Status(const Digest&)>& see) const;
  // Removes a blob unless somebody used it at or after `before`, or at most a minute earlier: asked
  // for it, stored it again or read it. True if it has gone by this call.
  absl::StatusOr<bool> RemoveUnused(const Digest& digest, absl::Time before);
  // Whether RemoveUnused would.
  absl::StatusOr<bool> IsUnused(const Digest& digest, absl::Time before);
  // Read that does not count as a use. NOT_FOUND.
  absl::StatusOr<std::string> ReadUnnoticed(const Digest& digest);
  // What all blobs have together; only known with a quota.
  std::int64_t used_bytes() const;
  // Why somebody was refused room and has not got it since (BlobQuota::refusal); empty: nobody was.
  std::string WhyFull() const;

  // How much of that upload is here; 0 if nothing or if the id is not one.
  std::int64_t UploadedBytes(const std::string& upload_id, const Digest& digest);

 private:
  explicit BlobStore(std::unique_ptr<BlobDisk> disk);
  std::unique_ptr<BlobDisk> disk_;
};

}  // namespace potok
