// The byte streams of cas_calls.h.

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>

#include "common/base/status_macros.h"
#include "common/cas/cas_calls.h"
#include "common/cas/retry.h"
#include "common/rpc/status.h"
#include "fmt/format.h"

namespace potok {

namespace {

namespace stream = google::bytestream;

// What a cut may lose of a stream.
constexpr std::int64_t kChunkBytes = std::int64_t{256} * 1024;
// Lost connections are noticed by keepalive; these are for a store that accepts and never answers.
constexpr std::chrono::minutes kQueryTime{2};
constexpr std::chrono::minutes kStreamTime{10};

void EndAfter(std::chrono::minutes time, grpc::ClientContext& context) {
  context.set_deadline(std::chrono::system_clock::now() + time);
}

// Some stores insist on the form of a UUID (RFC 4122, version 4).
std::string UploadIdOf(const std::string& uploader, const Digest& digest) {
  std::string hex = DigestOf(uploader + digest.Hex()).Hex();
  hex[12] = '4';
  hex[16] = '8';
  return fmt::format("{}-{}-{}-{}-{}",
                     hex.substr(0, 8),
                     hex.substr(8, 4),
                     hex.substr(12, 4),
                     hex.substr(16, 4),
                     hex.substr(20, 12));
}

}  // namespace

absl::Status CasCalls::Write(const Digest& digest, const ReadPart& read, const Position& moved) {
  const std::string name = fmt::format(
      "uploads/{}/blobs/{}/{}", UploadIdOf(id_, digest), digest.Hex(), digest.size_bytes);
  // What fails on our side is final, whatever its code.
  absl::Status reading;
  const ReadPart read_noting = [&](std::int64_t at, std::int64_t size) {
    auto part = read(at, size);
    reading = part.status();
    return part;
  };
  Retry retry(patience_);
  bool begun = false;
  std::int64_t farthest = 0;
  for (;;) {
    // The first try hopes that there is nothing to go on with, and is told if there is.
    const auto offset = begun ? CommittedBytes(name) : 0;
    begun = true;
    absl::Status failure = offset.status();
    if (offset.ok()) {
      moved(*offset);
      if (*offset > farthest) retry.Moved();
      farthest = std::max(*offset, farthest);
      failure = WriteOnce(name, digest, std::min(*offset, digest.size_bytes), read_noting, moved);
    }
    POTOK_RETURN_IF_ERROR(reading);
    if (failure.ok()) return failure;
    // The store still holds the cut stream, or has lost something: it is asked above.
    if (absl::IsOutOfRange(failure)) failure = absl::AbortedError(failure.message());
    if (!retry.Again(failure)) {
      return retry.Explain(failure,
                           fmt::format("{} of {} bytes have arrived", farthest, digest.size_bytes));
    }
  }
}

absl::Status CasCalls::WriteOnce(const std::string& resource_name,
                                 const Digest& digest,
                                 std::int64_t offset,
                                 const ReadPart& read,
                                 const Position& moved) {
  grpc::ClientContext context;
  EndAfter(kStreamTime, context);
  stream::WriteResponse response;
  const auto writer = streams_->Write(&context, &response);
  stream::WriteRequest request;
  request.set_resource_name(resource_name);
  for (bool open = true; open && !request.finish_write();) {
    auto part = read(offset, std::min(kChunkBytes, digest.size_bytes - offset));
    if (!part.ok()) {
      context.TryCancel();
      break;
    }
    request.set_write_offset(offset);
    offset += static_cast<std::int64_t>(part->size());
    request.set_data(*std::move(part));
    request.set_finish_write(offset == digest.size_bytes);
    open = writer->Write(request);
    if (open) moved(offset);
    request.clear_resource_name();
  }
  writer->WritesDone();
  POTOK_RETURN_IF_ERROR(FromGrpc(writer->Finish()));
  if (response.committed_size() == digest.size_bytes) return absl::OkStatus();
  return absl::UnavailableError(fmt::format("the store ended the upload of {} at {} of {} bytes",
                                            digest.Hex(),
                                            response.committed_size(),
                                            digest.size_bytes));
}

absl::StatusOr<std::int64_t> CasCalls::CommittedBytes(const std::string& resource_name) {
  grpc::ClientContext context;
  EndAfter(kQueryTime, context);
  stream::QueryWriteStatusRequest request;
  request.set_resource_name(resource_name);
  stream::QueryWriteStatusResponse response;
  const absl::Status status = FromGrpc(streams_->QueryWriteStatus(&context, request, &response));
  // A store that cannot tell begins anew.
  if (absl::IsNotFound(status) || absl::IsUnimplemented(status)) return 0;
  POTOK_RETURN_IF_ERROR(status);
  return response.committed_size();
}

absl::Status CasCalls::ReadOnce(const Digest& digest,
                                std::int64_t& offset,
                                const TakePart& take,
                                const Position& moved) {
  grpc::ClientContext context;
  EndAfter(kStreamTime, context);
  stream::ReadRequest request;
  request.set_resource_name(fmt::format("blobs/{}/{}", digest.Hex(), digest.size_bytes));
  request.set_read_offset(offset);
  const auto reader = streams_->Read(&context, request);
  stream::ReadResponse response;
  absl::Status taken;
  while (taken.ok() && reader->Read(&response)) {
    taken = take(offset, response.data());
    offset += static_cast<std::int64_t>(response.data().size());
    moved(offset);
  }
  if (!taken.ok()) context.TryCancel();
  const absl::Status finished = FromGrpc(reader->Finish());
  POTOK_RETURN_IF_ERROR(taken);
  if (offset >= digest.size_bytes) return absl::OkStatus();
  return finished.ok() ? absl::UnavailableError("the store ended a blob early") : finished;
}

absl::Status CasCalls::Read(const Digest& digest,
                            std::int64_t offset,
                            const TakePart& take,
                            const Position& moved) {
  // What fails on our side is final, whatever its code.
  absl::Status taking;
  const TakePart take_noting = [&](std::int64_t at, const std::string& data) {
    taking = take(at, data);
    return taking;
  };
  Retry retry(patience_);
  while (offset < digest.size_bytes) {
    const std::int64_t before = offset;
    const absl::Status failure = ReadOnce(digest, offset, take_noting, moved);
    POTOK_RETURN_IF_ERROR(taking);
    if (failure.ok()) break;
    if (offset > before) retry.Moved();
    if (!retry.Again(failure)) {
      return retry.Explain(failure,
                           fmt::format("{} of {} bytes have come", offset, digest.size_bytes));
    }
  }
  return absl::OkStatus();
}

}  // namespace potok
