#include "common/cas/blob_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "common/base/status_macros.h"
#include "common/cas/blob_disk.h"
#include "common/cas/blob_upload.h"
#include "fmt/format.h"

namespace potok {

namespace {

absl::Status Verify(const Digest& digest, const std::string& bytes) {
  const Digest actual = DigestOf(bytes);
  if (actual == digest) return absl::OkStatus();
  return absl::DataLossError(fmt::format("{} bytes have digest {}, not {} ({} bytes)",
                                         actual.size_bytes,
                                         actual.Hex(),
                                         digest.Hex(),
                                         digest.size_bytes));
}

}  // namespace

BlobStore::BlobStore(std::unique_ptr<BlobDisk> disk) : disk_(std::move(disk)) {}
BlobStore::~BlobStore() = default;

absl::StatusOr<std::unique_ptr<BlobStore>> BlobStore::Open(BlobStoreOptions options) {
  POTOK_ASSIGN_OR_RETURN(auto disk, BlobDisk::Open(std::move(options)));
  auto store = std::unique_ptr<BlobStore>(new BlobStore(std::move(disk)));
  // The empty blob has a path like every other.
  POTOK_RETURN_IF_ERROR(store->Put(DigestOf(""), ""));
  return store;
}

BlobStore::Pin::Pin(BlobStore* store, std::vector<Digest> digests)
    : store_(store), digests_(std::move(digests)) {
  store_->disk_->Pin(digests_);
}
BlobStore::Pin::Pin(Pin&& other) noexcept
    : store_(std::exchange(other.store_, nullptr)), digests_(std::move(other.digests_)) {}
BlobStore::Pin::~Pin() {
  if (store_ != nullptr) store_->disk_->Unpin(digests_);
}

BlobStore::Pin BlobStore::PinAll(std::vector<Digest> digests) {
  return Pin(this, std::move(digests));
}

std::vector<Digest> BlobStore::Missing(const std::vector<Digest>& digests) {
  std::vector<Digest> missing;
  for (const Digest& digest : digests) {
    if (!Contains(digest)) missing.push_back(digest);
  }
  return missing;
}

bool BlobStore::Contains(const Digest& digest) {
  if (disk_->Has(digest)) return true;
  return digest == DigestOf("") && Put(digest, "").ok();
}

absl::StatusOr<std::string> BlobStore::PathOf(const Digest& digest) {
  if (Contains(digest)) return disk_->BlobPath(digest);
  return absl::NotFoundError(
      fmt::format("blob {} ({} bytes) is not in the store", digest.Hex(), digest.size_bytes));
}

absl::StatusOr<std::string> BlobStore::Read(const Digest& digest) {
  POTOK_ASSIGN_OR_RETURN(const std::string path, PathOf(digest));
  return ReadWholeFile(path);
}

absl::Status BlobStore::Put(const Digest& digest, const std::string& bytes) {
  return PutAll({{digest, bytes}});
}

absl::Status BlobStore::PutFile(const Digest& digest, const std::string& path) {
  if (disk_->Has(digest)) return absl::OkStatus();
  return disk_->CopyIn(digest, path);
}

absl::Status BlobStore::Adopt(const Digest& digest, const std::string& path, absl::Time changed) {
  return disk_->Has(digest) ? absl::OkStatus() : disk_->LinkIn(digest, path, changed);
}

absl::Status BlobStore::PutAll(const std::vector<std::pair<Digest, std::string>>& blobs) {
  std::vector<std::pair<Digest, StagedFile>> files;
  for (const auto& [digest, bytes] : blobs) {
    POTOK_RETURN_IF_ERROR(Verify(digest, bytes));
    if (disk_->Has(digest)) continue;
    POTOK_ASSIGN_OR_RETURN(StagedFile file, disk_->Stage(digest.size_bytes));
    POTOK_RETURN_IF_ERROR(WriteAll(file.fd(), bytes.data(), bytes.size(), file.path()));
    if (blobs.size() >= BlobDisk::kManyFiles) POTOK_RETURN_IF_ERROR(file.Seal());
    files.emplace_back(digest, std::move(file));
  }
  if (files.empty()) return absl::OkStatus();
  return disk_->Admit(std::move(files));
}

absl::StatusOr<std::unique_ptr<BlobStore::Upload>> BlobStore::BeginUpload(
    const std::string& upload_id, const Digest& digest) {
  return OpenUpload(*disk_, upload_id, digest);
}

absl::StatusOr<std::unique_ptr<BlobStore::Intake>> BlobStore::BeginIntake() {
  return OpenIntake(*disk_);
}

absl::Status BlobStore::ForEach(const std::function<absl::Status(const Digest&)>& see) const {
  return disk_->ForEach(see);
}

absl::StatusOr<bool> BlobStore::RemoveUnused(const Digest& digest, absl::Time before) {
  return disk_->RemoveUnused(digest, before, BlobDisk::Removal::kDo);
}

absl::StatusOr<bool> BlobStore::IsUnused(const Digest& digest, absl::Time before) {
  return disk_->RemoveUnused(digest, before, BlobDisk::Removal::kOnlyAsk);
}

absl::StatusOr<std::string> BlobStore::ReadUnnoticed(const Digest& digest) {
  const std::string path = disk_->BlobPath(digest);
  auto fd = OpenFile(path, O_RDONLY | O_NOATIME);
  if (absl::IsPermissionDenied(fd.status())) fd = OpenFile(path, O_RDONLY);
  POTOK_RETURN_IF_ERROR(fd.status());
  std::string content;
  POTOK_ASSIGN_OR_RETURN(content, ReadWholeFile(fd->get(), path));
  if (DigestOf(content) == digest) return content;
  return Read(digest);
}

std::int64_t BlobStore::used_bytes() const {
  return disk_->quota().used_bytes();
}

std::string BlobStore::WhyFull() const {
  return disk_->quota().refusal();
}

std::int64_t BlobStore::UploadedBytes(const std::string& upload_id, const Digest& digest) {
  const auto name = UploadName(upload_id, digest);
  struct stat file {};
  if (!name || lstat(disk_->UploadPath(*name).c_str(), &file) != 0) return 0;
  return file.st_size;
}

}  // namespace potok
