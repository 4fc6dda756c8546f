#include "server/rpc/cas/cas_service.h"

#include <deque>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "build/bazel/remote/execution/v2/remote_execution.grpc.pb.h"
#include "common/base/resources.h"
#include "common/base/status_macros.h"
#include "common/cas/tree_plan.h"
#include "common/cas/wire_digest.h"
#include "common/rpc/status.h"
#include "fmt/format.h"

namespace potok::server {

namespace {

namespace reapi = build::bazel::remote::execution::v2;

constexpr std::size_t kTreePageBytes = std::size_t{1024} * 1024;

absl::Status CheckInstance(const std::string& name) {
  if (name.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("no storage instance '{}' here: leave the name empty", name.substr(0, 80)));
}

void SetStatus(const absl::Status& status, google::rpc::Status& wire) {
  wire.set_code(static_cast<int>(status.code()));
  wire.set_message(std::string(status.message()));
}

absl::Status BatchTooLarge() {
  return absl::InvalidArgumentError(
      fmt::format("a batch may hold {} of blobs; use the byte stream for larger ones",
                  FormatBytes(kBatchBytesMax)));
}

class CasService final : public reapi::ContentAddressableStorage::Service {
 public:
  explicit CasService(BlobStore& store) : store_(store) {}

  grpc::Status FindMissingBlobs(grpc::ServerContext*,
                                const reapi::FindMissingBlobsRequest* request,
                                reapi::FindMissingBlobsResponse* response) override {
    return ToGrpc(FindMissing(*request, *response));
  }
  grpc::Status BatchUpdateBlobs(grpc::ServerContext*,
                                const reapi::BatchUpdateBlobsRequest* request,
                                reapi::BatchUpdateBlobsResponse* response) override {
    return ToGrpc(Update(*request, *response));
  }
  grpc::Status BatchReadBlobs(grpc::ServerContext*,
                              const reapi::BatchReadBlobsRequest* request,
                              reapi::BatchReadBlobsResponse* response) override {
    return ToGrpc(ReadBatch(*request, *response));
  }
  grpc::Status GetTree(grpc::ServerContext*,
                       const reapi::GetTreeRequest* request,
                       grpc::ServerWriter<reapi::GetTreeResponse>* writer) override {
    return ToGrpc(WriteTree(*request, *writer));
  }

 private:
  absl::Status FindMissing(const reapi::FindMissingBlobsRequest& request,
                           reapi::FindMissingBlobsResponse& response) {
    POTOK_RETURN_IF_ERROR(CheckInstance(request.instance_name()));
    std::vector<Digest> digests;
    for (const reapi::Digest& wire : request.blob_digests()) {
      POTOK_ASSIGN_OR_RETURN(const Digest digest, FromWire(wire));
      digests.push_back(digest);
    }
    for (const Digest& digest : store_.Missing(digests)) {
      *response.add_missing_blob_digests() = ToWire(digest);
    }
    return absl::OkStatus();
  }

  absl::Status Update(const reapi::BatchUpdateBlobsRequest& request,
                      reapi::BatchUpdateBlobsResponse& response) {
    POTOK_RETURN_IF_ERROR(CheckInstance(request.instance_name()));
    std::int64_t left_bytes = kBatchBytesMax;
    for (const auto& blob : request.requests()) {
      left_bytes -= static_cast<std::int64_t>(blob.data().size());
    }
    if (left_bytes < 0) return BatchTooLarge();
    std::vector<std::pair<Digest, std::string>> good;
    std::vector<google::rpc::Status*> good_statuses;
    for (const auto& blob : request.requests()) {
      auto& answer = *response.add_responses();
      *answer.mutable_digest() = blob.digest();
      const absl::Status checked = Check(blob);
      SetStatus(checked, *answer.mutable_status());
      if (!checked.ok()) continue;
      good.emplace_back(*FromWire(blob.digest()), blob.data());
      good_statuses.push_back(answer.mutable_status());
    }
    const absl::Status stored = store_.PutAll(good);
    for (google::rpc::Status* status : good_statuses) SetStatus(stored, *status);
    return absl::OkStatus();
  }

  static absl::Status Check(const reapi::BatchUpdateBlobsRequest::Request& blob) {
    POTOK_ASSIGN_OR_RETURN(const Digest digest, FromWire(blob.digest()));
    const Digest actual = DigestOf(blob.data());
    if (actual == digest) return absl::OkStatus();
    return absl::InvalidArgumentError(fmt::format("{} bytes have digest {}, not {} ({} bytes)",
                                                  actual.size_bytes,
                                                  actual.Hex(),
                                                  digest.Hex(),
                                                  digest.size_bytes));
  }

  absl::Status ReadBatch(const reapi::BatchReadBlobsRequest& request,
                         reapi::BatchReadBlobsResponse& response) {
    POTOK_RETURN_IF_ERROR(CheckInstance(request.instance_name()));
    std::int64_t left_bytes = kBatchBytesMax;
    for (const reapi::Digest& wire : request.digests()) {
      POTOK_ASSIGN_OR_RETURN(const Digest digest, FromWire(wire));
      if (digest.size_bytes > left_bytes) return BatchTooLarge();
      left_bytes -= digest.size_bytes;
    }
    for (const reapi::Digest& wire : request.digests()) {
      auto& answer = *response.add_responses();
      *answer.mutable_digest() = wire;
      auto bytes = store_.Read(*FromWire(wire));
      SetStatus(bytes.status(), *answer.mutable_status());
      if (bytes.ok()) answer.set_data(*std::move(bytes));
    }
    return absl::OkStatus();
  }

  absl::Status WriteTree(const reapi::GetTreeRequest& request,
                         grpc::ServerWriter<reapi::GetTreeResponse>& writer) {
    POTOK_RETURN_IF_ERROR(CheckInstance(request.instance_name()));
    if (!request.page_token().empty()) {
      return absl::InvalidArgumentError("this page token is not of this server");
    }
    POTOK_ASSIGN_OR_RETURN(const Digest root, FromWire(request.root_digest()));
    if (!store_.Contains(root)) {
      return absl::NotFoundError(fmt::format("folder {} is not in the store", root.Hex()));
    }
    std::set<Digest> seen = {root};
    std::deque<Digest> next = {root};
    reapi::GetTreeResponse page;
    for (; !next.empty(); next.pop_front()) {
      POTOK_RETURN_IF_ERROR(AddDirectory(next.front(), page, seen, next));
      if (page.ByteSizeLong() < kTreePageBytes && next.size() > 1) continue;
      if (!writer.Write(page)) return absl::CancelledError("the reader has gone");
      page.Clear();
    }
    return absl::OkStatus();
  }

  // Each folder once, whatever number of times it occurs; those that are not here are left out.
  absl::Status AddDirectory(const Digest& digest,
                            reapi::GetTreeResponse& page,
                            std::set<Digest>& seen,
                            std::deque<Digest>& next) {
    POTOK_RETURN_IF_ERROR(CheckFolderSize(digest));
    const auto bytes = store_.Read(digest);
    if (absl::IsNotFound(bytes.status())) return absl::OkStatus();
    POTOK_RETURN_IF_ERROR(bytes.status());
    reapi::Directory& directory = *page.add_directories();
    if (!directory.ParseFromString(*bytes)) {
      return absl::DataLossError(fmt::format("blob {} is not a folder", digest.Hex()));
    }
    for (const reapi::DirectoryNode& child : directory.directories()) {
      POTOK_ASSIGN_OR_RETURN(const Digest below, FromWire(child.digest()));
      if (seen.insert(below).second) next.push_back(below);
    }
    return absl::OkStatus();
  }

  BlobStore& store_;
};

class CapabilitiesService final : public reapi::Capabilities::Service {
 public:
  grpc::Status GetCapabilities(grpc::ServerContext*,
                               const reapi::GetCapabilitiesRequest* request,
                               reapi::ServerCapabilities* response) override {
    const absl::Status instance = CheckInstance(request->instance_name());
    if (!instance.ok()) return ToGrpc(instance);
    auto& cache = *response->mutable_cache_capabilities();
    cache.add_digest_functions(reapi::DigestFunction::SHA256);
    cache.set_max_batch_total_size_bytes(kBatchBytesMax);
    return grpc::Status::OK;
  }
};

}  // namespace

std::unique_ptr<grpc::Service> MakeCasService(BlobStore& store) {
  return std::make_unique<CasService>(store);
}

std::unique_ptr<grpc::Service> MakeCapabilitiesService() {
  return std::make_unique<CapabilitiesService>();
}

}  // namespace potok::server
