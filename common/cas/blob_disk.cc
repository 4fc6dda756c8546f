#include "common/cas/blob_disk.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <filesystem>
#include <system_error>

#include "absl/time/clock.h"
#include "common/base/random_id.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok {

namespace {

namespace fs = std::filesystem;

// The modification time of every blob: 2000-01-01T00:00:00Z. Whole seconds, because some disks keep
// no more; not the epoch, because zip archives of linked files begin at 1980.
constexpr std::time_t kStampSeconds = 946684800;
constexpr mode_t kBlobMode = 0444;
constexpr absl::Duration kLookEvery = absl::Minutes(10);
// A use that is this fresh need not be written down again.
constexpr std::time_t kUseSeconds = 60;
const char kTemporary[] = ".new-";

bool IsStamped(const struct stat& file) {
  return (file.st_mode & 07777U) == kBlobMode && file.st_mtim.tv_sec == kStampSeconds &&
         file.st_mtim.tv_nsec == 0;
}

absl::Status Stamp(int fd, const std::string& path) {
  if (fchmod(fd, kBlobMode) != 0) return DiskError(errno, "set mode of", path);
  const timespec times[2] = {{.tv_sec = 0, .tv_nsec = UTIME_NOW},
                             {.tv_sec = kStampSeconds, .tv_nsec = 0}};
  if (futimens(fd, times) != 0) return DiskError(errno, "set time of", path);
  return absl::OkStatus();
}

void MarkUsed(const std::string& path, const struct stat& file) {
  if (std::time(nullptr) - file.st_atim.tv_sec < kUseSeconds) return;
  const timespec times[2] = {{.tv_sec = 0, .tv_nsec = UTIME_NOW},
                             {.tv_sec = 0, .tv_nsec = UTIME_OMIT}};
  // A use that cannot be noted only makes the blob look older than it is.
  utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW);
}

std::optional<Digest> DigestOfName(const std::string& folder, const std::string& name) {
  const std::size_t dash = name.find('-');
  if (dash == std::string::npos || name.size() - dash > 19) return std::nullopt;
  const std::string size = name.substr(dash + 1);
  if (size.empty() || size.find_first_not_of("0123456789") != std::string::npos) {
    return std::nullopt;
  }
  const auto digest = ParseDigest(folder + name.substr(0, dash), std::stoll(size));
  return digest.ok() ? std::optional<Digest>(*digest) : std::nullopt;
}

absl::Status SyncEach(const std::vector<std::pair<Digest, StagedFile>>& files) {
  for (const auto& [digest, file] : files) {
    if (fdatasync(file.fd()) != 0) return DiskError(errno, "sync", file.path());
  }
  return absl::OkStatus();
}

absl::Status MakeFolder(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return DiskError(error.value(), "make folder", path);
  return absl::OkStatus();
}

}  // namespace

StagedFile::~StagedFile() {
  if (!path_.empty()) unlink(path_.c_str());
}

absl::Status StagedFile::Seal() {
  POTOK_RETURN_IF_ERROR(Stamp(fd_.get(), path_));
  fd_ = Fd();
  return absl::OkStatus();
}

BlobDisk::BlobDisk(BlobStoreOptions options)
    : options_(std::move(options)),
      quota_(options_.root, options_.quota_bytes, options_.free_bytes_min) {
  if (options_.bytes_max > 0) index_.emplace(options_.bytes_max);
}

absl::StatusOr<std::unique_ptr<BlobDisk>> BlobDisk::Open(BlobStoreOptions options) {
  auto disk = std::make_unique<BlobDisk>(std::move(options));
  POTOK_RETURN_IF_ERROR(disk->MakeFolders());
  POTOK_RETURN_IF_ERROR(disk->CleanUploads());
  if (disk->index_.has_value()) POTOK_RETURN_IF_ERROR(disk->ReadIndex());
  if (disk->quota_.counts()) POTOK_RETURN_IF_ERROR(disk->CountBytes());
  return disk;
}

absl::Status BlobDisk::MakeFolders() {
  POTOK_RETURN_IF_ERROR(MakeFolder(options_.root + "/uploads"));
  POTOK_RETURN_IF_ERROR(MakeFolder(options_.root + "/blobs"));
  return options_.durable ? SyncFolder(options_.root) : absl::OkStatus();
}

bool BlobDisk::IsStale(const struct stat& file) const {
  return absl::Now() - absl::TimeFromTimespec(file.st_mtim) >= options_.upload_keep;
}

void BlobDisk::RemoveStaleUploads() {
  {
    const std::lock_guard lock(mutex_);
    const absl::Time now = absl::Now();
    if (now < next_look_) return;
    next_look_ = now + std::min(kLookEvery, options_.upload_keep);
  }
  std::error_code error;
  for (fs::directory_iterator next(options_.root + "/uploads", error), end; !error && next != end;
       next.increment(error)) {
    const std::string name = next->path().filename().string();
    // Files of this process's own go with whoever writes them.
    if (name.rfind(kTemporary, 0) == 0) continue;
    // Nobody can claim it between the look and the removal.
    const std::lock_guard lock(mutex_);
    struct stat file {};
    if (claimed_.contains(name) || lstat(next->path().c_str(), &file) != 0) continue;
    if (IsStale(file)) unlink(next->path().c_str());
  }
}

absl::Status BlobDisk::CleanUploads() {
  std::error_code error;
  for (fs::directory_iterator next(options_.root + "/uploads", error), end; next != end && !error;
       next.increment(error)) {
    const std::string path = next->path().string();
    const bool temporary = next->path().filename().string().rfind(kTemporary, 0) == 0;
    struct stat file {};
    if (lstat(path.c_str(), &file) != 0) continue;
    if (temporary || IsStale(file)) {
      POTOK_RETURN_IF_ERROR(RemoveTree(path));
    }
  }
  if (error) return DiskError(error.value(), "list", options_.root + "/uploads");
  return absl::OkStatus();
}

absl::Status BlobDisk::ReadIndex() {
  std::vector<std::pair<std::pair<std::time_t, long>, Digest>> found;
  std::error_code error;
  fs::recursive_directory_iterator next(options_.root + "/blobs", error);
  for (; next != fs::recursive_directory_iterator() && !error; next.increment(error)) {
    struct stat file {};
    if (next.depth() != 1 || lstat(next->path().c_str(), &file) != 0) continue;
    const auto digest = DigestOfName(next->path().parent_path().filename().string(),
                                     next->path().filename().string());
    if (!digest || !S_ISREG(file.st_mode)) continue;
    found.push_back({{file.st_atim.tv_sec, file.st_atim.tv_nsec}, *digest});
  }
  if (error) return DiskError(error.value(), "list", options_.root + "/blobs");
  std::ranges::sort(found);
  const std::lock_guard lock(mutex_);
  for (const auto& [used, digest] : found) index_->Add(digest);
  EvictLocked();
  return absl::OkStatus();
}

std::string BlobDisk::BlobPath(const Digest& digest) const {
  const std::string hex = digest.Hex();
  return fmt::format(
      "{}/blobs/{}/{}-{}", options_.root, hex.substr(0, 2), hex.substr(2), digest.size_bytes);
}

std::string BlobDisk::UploadPath(const std::string& name) const {
  return fmt::format("{}/uploads/{}", options_.root, name);
}

bool BlobDisk::Has(const Digest& digest) {
  const std::string path = BlobPath(digest);
  struct stat file {};
  {
    // Looking and noting are one, lest an admission in between be forgotten, or what was promised
    // to be here be removed as unused.
    const std::lock_guard lock(mutex_);
    const bool here = lstat(path.c_str(), &file) == 0 && S_ISREG(file.st_mode);
    if (index_) here ? index_->Add(digest) : index_->Remove(digest);
    if (!here) return false;
    if (IsStamped(file) && file.st_size == digest.size_bytes) {
      MarkUsed(path, file);
      return true;
    }
  }
  // Copied, not only hashed: whoever wrote through a link may do so again.
  const absl::Status again = CopyIn(digest, path);
  if (absl::IsDataLoss(again)) DropIfUnstamped(digest);
  return again.ok();
}

void BlobDisk::DropIfUnstamped(const Digest& digest) {
  const std::string path = BlobPath(digest);
  const std::lock_guard lock(mutex_);
  struct stat file {};
  if (lstat(path.c_str(), &file) == 0 && IsStamped(file) && file.st_size == digest.size_bytes) {
    return;  // Somebody brought a good one meanwhile.
  }
  if (unlink(path.c_str()) == 0) quota_.Remove(digest.size_bytes);
  if (index_) index_->Remove(digest);
}

absl::Status BlobDisk::ForEach(const std::function<absl::Status(const Digest&)>& see) const {
  std::error_code error;
  fs::recursive_directory_iterator next(options_.root + "/blobs", error);
  for (; next != fs::recursive_directory_iterator() && !error; next.increment(error)) {
    if (next.depth() != 1) continue;
    const auto digest = DigestOfName(next->path().parent_path().filename().string(),
                                     next->path().filename().string());
    if (digest) POTOK_RETURN_IF_ERROR(see(*digest));
  }
  if (error) return DiskError(error.value(), "list", options_.root + "/blobs");
  return absl::OkStatus();
}

// By the names alone: ten million files are listed in seconds, but looked at in minutes.
absl::Status BlobDisk::CountBytes() {
  return ForEach([this](const Digest& digest) {
    quota_.Add(digest.size_bytes);
    return absl::OkStatus();
  });
}

absl::StatusOr<bool> BlobDisk::RemoveUnused(const Digest& digest,
                                            absl::Time before,
                                            Removal removal) {
  const std::string path = BlobPath(digest);
  const std::lock_guard lock(mutex_);
  struct stat file {};
  if (lstat(path.c_str(), &file) != 0) {
    return errno == ENOENT ? absl::StatusOr<bool>(false) : DiskError(errno, "look at", path);
  }
  // A use within this time after the noted one was not written down.
  const absl::Time used = absl::TimeFromTimespec(file.st_atim) + absl::Seconds(kUseSeconds);
  if (used >= before) return false;
  if (removal == Removal::kOnlyAsk) return true;
  if (unlink(path.c_str()) != 0) return DiskError(errno, "remove", path);
  quota_.Remove(digest.size_bytes);
  return true;
}

absl::StatusOr<StagedFile> BlobDisk::Stage(std::int64_t bytes) {
  BlobQuota::Room room(&quota_);
  POTOK_RETURN_IF_ERROR(room.Grow(bytes));
  std::string path = UploadPath(kTemporary + RandomId(20));
  POTOK_ASSIGN_OR_RETURN(Fd fd, OpenFile(path, O_RDWR | O_CREAT | O_EXCL, 0600));
  return StagedFile(std::move(fd), std::move(path), std::move(room));
}

absl::Status BlobDisk::CopyIn(const Digest& digest, const std::string& path) {
  POTOK_ASSIGN_OR_RETURN(const Fd from, OpenFile(path, O_RDONLY));
  POTOK_ASSIGN_OR_RETURN(StagedFile to, Stage(digest.size_bytes));
  POTOK_ASSIGN_OR_RETURN(const Digest copied, CopyAndHash(from.get(), to.fd(), to.path()));
  if (copied != digest) {
    return absl::DataLossError(fmt::format("{} holds {} bytes with digest {}, not {} bytes with {}",
                                           path,
                                           copied.size_bytes,
                                           copied.Hex(),
                                           digest.size_bytes,
                                           digest.Hex()));
  }
  std::vector<std::pair<Digest, StagedFile>> files;
  files.emplace_back(digest, std::move(to));
  return Admit(std::move(files));
}

absl::Status BlobDisk::LinkIn(const Digest& digest, const std::string& path, absl::Time changed) {
  POTOK_ASSIGN_OR_RETURN(const Fd from, OpenFile(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  struct stat before {};
  if (fstat(from.get(), &before) != 0) return DiskError(errno, "look at", path);
  if (!S_ISREG(before.st_mode) || before.st_size != digest.size_bytes ||
      absl::TimeFromTimespec(before.st_ctim) != changed) {
    return absl::FailedPreconditionError(fmt::format("{} was changed since it was hashed", path));
  }
  BlobQuota::Room room(&quota_);
  POTOK_RETURN_IF_ERROR(room.Grow(digest.size_bytes));
  const std::string link = UploadPath(kTemporary + RandomId(20));
  if (linkat(AT_FDCWD, path.c_str(), AT_FDCWD, link.c_str(), 0) != 0) {
    return DiskError(errno, fmt::format("link {} to", path), link);
  }
  StagedFile linked(Fd(), link, std::move(room));
  struct stat after {};
  if (lstat(link.c_str(), &after) != 0) return DiskError(errno, "look at", link);
  if (after.st_ino != before.st_ino || after.st_mtim.tv_sec != before.st_mtim.tv_sec ||
      after.st_mtim.tv_nsec != before.st_mtim.tv_nsec) {
    return absl::FailedPreconditionError(fmt::format("{} was replaced while it was linked", path));
  }
  POTOK_RETURN_IF_ERROR(Stamp(from.get(), link));
  std::vector<std::pair<Digest, StagedFile>> files;
  files.emplace_back(digest, std::move(linked));
  return Admit(std::move(files));
}

absl::Status BlobDisk::Admit(std::vector<std::pair<Digest, StagedFile>> files) {
  bool any_sealed = false;
  for (const auto& [digest, file] : files) {
    any_sealed |= file.fd() < 0;
    if (file.fd() >= 0) POTOK_RETURN_IF_ERROR(Stamp(file.fd(), file.path()));
  }
  if (options_.durable) {
    // Contents before names: a name that outlives a power cut without its bytes would be a lie.
    POTOK_RETURN_IF_ERROR(any_sealed ? SyncDisk(options_.root) : SyncEach(files));
  }
  for (auto& entry : files) POTOK_RETURN_IF_ERROR(Appear(entry.first, entry.second));
  return options_.durable ? SyncFolders(files) : absl::OkStatus();
}

absl::Status BlobDisk::SyncFolders(const std::vector<std::pair<Digest, StagedFile>>& files) const {
  std::set<std::string> folders;
  for (const auto& [digest, file] : files) {
    folders.insert(fs::path(BlobPath(digest)).parent_path().string());
  }
  if (folders.size() >= kManyFiles) return SyncDisk(options_.root);
  for (const std::string& folder : folders) POTOK_RETURN_IF_ERROR(SyncFolder(folder));
  return absl::OkStatus();
}

absl::Status BlobDisk::MakeFolderOf(const Digest& digest) const {
  const std::string folder = fs::path(BlobPath(digest)).parent_path().string();
  struct stat there {};
  if (stat(folder.c_str(), &there) == 0) return absl::OkStatus();
  POTOK_RETURN_IF_ERROR(MakeFolder(folder));
  return options_.durable ? SyncFolder(options_.root + "/blobs") : absl::OkStatus();
}

absl::Status BlobDisk::Appear(const Digest& digest, StagedFile& file) {
  const std::string path = BlobPath(digest);
  POTOK_RETURN_IF_ERROR(MakeFolderOf(digest));
  const std::lock_guard lock(mutex_);
  struct stat there {};
  const bool is_new = quota_.counts() && lstat(path.c_str(), &there) != 0;
  if (rename(file.path().c_str(), path.c_str()) != 0) {
    return DiskError(errno, fmt::format("move {} to", file.path()), path);
  }
  file.Keep();
  if (is_new) quota_.Add(digest.size_bytes);
  if (index_) {
    index_->Add(digest);
    EvictLocked();
  }
  return absl::OkStatus();
}

void BlobDisk::EvictLocked() {
  for (const Digest& digest : index_->Evict()) unlink(BlobPath(digest).c_str());
}

void BlobDisk::Pin(const std::vector<Digest>& digests) {
  if (!index_) return;
  const std::lock_guard lock(mutex_);
  for (const Digest& digest : digests) index_->Pin(digest);
}

void BlobDisk::Unpin(const std::vector<Digest>& digests) {
  if (!index_) return;
  const std::lock_guard lock(mutex_);
  for (const Digest& digest : digests) index_->Unpin(digest);
  EvictLocked();
}

bool BlobDisk::Claim(const std::string& upload) {
  const std::lock_guard lock(mutex_);
  return claimed_.insert(upload).second;
}

void BlobDisk::Release(const std::string& upload) {
  const std::lock_guard lock(mutex_);
  claimed_.erase(upload);
}

}  // namespace potok
