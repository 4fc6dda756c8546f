#include "common/cas/blob_upload.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok {

namespace {

bool IsUploadId(const std::string& id) {
  if (id.empty() || id.size() > 64) return false;
  for (const char c : id) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!letter && !(c >= '0' && c <= '9') && c != '-') return false;
  }
  return true;
}

// Appends, and has the disk begin to write long before the sync at the end, which then has little
// left to wait for.
class EagerWriter {
 public:
  absl::Status Append(int fd, const void* data, std::size_t size, const std::string& path) {
    POTOK_RETURN_IF_ERROR(AppendSparsely(fd, data, size, path));
    pending_bytes_ += static_cast<std::int64_t>(size);
    if (pending_bytes_ < kPendingBytesMax) return absl::OkStatus();
    const off_t end = lseek(fd, 0, SEEK_CUR);
    // Only a hint: what fails here fails at the sync.
    sync_file_range(fd, end - pending_bytes_, pending_bytes_, SYNC_FILE_RANGE_WRITE);
    pending_bytes_ = 0;
    return absl::OkStatus();
  }

 private:
  static constexpr std::int64_t kPendingBytesMax = std::int64_t{8} << 20;
  std::int64_t pending_bytes_ = 0;
};

class DiskUpload final : public BlobStore::Upload {
 public:
  // Holds the claim on `name` from now on.
  DiskUpload(BlobDisk& disk, std::string name, const Digest& digest)
      : disk_(disk),
        name_(std::move(name)),
        path_(disk.UploadPath(name_)),
        digest_(digest),
        room_(&disk.quota()) {}
  ~DiskUpload() override {
    fd_ = Fd();
    disk_.Release(name_);
  }

  absl::Status Open();
  std::int64_t committed_bytes() const override { return committed_bytes_; }
  absl::Status Append(std::int64_t offset, const std::string& data) override;
  absl::Status Finish() override;
  void Drop() override {
    if (fd_.get() >= 0) Abandon(absl::OkStatus()).IgnoreError();
  }

 private:
  absl::Status Abandon(absl::Status why);

  BlobDisk& disk_;
  const std::string name_;
  const std::string path_;
  const Digest digest_;
  BlobQuota::Room room_;
  Fd fd_;
  EagerWriter writer_;
  Hasher hasher_;
  std::int64_t committed_bytes_ = 0;
};

absl::Status DiskUpload::Open() {
  // All of it at once: half an upload that cannot end is of no use.
  POTOK_RETURN_IF_ERROR(room_.Grow(digest_.size_bytes));
  POTOK_ASSIGN_OR_RETURN(fd_, OpenFile(path_, O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  POTOK_ASSIGN_OR_RETURN(committed_bytes_, HashRest(fd_.get(), hasher_, path_));
  return absl::OkStatus();
}

absl::Status DiskUpload::Abandon(absl::Status why) {
  unlink(path_.c_str());
  fd_ = Fd();
  return why;
}

absl::Status DiskUpload::Append(std::int64_t offset, const std::string& data) {
  if (fd_.get() < 0) return absl::FailedPreconditionError("this upload has ended");
  if (offset != committed_bytes_) {
    return absl::OutOfRangeError(
        fmt::format("upload of {}: have {} bytes, cannot write at offset {}",
                    digest_.Hex(),
                    committed_bytes_,
                    offset));
  }
  const auto size = static_cast<std::int64_t>(data.size());
  if (size > digest_.size_bytes - committed_bytes_) {
    return Abandon(absl::DataLossError(fmt::format(
        "upload of {}: more than the declared {} bytes", digest_.Hex(), digest_.size_bytes)));
  }
  const absl::Status written = writer_.Append(fd_.get(), data.data(), data.size(), path_);
  if (!written.ok()) return Abandon(written);
  hasher_.Update(data.data(), data.size());
  committed_bytes_ += size;
  return absl::OkStatus();
}

absl::Status DiskUpload::Finish() {
  if (fd_.get() < 0) return absl::FailedPreconditionError("this upload has ended");
  const Digest received = hasher_.Finish();
  if (received != digest_) {
    return Abandon(
        absl::DataLossError(fmt::format("upload of {} ({} bytes): received {} bytes with digest {}",
                                        digest_.Hex(),
                                        digest_.size_bytes,
                                        received.size_bytes,
                                        received.Hex())));
  }
  std::vector<std::pair<Digest, StagedFile>> files;
  files.emplace_back(digest_, StagedFile(std::move(fd_), path_, std::move(room_)));
  return disk_.Admit(std::move(files));
}

class DiskIntake final : public BlobStore::Intake {
 public:
  DiskIntake(BlobDisk& disk, StagedFile file) : disk_(disk), file_(std::move(file)) {}

  std::int64_t bytes() const override { return bytes_; }
  absl::Status Append(const void* data, std::size_t size) override {
    POTOK_RETURN_IF_ERROR(file_.Grow(static_cast<std::int64_t>(size)));
    POTOK_RETURN_IF_ERROR(writer_.Append(file_.fd(), data, size, file_.path()));
    hasher_.Update(data, size);
    bytes_ += static_cast<std::int64_t>(size);
    return absl::OkStatus();
  }
  absl::Status Restart() override {
    if (ftruncate(file_.fd(), 0) != 0 || lseek(file_.fd(), 0, SEEK_SET) != 0) {
      return DiskError(errno, "empty", file_.path());
    }
    file_.Empty();
    hasher_ = Hasher();
    bytes_ = 0;
    return absl::OkStatus();
  }
  absl::StatusOr<Digest> Finish() override {
    const Digest digest = hasher_.Finish();
    if (disk_.Has(digest)) return digest;
    std::vector<std::pair<Digest, StagedFile>> files;
    files.emplace_back(digest, std::move(file_));
    POTOK_RETURN_IF_ERROR(disk_.Admit(std::move(files)));
    return digest;
  }

 private:
  BlobDisk& disk_;
  StagedFile file_;
  EagerWriter writer_;
  Hasher hasher_;
  std::int64_t bytes_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<BlobStore::Intake>> OpenIntake(BlobDisk& disk) {
  POTOK_ASSIGN_OR_RETURN(StagedFile file, disk.Stage(/*bytes=*/0));
  return std::make_unique<DiskIntake>(disk, std::move(file));
}

std::optional<std::string> UploadName(const std::string& upload_id, const Digest& digest) {
  if (!IsUploadId(upload_id)) return std::nullopt;
  return fmt::format("{}.{}-{}", upload_id, digest.Hex(), digest.size_bytes);
}

absl::StatusOr<std::unique_ptr<BlobStore::Upload>> OpenUpload(BlobDisk& disk,
                                                              const std::string& upload_id,
                                                              const Digest& digest) {
  const auto name = UploadName(upload_id, digest);
  if (!name) {
    return absl::InvalidArgumentError(fmt::format(
        "'{}' is no upload id: 1 to 64 letters, digits and dashes", upload_id.substr(0, 80)));
  }
  if (!disk.Claim(*name)) {
    return absl::AbortedError(fmt::format("upload {} is being written by another", upload_id));
  }
  auto upload = std::make_unique<DiskUpload>(disk, *name, digest);
  disk.RemoveStaleUploads();
  POTOK_RETURN_IF_ERROR(upload->Open());
  return upload;
}

}  // namespace potok
