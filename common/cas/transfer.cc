#include "common/cas/transfer.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <map>
#include <utility>

#include "absl/time/clock.h"
#include "common/base/status_macros.h"
#include "common/cas/disk_file.h"
#include "common/cas/parallel.h"
#include "common/cas/retry.h"
#include "fmt/format.h"

namespace potok {

namespace {

using Pieces = std::vector<std::function<absl::Status()>>;

// Above this a blob has a stream of its own, which can be resumed.
constexpr std::int64_t kBatchedBytesMax = std::int64_t{1024} * 1024;
constexpr std::size_t kBlobsPerBatch = 4000;
// How often one who waits for a blob that another brings looks for it.
constexpr absl::Duration kLookAgain = absl::Milliseconds(20);

// Adds up what the parallel transfers have moved.
class Progress {
 public:
  Progress(const ProgressCallback& callback, std::int64_t total_bytes)
      : callback_(callback), total_bytes_(total_bytes) {}

  void Add(std::int64_t bytes) {
    const std::int64_t done_bytes = done_bytes_ += bytes;
    if (callback_) callback_({done_bytes, total_bytes_});
  }
  // For one blob's stream.
  Position OfOne() {
    return [this, last = std::int64_t{0}](std::int64_t position) mutable {
      Add(position - std::exchange(last, position));
    };
  }

 private:
  const ProgressCallback& callback_;
  const std::int64_t total_bytes_;
  std::atomic<std::int64_t> done_bytes_ = 0;
};

// Blobs to move together, and those that go alone.
struct Division {
  std::vector<std::vector<Digest>> batches;
  std::vector<Digest> alone;
};

Division Divide(const std::vector<Digest>& digests, std::int64_t batch_bytes_max) {
  Division division;
  std::int64_t left_bytes = 0;
  for (const Digest& digest : digests) {
    const std::int64_t cost = CasCalls::CostInBatch(digest);
    if (digest.size_bytes > kBatchedBytesMax || cost > batch_bytes_max) {
      division.alone.push_back(digest);
      continue;
    }
    if (cost > left_bytes || division.batches.back().size() == kBlobsPerBatch) {
      division.batches.emplace_back();
      left_bytes = batch_bytes_max;
    }
    division.batches.back().push_back(digest);
    left_bytes -= cost;
  }
  return division;
}

std::int64_t TotalBytes(const std::vector<Digest>& digests) {
  std::int64_t total_bytes = 0;
  for (const Digest& digest : digests) total_bytes += digest.size_bytes;
  return total_bytes;
}

absl::Status Changed(const std::string& path) {
  return absl::AbortedError(
      fmt::format("{} changed since it was hashed; try again when nothing writes to it", path));
}

// True if the file is not any more what it was hashed as.
bool HasChanged(int fd, const std::string& path, const Digest& digest) {
  Hasher hasher;
  if (lseek(fd, 0, SEEK_SET) != 0 || !HashRest(fd, hasher, path).ok()) return true;
  return hasher.Finish() != digest;
}

absl::StatusOr<std::string> ReadPartOf(int fd,
                                       const std::string& path,
                                       std::int64_t offset,
                                       std::int64_t size) {
  std::string part(static_cast<std::size_t>(size), '\0');
  for (std::size_t done = 0; done < part.size();) {
    const ssize_t count =
        pread(fd, part.data() + done, part.size() - done, offset + static_cast<std::int64_t>(done));
    if (count < 0 && errno == EINTR) continue;
    // A pipe in the file's place cannot be read at an offset.
    if (count == 0 || (count < 0 && errno == ESPIPE)) return Changed(path);
    if (count < 0) return DiskError(errno, "read", path);
    done += static_cast<std::size_t>(count);
  }
  return part;
}

absl::Status SendBatch(CasCalls& calls, const std::vector<const SnapshotBlob*>& batch) {
  std::vector<std::pair<Digest, std::string>> blobs;
  for (const SnapshotBlob* blob : batch) {
    if (blob->content.index() == 0) {
      blobs.emplace_back(blob->digest, std::get<0>(blob->content));
      continue;
    }
    const std::string& path = std::get<1>(blob->content);
    POTOK_ASSIGN_OR_RETURN(std::string bytes, ReadWholeFile(path));
    if (DigestOf(bytes) != blob->digest) return Changed(path);
    blobs.emplace_back(blob->digest, std::move(bytes));
  }
  return calls.UpdateBatch(std::move(blobs));
}

absl::Status SendAlone(CasCalls& calls, const SnapshotBlob& blob, const Position& moved) {
  if (blob.content.index() == 0) {
    const std::string& bytes = std::get<0>(blob.content);
    const auto read = [&](std::int64_t offset, std::int64_t size) {
      return absl::StatusOr<std::string>(
          bytes.substr(static_cast<std::size_t>(offset), static_cast<std::size_t>(size)));
    };
    return calls.Write(blob.digest, read, moved);
  }
  const std::string& path = std::get<1>(blob.content);
  POTOK_ASSIGN_OR_RETURN(const Fd fd, OpenFile(path, O_RDONLY | O_NONBLOCK));
  const auto read = [&](std::int64_t offset, std::int64_t size) {
    return ReadPartOf(fd.get(), path, offset, size);
  };
  const absl::Status sent = calls.Write(blob.digest, read, moved);
  if (sent.ok()) return sent;
  if (absl::IsDataLoss(sent) && HasChanged(fd.get(), path, blob.digest)) return Changed(path);
  return absl::Status(sent.code(),
                      fmt::format("upload of {}: {}", path, std::string(sent.message())));
}

absl::Status ReceiveBatch(CasCalls& calls, const std::vector<Digest>& batch, BlobStore& into) {
  POTOK_ASSIGN_OR_RETURN(std::vector<std::string> contents, calls.ReadBatch(batch));
  std::vector<std::pair<Digest, std::string>> blobs;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    blobs.emplace_back(batch[i], std::move(contents[i]));
  }
  return into.PutAll(blobs);
}

// The blob's upload into `into`, once nobody else brings it; null if somebody has brought it.
absl::StatusOr<std::unique_ptr<BlobStore::Upload>> TakeOver(BlobStore& into, const Digest& digest) {
  for (;; absl::SleepFor(kLookAgain)) {
    if (into.Contains(digest)) return std::unique_ptr<BlobStore::Upload>();
    // One name for all, so that what several want comes once.
    auto upload = into.BeginUpload("fetch", digest);
    if (absl::IsAborted(upload.status())) continue;
    POTOK_RETURN_IF_ERROR(upload.status());
    if (!into.Contains(digest)) return upload;
    (*upload)->Drop();
  }
}

absl::Status ReceiveAlone(CasCalls& calls,
                          const Digest& digest,
                          BlobStore& into,
                          const Position& moved) {
  POTOK_ASSIGN_OR_RETURN(const auto upload, TakeOver(into, digest));
  if (upload == nullptr) {
    moved(digest.size_bytes);
    return absl::OkStatus();
  }
  const auto take = [&](std::int64_t offset, const std::string& data) {
    return upload->Append(offset, data);
  };
  absl::Status received = calls.Read(digest, upload->committed_bytes(), take, moved);
  if (received.ok()) received = upload->Finish();
  // What a store that is away has cut short goes on when it is back.
  if (!received.ok() && !IsTransient(received)) upload->Drop();
  return received;
}

}  // namespace

absl::Status Send(CasCalls& calls,
                  const std::vector<SnapshotBlob>& snapshot,
                  int transfers,
                  const ProgressCallback& callback) {
  std::map<Digest, const SnapshotBlob*> blobs;
  std::vector<Digest> digests;
  for (const SnapshotBlob& blob : snapshot) {
    if (blobs.emplace(blob.digest, &blob).second) digests.push_back(blob.digest);
  }
  POTOK_ASSIGN_OR_RETURN(const std::vector<Digest> missing, calls.Missing(digests));
  if (missing.empty()) return absl::OkStatus();
  POTOK_ASSIGN_OR_RETURN(const std::int64_t batch_bytes_max, calls.BatchBytesMax());
  const Division division = Divide(missing, batch_bytes_max);
  Progress progress(callback, TotalBytes(missing));
  Pieces pieces;
  for (const Digest& digest : division.alone) {
    pieces.emplace_back(
        [&, digest] { return SendAlone(calls, *blobs.at(digest), progress.OfOne()); });
  }
  for (const std::vector<Digest>& batch : division.batches) {
    pieces.emplace_back([&] {
      std::vector<const SnapshotBlob*> of_batch;
      of_batch.reserve(batch.size());
      for (const Digest& digest : batch) of_batch.push_back(blobs.at(digest));
      POTOK_RETURN_IF_ERROR(SendBatch(calls, of_batch));
      progress.Add(TotalBytes(batch));
      return absl::OkStatus();
    });
  }
  return RunAll(pieces, transfers);
}

absl::Status Receive(CasCalls& calls,
                     const std::vector<Digest>& digests,
                     BlobStore& into,
                     int transfers,
                     const ProgressCallback& callback) {
  if (digests.empty()) return absl::OkStatus();
  POTOK_ASSIGN_OR_RETURN(const std::int64_t batch_bytes_max, calls.BatchBytesMax());
  const Division division = Divide(digests, batch_bytes_max);
  Progress progress(callback, TotalBytes(digests));
  Pieces pieces;
  for (const Digest& digest : division.alone) {
    pieces.emplace_back(
        [&, digest] { return ReceiveAlone(calls, digest, into, progress.OfOne()); });
  }
  for (const std::vector<Digest>& batch : division.batches) {
    pieces.emplace_back([&] {
      POTOK_RETURN_IF_ERROR(ReceiveBatch(calls, batch, into));
      progress.Add(TotalBytes(batch));
      return absl::OkStatus();
    });
  }
  return RunAll(pieces, transfers);
}

}  // namespace potok
