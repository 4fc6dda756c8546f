#include "server/rpc/cas/cas_service.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include "build/bazel/remote/execution/v2/remote_execution.grpc.pb.h"
#include "common/cas/folder.h"
#include "common/cas/wire_digest.h"
#include "fmt/format.h"
#include "google/bytestream/bytestream.grpc.pb.h"
#include "tests/common/cas/cas_server.h"
#include "tests/common/cas/cas_testing.h"

namespace potok::server {
namespace {

namespace reapi = build::bazel::remote::execution::v2;
namespace stream = google::bytestream;

std::string WriteName(const Digest& digest) {
  return fmt::format("uploads/id-1/blobs/{}/{}", digest.Hex(), digest.size_bytes);
}
std::string ReadName(const Digest& digest) {
  return fmt::format("blobs/{}/{}", digest.Hex(), digest.size_bytes);
}

class CasServiceTest : public testing::Test {
 protected:
  Digest Put(const std::string& bytes) {
    EXPECT_TRUE(store_->Put(DigestOf(bytes), bytes).ok());
    return DigestOf(bytes);
  }

  struct Read {
    grpc::Status status;
    std::string bytes;
  };
  Read ReadRange(const std::string& name, std::int64_t offset, std::int64_t limit) {
    grpc::ClientContext context;
    stream::ReadRequest request;
    request.set_resource_name(name);
    request.set_read_offset(offset);
    request.set_read_limit(limit);
    const auto reader = streams_->Read(&context, request);
    Read read;
    stream::ReadResponse response;
    while (reader->Read(&response)) read.bytes += response.data();
    read.status = reader->Finish();
    return read;
  }

  struct Part {
    std::string name;
    std::int64_t offset = 0;
    std::string data;
    bool finish = false;
  };
  struct Written {
    grpc::Status status;
    std::int64_t committed_bytes = 0;
  };
  Written WriteParts(const std::vector<Part>& parts) {
    grpc::ClientContext context;
    stream::WriteResponse response;
    const auto writer = streams_->Write(&context, &response);
    for (const Part& part : parts) {
      stream::WriteRequest request;
      request.set_resource_name(part.name);
      request.set_write_offset(part.offset);
      request.set_data(part.data);
      request.set_finish_write(part.finish);
      if (!writer->Write(request)) break;
    }
    writer->WritesDone();
    const grpc::Status status = writer->Finish();
    return {status, response.committed_size()};
  }

  stream::QueryWriteStatusResponse Query(const Digest& digest) {
    grpc::ClientContext context;
    stream::QueryWriteStatusRequest request;
    request.set_resource_name(WriteName(digest));
    stream::QueryWriteStatusResponse response;
    EXPECT_TRUE(streams_->QueryWriteStatus(&context, request, &response).ok());
    return response;
  }

  TemporaryFolder folder_;
  std::unique_ptr<BlobStore> store_ = OpenStore(folder_ / "store");
  CasServer server_{*store_, folder_ / "socket"};
  std::shared_ptr<grpc::Channel> channel_ = ChannelTo(server_.address());
  std::unique_ptr<reapi::ContentAddressableStorage::Stub> blobs_ =
      reapi::ContentAddressableStorage::NewStub(channel_);
  std::unique_ptr<stream::ByteStream::Stub> streams_ = stream::ByteStream::NewStub(channel_);
  grpc::ClientContext context_;
};

TEST_F(CasServiceTest, GivesEachBlobOfABatchItsOwnStatus) {
  reapi::BatchUpdateBlobsRequest request;
  auto& good = *request.add_requests();
  *good.mutable_digest() = ToWire(DigestOf("good"));
  good.set_data("good");
  auto& wrong = *request.add_requests();
  *wrong.mutable_digest() = ToWire(DigestOf("right"));
  wrong.set_data("wrong");
  auto& hostile = *request.add_requests();
  hostile.mutable_digest()->set_hash("../../etc/passwd");
  reapi::BatchUpdateBlobsResponse response;
  ASSERT_TRUE(blobs_->BatchUpdateBlobs(&context_, request, &response).ok());
  ASSERT_EQ(response.responses_size(), 3);
  EXPECT_EQ(response.responses(0).status().code(), grpc::StatusCode::OK);
  EXPECT_EQ(response.responses(1).status().code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(response.responses(2).status().code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(*store_->Read(DigestOf("good")), "good");
  EXPECT_FALSE(store_->Contains(DigestOf("right")));
}

TEST_F(CasServiceTest, ReadsABatchBlobByBlob) {
  reapi::BatchReadBlobsRequest request;
  *request.add_digests() = ToWire(Put("here"));
  *request.add_digests() = ToWire(DigestOf("absent"));
  reapi::BatchReadBlobsResponse response;
  ASSERT_TRUE(blobs_->BatchReadBlobs(&context_, request, &response).ok());
  ASSERT_EQ(response.responses_size(), 2);
  EXPECT_EQ(response.responses(0).data(), "here");
  EXPECT_EQ(response.responses(1).status().code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(CasServiceTest, RefusesBatchesBeyondTheLimit) {
  reapi::BatchReadBlobsRequest request;
  for (int i = 0; i < 2; ++i) {
    request.add_digests()->set_hash(DigestOf("x").Hex());
    request.mutable_digests(i)->set_size_bytes(kBatchBytesMax / 2 + 1);
  }
  reapi::BatchReadBlobsResponse response;
  EXPECT_EQ(blobs_->BatchReadBlobs(&context_, request, &response).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(CasServiceTest, RefusesBadDigestsAndOtherInstances) {
  reapi::FindMissingBlobsRequest bad;
  bad.add_blob_digests()->set_hash("zz");
  reapi::FindMissingBlobsResponse response;
  EXPECT_EQ(blobs_->FindMissingBlobs(&context_, bad, &response).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
  reapi::FindMissingBlobsRequest other;
  other.set_instance_name("main");
  grpc::ClientContext context;
  EXPECT_EQ(blobs_->FindMissingBlobs(&context, other, &response).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(CasServiceTest, ListsATreeWithEachFolderOnce) {
  const Digest leaf = Put(EncodeFolder({{{"file", DigestOf("x"), false}}, {}, {}}));
  const Digest root = Put(EncodeFolder({{}, {{"a", leaf}, {"b", leaf}}, {}}));
  reapi::GetTreeRequest request;
  *request.mutable_root_digest() = ToWire(root);
  const auto reader = blobs_->GetTree(&context_, request);
  reapi::GetTreeResponse page;
  int folders = 0;
  while (reader->Read(&page)) folders += page.directories_size();
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_EQ(folders, 2);
}

TEST_F(CasServiceTest, SaysThatATreeIsMissing) {
  reapi::GetTreeRequest request;
  *request.mutable_root_digest() = ToWire(DigestOf("absent"));
  const auto reader = blobs_->GetTree(&context_, request);
  reapi::GetTreeResponse page;
  EXPECT_FALSE(reader->Read(&page));
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(CasServiceTest, TellsItsDigestFunctionAndLimit) {
  const auto stub = reapi::Capabilities::NewStub(channel_);
  reapi::ServerCapabilities response;
  ASSERT_TRUE(stub->GetCapabilities(&context_, {}, &response).ok());
  EXPECT_THAT(response.cache_capabilities().digest_functions(),
              testing::ElementsAre(reapi::DigestFunction::SHA256));
  EXPECT_EQ(response.cache_capabilities().max_batch_total_size_bytes(), kBatchBytesMax);
}

TEST_F(CasServiceTest, ReadsRangesOfABlob) {
  const std::string bytes = Noise(2'500'000, 5);
  const std::string name = ReadName(Put(bytes));
  EXPECT_EQ(ReadRange(name, 0, 0).bytes, bytes);
  EXPECT_EQ(ReadRange(name, 2'400'000, 0).bytes, bytes.substr(2'400'000));
  EXPECT_EQ(ReadRange(name, 10, 5).bytes, bytes.substr(10, 5));
  EXPECT_EQ(ReadRange(name, 2'499'999, 100).bytes, bytes.substr(2'499'999));
  EXPECT_TRUE(ReadRange(name, 2'500'000, 0).status.ok());
  for (const auto& [offset, limit] : {std::pair{-1, 0}, {2'500'001, 0}, {0, -1}}) {
    EXPECT_FALSE(ReadRange(name, offset, limit).status.ok()) << offset << " " << limit;
  }
  EXPECT_EQ(ReadRange(ReadName(DigestOf("absent")), 0, 0).status.error_code(),
            grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(ReadRange("blobs/../../etc/passwd", 0, 0).status.error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(CasServiceTest, TakesAnUploadInParts) {
  const Digest digest = DigestOf("hello world");
  EXPECT_EQ(WriteParts({{WriteName(digest), 0, "hello", false}}).committed_bytes, 5);
  EXPECT_EQ(Query(digest).committed_size(), 5);
  EXPECT_FALSE(Query(digest).complete());
  const Written written = WriteParts({{WriteName(digest), 5, " ", false}, {"", 6, "world", true}});
  EXPECT_TRUE(written.status.ok()) << written.status.error_message();
  EXPECT_EQ(written.committed_bytes, 11);
  EXPECT_TRUE(Query(digest).complete());
  EXPECT_EQ(*store_->Read(digest), "hello world");
}

TEST_F(CasServiceTest, EndsAnUploadOfABlobThatIsHere) {
  const Digest digest = Put("hello");
  const Written written = WriteParts({{WriteName(digest), 0, "he", false}});
  EXPECT_TRUE(written.status.ok());
  EXPECT_EQ(written.committed_bytes, 5);
}

TEST_F(CasServiceTest, RefusesUploadsThatDoNotFit) {
  const Digest digest = DigestOf("hello");
  const std::string name = WriteName(digest);
  const auto code = [&](const std::vector<Part>& parts) {
    return WriteParts(parts).status.error_code();
  };
  EXPECT_EQ(code({{name, 3, "lo", true}}), grpc::StatusCode::OUT_OF_RANGE);
  EXPECT_EQ(code({{name, 0, "hullo", true}}), grpc::StatusCode::DATA_LOSS);
  EXPECT_EQ(code({{name, 0, "hello world", true}}), grpc::StatusCode::DATA_LOSS);
  EXPECT_EQ(code({{name, 0, "hel", true}}), grpc::StatusCode::DATA_LOSS);
  EXPECT_EQ(code({{"uploads/../blobs/x/1", 0, "x", true}}), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(code({{name, 0, "he", false}, {WriteName(DigestOf("other")), 2, "llo", true}}),
            grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(code({}), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_FALSE(store_->Contains(digest));
}

}  // namespace
}  // namespace potok::server
