#include "server/rpc/cas/byte_stream_service.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "common/base/status_macros.h"
#include "common/cas/disk_file.h"
#include "common/rpc/status.h"
#include "fmt/format.h"
#include "google/bytestream/bytestream.grpc.pb.h"
#include "server/rpc/cas/resource_name.h"

namespace potok::server {

namespace {

namespace wire = google::bytestream;

constexpr std::int64_t kChunkBytes = std::int64_t{256} * 1024;

// The bytes [begin, end) of a blob that are asked for.
struct Range {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

absl::StatusOr<Range> RangeOf(const wire::ReadRequest& request, const Digest& digest) {
  if (request.read_offset() < 0 || request.read_offset() > digest.size_bytes) {
    return absl::OutOfRangeError(fmt::format(
        "cannot read at {} in a blob of {} bytes", request.read_offset(), digest.size_bytes));
  }
  if (request.read_limit() < 0) {
    return absl::InvalidArgumentError("read_limit is negative");
  }
  const std::int64_t left = digest.size_bytes - request.read_offset();
  const std::int64_t count =
      request.read_limit() == 0 ? left : std::min(left, request.read_limit());
  return Range{request.read_offset(), request.read_offset() + count};
}

absl::Status ReadChunk(int fd, std::int64_t offset, std::string& chunk) {
  std::size_t done = 0;
  while (done < chunk.size()) {
    const ssize_t count = pread(
        fd, chunk.data() + done, chunk.size() - done, offset + static_cast<std::int64_t>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return absl::UnavailableError("cannot read the blob from the disk");
    if (count == 0) return absl::DataLossError("the blob became shorter while it was read");
    done += static_cast<std::size_t>(count);
  }
  return absl::OkStatus();
}

class ByteStreamService final : public wire::ByteStream::Service {
 public:
  explicit ByteStreamService(BlobStore& store) : store_(store) {}

  grpc::Status Read(grpc::ServerContext*,
                    const wire::ReadRequest* request,
                    grpc::ServerWriter<wire::ReadResponse>* writer) override {
    return ToGrpc(ReadTo(*request, *writer));
  }

  grpc::Status Write(grpc::ServerContext*,
                     grpc::ServerReader<wire::WriteRequest>* reader,
                     wire::WriteResponse* response) override {
    const auto committed_bytes = WriteFrom(*reader);
    if (committed_bytes.ok()) response->set_committed_size(*committed_bytes);
    return ToGrpc(committed_bytes.status());
  }

  grpc::Status QueryWriteStatus(grpc::ServerContext*,
                                const wire::QueryWriteStatusRequest* request,
                                wire::QueryWriteStatusResponse* response) override {
    const auto name = ParseWriteName(request->resource_name());
    if (!name.ok()) return ToGrpc(name.status());
    const bool complete = store_.Contains(name->digest);
    response->set_complete(complete);
    response->set_committed_size(complete ? name->digest.size_bytes
                                          : store_.UploadedBytes(name->upload_id, name->digest));
    return grpc::Status::OK;
  }

 private:
  absl::Status ReadTo(const wire::ReadRequest& request,
                      grpc::ServerWriter<wire::ReadResponse>& writer) {
    POTOK_ASSIGN_OR_RETURN(const Digest digest, ParseReadName(request.resource_name()));
    POTOK_ASSIGN_OR_RETURN(const Range range, RangeOf(request, digest));
    POTOK_ASSIGN_OR_RETURN(const std::string path, store_.PathOf(digest));
    // Open, it stays readable even if it is evicted meanwhile.
    POTOK_ASSIGN_OR_RETURN(const Fd fd, OpenFile(path, O_RDONLY));
    wire::ReadResponse response;
    for (std::int64_t at = range.begin; at < range.end;) {
      std::string& chunk = *response.mutable_data();
      chunk.resize(static_cast<std::size_t>(std::min(kChunkBytes, range.end - at)));
      POTOK_RETURN_IF_ERROR(ReadChunk(fd.get(), at, chunk));
      at += static_cast<std::int64_t>(chunk.size());
      if (!writer.Write(response)) return absl::CancelledError("the reader has gone");
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::int64_t> WriteFrom(grpc::ServerReader<wire::WriteRequest>& reader) {
    wire::WriteRequest request;
    if (!reader.Read(&request)) return absl::InvalidArgumentError("an upload without a message");
    const std::string resource_name = request.resource_name();
    POTOK_ASSIGN_OR_RETURN(const UploadName name, ParseWriteName(resource_name));
    if (store_.Contains(name.digest)) return name.digest.size_bytes;
    POTOK_ASSIGN_OR_RETURN(const auto upload, store_.BeginUpload(name.upload_id, name.digest));
    do {
      if (!request.resource_name().empty() && request.resource_name() != resource_name) {
        return absl::InvalidArgumentError("an upload changed its name on the way");
      }
      POTOK_RETURN_IF_ERROR(upload->Append(request.write_offset(), request.data()));
      if (request.finish_write()) {
        POTOK_RETURN_IF_ERROR(upload->Finish());
        return name.digest.size_bytes;
      }
    } while (reader.Read(&request));
    return upload->committed_bytes();
  }

  BlobStore& store_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeByteStreamService(BlobStore& store) {
  return std::make_unique<ByteStreamService>(store);
}

}  // namespace potok::server
