#include "common/cas/cas_client.h"

#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include "common/base/random_id.h"
#include "common/base/status_macros.h"
#include "common/cas/cas_calls.h"
#include "common/cas/disk_file.h"
#include "common/cas/laying.h"
#include "common/cas/transfer.h"
#include "common/cas/tree.h"
#include "common/cas/tree_plan.h"
#include "fmt/format.h"

namespace potok {

namespace {

absl::StatusOr<std::vector<std::string>> ReadThrough(CasCalls& calls,
                                                     const std::vector<Digest>& digests,
                                                     BlobStore& cache,
                                                     int transfers) {
  const BlobStore::Pin pin = cache.PinAll(digests);
  POTOK_RETURN_IF_ERROR(Receive(calls, cache.Missing(digests), cache, transfers, nullptr));
  std::vector<std::string> contents;
  for (const Digest& digest : digests) {
    POTOK_ASSIGN_OR_RETURN(std::string bytes, cache.Read(digest));
    contents.push_back(std::move(bytes));
  }
  return contents;
}

// How an artifact is laid.
struct Way {
  Laying laying = Laying::kCopy;
  bool over = false;  // replacing what is there, and made to last
  int transfers = 1;
};

absl::Status FetchThrough(CasCalls& calls,
                          const Artifact& artifact,
                          const std::string& path,
                          BlobStore& cache,
                          const Way& way,
                          const ProgressCallback& progress) {
  const auto read = [&](const std::vector<Digest>& digests) {
    return ReadThrough(calls, digests, cache, way.transfers);
  };
  POTOK_ASSIGN_OR_RETURN(const TreePlan plan, PlanTree(artifact, read));
  const std::vector<Digest> files = plan.Digests();
  const BlobStore::Pin pin = cache.PinAll(files);
  POTOK_RETURN_IF_ERROR(Receive(calls, cache.Missing(files), cache, way.transfers, progress));
  const auto path_of = [&](const Digest& digest) { return cache.PathOf(digest); };
  return MakeBeside(path, way.over, [&](const std::string& beside) {
    POTOK_RETURN_IF_ERROR(LayPlan(plan, beside, way.laying, path_of));
    return way.over ? SyncDisk(beside) : absl::OkStatus();
  });
}

// With no cache to keep them, the blobs arrive beside `path` and become its files.
absl::Status FetchWithoutCache(CasCalls& calls,
                               const Artifact& artifact,
                               const std::string& path,
                               int transfers,
                               const ProgressCallback& progress) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  const std::string root = fmt::format("{}/.potok-{}", parent.empty() ? "." : parent, RandomId(16));
  absl::Status fetched;
  {
    auto blobs = BlobStore::Open({.root = root, .durable = false, .bytes_max = 0});
    fetched = blobs.status();
    if (blobs.ok()) {
      fetched = FetchThrough(
          calls, artifact, path, **blobs, {Laying::kAdopt, false, transfers}, progress);
    }
  }
  const absl::Status removed = RemoveTree(root);
  return fetched.ok() ? removed : fetched;
}

}  // namespace

CasClient::CasClient(const std::shared_ptr<grpc::Channel>& channel, CasClientOptions options)
    : options_(options), calls_(std::make_unique<CasCalls>(channel, options.patience)) {}
CasClient::~CasClient() = default;

absl::StatusOr<std::vector<Digest>> CasClient::Missing(const std::vector<Digest>& digests) {
  return calls_->Missing(digests);
}

absl::Status CasClient::Upload(const Snapshot& snapshot, const ProgressCallback& progress) {
  return Send(*calls_, snapshot.blobs, options_.transfers, progress);
}

absl::Status CasClient::Fetch(const Artifact& artifact,
                              const std::string& path,
                              BlobStore* cache,
                              Placing placing,
                              const ProgressCallback& progress) {
  struct stat there {};
  // Before anything is brought here for nothing.
  if (lstat(path.c_str(), &there) == 0) return DiskError(EEXIST, "make", path);
  if (cache == nullptr) {
    return FetchWithoutCache(*calls_, artifact, path, options_.transfers, progress);
  }
  const Laying laying = placing == Placing::kLink ? Laying::kLink : Laying::kCopy;
  return FetchThrough(
      *calls_, artifact, path, *cache, {laying, false, options_.transfers}, progress);
}

absl::Status CasClient::FetchOver(const Artifact& artifact,
                                  const std::string& path,
                                  BlobStore& cache) {
  return FetchThrough(
      *calls_, artifact, path, cache, {Laying::kCopy, true, options_.transfers}, nullptr);
}

absl::StatusOr<std::vector<Digest>> CasClient::MissingOf(const Artifact& artifact,
                                                         BlobStore& cache) {
  if (!artifact.is_folder) return calls_->Missing({artifact.digest});
  return WalkMissing(
      artifact,
      [&](const std::vector<Digest>& digests) { return calls_->Missing(digests); },
      [&](const std::vector<Digest>& digests) {
        return ReadThrough(*calls_, digests, cache, options_.transfers);
      });
}

absl::StatusOr<std::map<std::string, std::string>> CasClient::List(const Artifact& artifact,
                                                                   BlobStore& cache) {
  POTOK_ASSIGN_OR_RETURN(const TreePlan plan,
                         PlanTree(artifact, [&](const std::vector<Digest>& digests) {
                           return ReadThrough(*calls_, digests, cache, options_.transfers);
                         }));
  return ListingOf(plan);
}

absl::StatusOr<std::string> CasClient::ReadBlob(const Digest& digest, std::int64_t bytes_max) {
  if (digest.size_bytes > bytes_max) {
    return absl::InvalidArgumentError(fmt::format("blob {} has {} bytes, at most {} may be read",
                                                  digest.Hex(),
                                                  digest.size_bytes,
                                                  bytes_max));
  }
  std::string bytes;
  const auto take = [&](std::int64_t, const std::string& data) {
    if (data.size() > static_cast<std::size_t>(digest.size_bytes) - bytes.size()) {
      return absl::DataLossError(fmt::format("the store sent too much for {}", digest.Hex()));
    }
    bytes += data;
    return absl::OkStatus();
  };
  POTOK_RETURN_IF_ERROR(calls_->Read(digest, 0, take, [](std::int64_t) {}));
  if (DigestOf(bytes) == digest) return bytes;
  return absl::DataLossError(fmt::format("the store sent other bytes for {}", digest.Hex()));
}

}  // namespace potok
