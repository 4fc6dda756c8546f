#include "common/cas/cas_calls.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>

#include "common/base/random_id.h"
#include "common/base/status_macros.h"
#include "common/cas/retry.h"
#include "common/cas/wire_digest.h"
#include "common/rpc/status.h"
#include "fmt/format.h"

namespace potok {

namespace {

namespace reapi = build::bazel::remote::execution::v2;

// gRPC's limit for a message, less what stands around the blobs.
constexpr std::int64_t kMessageBytes = 4 * 1024 * 1024 - 64 * 1024;
// A digest takes some 75 bytes on the wire, so this stays below the limit of a message.
constexpr std::size_t kDigestsPerQuestion = 20'000;
// Lost connections are noticed by keepalive; this is for a store that accepts and never answers.
constexpr std::chrono::minutes kCallTime{2};

absl::Status FromWireStatus(const google::rpc::Status& status, const Digest& digest) {
  if (status.code() == 0) return absl::OkStatus();
  return absl::Status(
      static_cast<absl::StatusCode>(status.code()),
      fmt::format("blob {} ({} bytes): {}", digest.Hex(), digest.size_bytes, status.message()));
}

void SetDeadline(grpc::ClientContext& context, std::chrono::minutes time) {
  context.set_deadline(std::chrono::system_clock::now() + time);
}

// Calls `once`, which returns a StatusOr, until it succeeds or it is no use.
template <typename Once>
auto Until(absl::Duration patience, const Once& once) -> decltype(once()) {
  Retry retry(patience);
  for (;;) {
    auto result = once();
    if (result.ok() || !retry.Again(result.status())) return result;
  }
}

}  // namespace

CasCalls::CasCalls(const std::shared_ptr<grpc::Channel>& channel, absl::Duration patience)
    : patience_(patience),
      id_(RandomId(32)),
      blobs_(reapi::ContentAddressableStorage::NewStub(channel)),
      capabilities_(reapi::Capabilities::NewStub(channel)),
      streams_(google::bytestream::ByteStream::NewStub(channel)) {}

absl::StatusOr<std::vector<Digest>> CasCalls::Missing(const std::vector<Digest>& digests) {
  std::vector<Digest> missing;
  for (std::size_t i = 0; i < digests.size(); i += kDigestsPerQuestion) {
    const auto begin = digests.begin() + static_cast<std::ptrdiff_t>(i);
    const std::size_t count = std::min(kDigestsPerQuestion, digests.size() - i);
    const std::vector<Digest> some(begin, begin + static_cast<std::ptrdiff_t>(count));
    POTOK_ASSIGN_OR_RETURN(const std::vector<Digest> more,
                           Until(patience_, [&] { return MissingOfSome(some); }));
    missing.insert(missing.end(), more.begin(), more.end());
  }
  return missing;
}

absl::StatusOr<std::vector<Digest>> CasCalls::MissingOfSome(const std::vector<Digest>& digests) {
  grpc::ClientContext context;
  SetDeadline(context, kCallTime);
  reapi::FindMissingBlobsRequest request;
  for (const Digest& digest : digests) *request.add_blob_digests() = ToWire(digest);
  reapi::FindMissingBlobsResponse response;
  POTOK_RETURN_IF_ERROR(FromGrpc(blobs_->FindMissingBlobs(&context, request, &response)));
  std::vector<Digest> missing;
  for (const reapi::Digest& wire : response.missing_blob_digests()) {
    POTOK_ASSIGN_OR_RETURN(const Digest digest, FromWire(wire));
    missing.push_back(digest);
  }
  return missing;
}

absl::StatusOr<std::int64_t> CasCalls::BatchBytesMax() {
  const std::lock_guard lock(mutex_);
  if (batch_bytes_max_ > 0) return batch_bytes_max_;
  const auto ask = [&]() -> absl::StatusOr<std::int64_t> {
    grpc::ClientContext context;
    SetDeadline(context, kCallTime);
    reapi::ServerCapabilities response;
    POTOK_RETURN_IF_ERROR(FromGrpc(capabilities_->GetCapabilities(&context, {}, &response)));
    return response.cache_capabilities().max_batch_total_size_bytes();
  };
  POTOK_ASSIGN_OR_RETURN(const std::int64_t told, Until(patience_, ask));
  // Zero means that the store has no limit of its own.
  batch_bytes_max_ = told > 0 ? std::min(told, kMessageBytes) : kMessageBytes;
  return batch_bytes_max_;
}

absl::Status CasCalls::UpdateBatch(std::vector<std::pair<Digest, std::string>> blobs) {
  Retry retry(patience_);
  std::size_t part = blobs.size();
  while (!blobs.empty()) {
    const auto end = blobs.end() - static_cast<std::ptrdiff_t>(std::min(part, blobs.size()));
    const auto left = UpdateOnce({end, blobs.end()});
    if (left.ok() && left->size() < part) retry.Moved();
    if (left.ok()) blobs.erase(end, blobs.end());
    if (left.ok() && left->empty()) continue;
    const absl::Status failure =
        left.ok() ? absl::UnavailableError("the store took only a part of a batch") : left.status();
    if (!retry.Again(failure)) {
      return retry.Explain(failure,
                           fmt::format("{} blobs of a batch are not stored", blobs.size()));
    }
    if (left.ok()) blobs.insert(blobs.end(), left->begin(), left->end());
    // A line that breaks again and again may carry less.
    part = std::max<std::size_t>(1, part / 2);
  }
  return absl::OkStatus();
}

// The blobs that the store could not take now.
absl::StatusOr<std::vector<std::pair<Digest, std::string>>> CasCalls::UpdateOnce(
    std::vector<std::pair<Digest, std::string>> blobs) {
  grpc::ClientContext context;
  SetDeadline(context, kCallTime);
  reapi::BatchUpdateBlobsRequest request;
  for (const auto& [digest, bytes] : blobs) {
    auto& blob = *request.add_requests();
    *blob.mutable_digest() = ToWire(digest);
    blob.set_data(bytes);
  }
  reapi::BatchUpdateBlobsResponse response;
  POTOK_RETURN_IF_ERROR(FromGrpc(blobs_->BatchUpdateBlobs(&context, request, &response)));
  for (const auto& answer : response.responses()) {
    POTOK_ASSIGN_OR_RETURN(const Digest digest, FromWire(answer.digest()));
    const absl::Status status = FromWireStatus(answer.status(), digest);
    if (absl::IsUnavailable(status) || absl::IsAborted(status)) continue;
    POTOK_RETURN_IF_ERROR(status);
    std::erase_if(blobs, [&](const auto& blob) { return blob.first == digest; });
  }
  return blobs;
}

absl::StatusOr<std::vector<std::string>> CasCalls::ReadBatch(const std::vector<Digest>& digests) {
  Retry retry(patience_);
  std::vector<std::string> contents;
  std::size_t part = digests.size();
  while (contents.size() < digests.size()) {
    const auto begin = digests.begin() + static_cast<std::ptrdiff_t>(contents.size());
    const std::size_t count = std::min(part, digests.size() - contents.size());
    auto some = ReadBatchOnce({begin, begin + static_cast<std::ptrdiff_t>(count)});
    if (some.ok()) {
      retry.Moved();
      std::ranges::move(*some, std::back_inserter(contents));
      continue;
    }
    if (!retry.Again(some.status())) {
      return retry.Explain(
          some.status(), fmt::format("{} of {} blobs have come", contents.size(), digests.size()));
    }
    // A line that breaks again and again may carry less.
    part = std::max<std::size_t>(1, part / 2);
  }
  return contents;
}

absl::StatusOr<std::vector<std::string>> CasCalls::ReadBatchOnce(
    const std::vector<Digest>& digests) {
  grpc::ClientContext context;
  SetDeadline(context, kCallTime);
  reapi::BatchReadBlobsRequest request;
  for (const Digest& digest : digests) *request.add_digests() = ToWire(digest);
  reapi::BatchReadBlobsResponse response;
  POTOK_RETURN_IF_ERROR(FromGrpc(blobs_->BatchReadBlobs(&context, request, &response)));
  std::map<Digest, std::string> read;
  for (auto& answer : *response.mutable_responses()) {
    POTOK_ASSIGN_OR_RETURN(const Digest digest, FromWire(answer.digest()));
    POTOK_RETURN_IF_ERROR(FromWireStatus(answer.status(), digest));
    if (DigestOf(answer.data()) != digest) {
      return absl::DataLossError(
          fmt::format("the store sent other bytes for blob {}", digest.Hex()));
    }
    read[digest] = std::move(*answer.mutable_data());
  }
  std::vector<std::string> contents;
  for (const Digest& digest : digests) {
    const auto found = read.find(digest);
    if (found == read.end()) {
      return absl::DataLossError(fmt::format("the store did not answer for blob {}", digest.Hex()));
    }
    contents.push_back(found->second);
  }
  return contents;
}

}  // namespace potok
