#include "common/cas/blob_quota.h"

#include <sys/statvfs.h>

#include "common/base/resources.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok {

absl::Status BlobQuota::CheckDisk(std::int64_t bytes) const {
  if (free_bytes_min_ <= 0 || bytes == 0) return absl::OkStatus();
  struct statvfs disk {};
  // What cannot be asked is no reason to refuse: a full disk says so itself.
  if (statvfs(root_.c_str(), &disk) != 0) return absl::OkStatus();
  const auto free_bytes = static_cast<std::int64_t>(disk.f_bavail * disk.f_frsize);
  if (free_bytes >= bytes && free_bytes - bytes >= free_bytes_min_) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      fmt::format("the store has no room for {} more: the disk of {} has {} left, of which {} are "
                  "kept free; free bytes with `potok gc`, or give the disk more room",
                  FormatBytes(bytes),
                  root_,
                  FormatBytes(free_bytes),
                  FormatBytes(free_bytes_min_)));
}

absl::Status BlobQuota::CheckQuota(std::int64_t bytes) const {
  // A blob without bytes always fits: a full store can be opened.
  if (!counts() || bytes <= 0 || bytes <= quota_bytes_ - used_bytes_ - promised_bytes_) {
    return absl::OkStatus();
  }
  return absl::ResourceExhaustedError(fmt::format(
      "the store has no room for {} more: {} of its quota of {} are used{}; free bytes with "
      "`potok gc`, or raise --artifacts-quota of potok-server",
      FormatBytes(bytes),
      FormatBytes(used_bytes_),
      FormatBytes(quota_bytes_),
      promised_bytes_ == 0
          ? ""
          : fmt::format(" and {} are promised to uploads", FormatBytes(promised_bytes_))));
}

absl::Status BlobQuota::Reserve(std::int64_t bytes) {
  absl::Status status = CheckDisk(bytes);
  const std::lock_guard lock(mutex_);
  if (status.ok()) status = CheckQuota(bytes);
  if (!status.ok()) {
    refused_bytes_ = bytes;
    refusal_ = std::string(status.message());
    return status;
  }
  if (bytes >= refused_bytes_) refusal_.clear();
  if (counts()) promised_bytes_ += bytes;
  return absl::OkStatus();
}

void BlobQuota::Release(std::int64_t bytes) {
  if (!counts()) return;
  const std::lock_guard lock(mutex_);
  promised_bytes_ -= bytes;
}

void BlobQuota::Add(std::int64_t bytes) {
  const std::lock_guard lock(mutex_);
  used_bytes_ += bytes;
}

void BlobQuota::Remove(std::int64_t bytes) {
  const std::lock_guard lock(mutex_);
  used_bytes_ -= bytes;
  refusal_.clear();
}

std::string BlobQuota::refusal() const {
  const std::lock_guard lock(mutex_);
  return refusal_;
}

std::int64_t BlobQuota::used_bytes() const {
  const std::lock_guard lock(mutex_);
  return used_bytes_;
}

absl::Status BlobQuota::Room::Grow(std::int64_t bytes) {
  POTOK_RETURN_IF_ERROR(quota_->Reserve(bytes));
  bytes_ += bytes;
  return absl::OkStatus();
}

void BlobQuota::Room::Drop() {
  quota_->Release(bytes_);
  bytes_ = 0;
}

}  // namespace potok
