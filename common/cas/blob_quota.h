// How much a blob store may hold, what it holds, and what is promised to writers: what does not fit
// is refused before it is written. Thread-safe.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

#include "absl/status/status.h"

namespace potok {

class BlobQuota {
 public:
  // `root` is a folder on the disk that must keep `free_bytes_min` free; 0 of either: no limit.
  BlobQuota(std::string root, std::int64_t quota_bytes, std::int64_t free_bytes_min)
      : root_(std::move(root)), quota_bytes_(quota_bytes), free_bytes_min_(free_bytes_min) {}

  // False: there is no limit to what the store holds, and nobody need count.
  bool counts() const { return quota_bytes_ > 0; }

  // Sets room aside. RESOURCE_EXHAUSTED with the numbers and what to do.
  absl::Status Reserve(std::int64_t bytes);
  void Release(std::int64_t bytes);

  // A blob has appeared, or has gone.
  void Add(std::int64_t bytes);
  void Remove(std::int64_t bytes);

  std::int64_t used_bytes() const;

  // Why room was refused, until as much is granted or a blob has gone; empty: all have what they
  // asked for, as far as they have asked again.
  std::string refusal() const;

  // Room that is set aside while this lives. The quota outlives it.
  class Room {
   public:
    explicit Room(BlobQuota* quota) : quota_(quota) {}
    Room(Room&& other) noexcept : quota_(other.quota_), bytes_(other.bytes_) { other.bytes_ = 0; }
    Room& operator=(Room&&) = delete;
    ~Room() { Drop(); }

    // RESOURCE_EXHAUSTED; what was set aside before stays.
    absl::Status Grow(std::int64_t bytes);
    void Drop();

   private:
    BlobQuota* quota_;
    std::int64_t bytes_ = 0;
  };

 private:
  absl::Status CheckDisk(std::int64_t bytes) const;
  absl::Status CheckQuota(std::int64_t bytes) const;

  const std::string root_;
  const std::int64_t quota_bytes_;
  const std::int64_t free_bytes_min_;
  mutable std::mutex mutex_;
  std::int64_t used_bytes_ = 0;
  std::int64_t promised_bytes_ = 0;
  std::int64_t refused_bytes_ = 0;
  std::string refusal_;
};

}  // namespace potok
