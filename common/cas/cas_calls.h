// The calls of a content-addressed store, one by one, each retried until it is done. For .cc files
// only, because it reads gRPC. Thread-safe; blocks.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "build/bazel/remote/execution/v2/remote_execution.grpc.pb.h"
#include "common/base/digest.h"
#include "google/bytestream/bytestream.grpc.pb.h"

namespace potok {

// Gives `size` bytes at `offset`.
using ReadPart = std::function<absl::StatusOr<std::string>(std::int64_t offset, std::int64_t size)>;
// Takes the next bytes, which begin at `offset`.
using TakePart = std::function<absl::Status(std::int64_t offset, const std::string& data)>;
// Told how far a transfer is; goes back when a cut lost something.
using Position = std::function<void(std::int64_t bytes)>;

class CasCalls {
 public:
  CasCalls(const std::shared_ptr<grpc::Channel>& channel, absl::Duration patience);

  // Which of these are not in the store; any number.
  absl::StatusOr<std::vector<Digest>> Missing(const std::vector<Digest>& digests);

  // What one batch may weigh, by CostInBatch, as the store told when first asked.
  absl::StatusOr<std::int64_t> BatchBytesMax();
  // A blob with what the message needs around it.
  static std::int64_t CostInBatch(const Digest& digest) { return digest.size_bytes + 192; }

  absl::Status UpdateBatch(std::vector<std::pair<Digest, std::string>> blobs);
  // Verified, in the order of the digests. NOT_FOUND names the blob; DATA_LOSS.
  absl::StatusOr<std::vector<std::string>> ReadBatch(const std::vector<Digest>& digests);

  // A blob that an earlier call of this object did not bring to its end goes on where that was.
  absl::Status Write(const Digest& digest, const ReadPart& read, const Position& moved);
  // Gives the blob's bytes from `offset` on, and no more; the taker verifies them.
  absl::Status Read(const Digest& digest,
                    std::int64_t offset,
                    const TakePart& take,
                    const Position& moved);

 private:
  absl::StatusOr<std::vector<Digest>> MissingOfSome(const std::vector<Digest>& digests);
  absl::StatusOr<std::vector<std::pair<Digest, std::string>>> UpdateOnce(
      std::vector<std::pair<Digest, std::string>> blobs);
  absl::StatusOr<std::vector<std::string>> ReadBatchOnce(const std::vector<Digest>& digests);
  absl::Status WriteOnce(const std::string& resource_name,
                         const Digest& digest,
                         std::int64_t offset,
                         const ReadPart& read,
                         const Position& moved);
  absl::StatusOr<std::int64_t> CommittedBytes(const std::string& resource_name);
  // Advances `offset` over what was taken.
  absl::Status ReadOnce(const Digest& digest,
                        std::int64_t& offset,
                        const TakePart& take,
                        const Position& moved);

  const absl::Duration patience_;
  const std::string id_;  // of this object among all that upload
  std::unique_ptr<build::bazel::remote::execution::v2::ContentAddressableStorage::Stub> blobs_;
  std::unique_ptr<build::bazel::remote::execution::v2::Capabilities::Stub> capabilities_;
  std::unique_ptr<google::bytestream::ByteStream::Stub> streams_;
  std::mutex mutex_;
  std::int64_t batch_bytes_max_ = 0;  // 0: not asked yet
};

}  // namespace potok
