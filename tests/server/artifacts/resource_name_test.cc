#include "server/rpc/cas/resource_name.h"

#include <gtest/gtest.h>

namespace potok::server {
namespace {

const std::string kHash(64, 'a');

TEST(ResourceNameTest, ReadsTheNamesOfBlobsAndUploads) {
  const auto read = ParseReadName("blobs/" + kHash + "/12");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, *ParseDigest(kHash, 12));
  const auto write = ParseWriteName("uploads/6f1c-A9/blobs/" + kHash + "/0");
  ASSERT_TRUE(write.ok()) << write.status();
  EXPECT_EQ(write->upload_id, "6f1c-A9");
  EXPECT_EQ(write->digest, *ParseDigest(kHash, 0));
}

TEST(ResourceNameTest, RefusesEverythingElse) {
  const std::string upper(64, 'A');
  for (const std::string& name : {std::string(),
                                  std::string("/"),
                                  std::string("blobs"),
                                  "blobs/" + kHash,
                                  "blobs/" + kHash + "/",
                                  "blobs/" + kHash + "/-1",
                                  "blobs/" + kHash + "/+1",
                                  "blobs/" + kHash + "/01",
                                  "blobs/" + kHash + "/1x",
                                  "blobs/" + kHash + "/ 1",
                                  "blobs/" + kHash + "/9999999999999999999",
                                  "blobs/" + kHash + "/1/",
                                  "blobs/" + kHash + "/1/more",
                                  "/blobs/" + kHash + "/1",
                                  "instance/blobs/" + kHash + "/1",
                                  "blobs/" + upper + "/1",
                                  "blobs/" + kHash.substr(1) + "/1",
                                  "blobs/" + kHash + "a/1",
                                  std::string("blobs/../../etc/passwd"),
                                  "blobs/../" + kHash + "/1",
                                  "compressed-blobs/zstd/" + kHash + "/1",
                                  "blobs/" + kHash + std::string("/1\0", 3),
                                  std::string(100'000, '/')}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseReadName(name).status())) << name.substr(0, 100);
    EXPECT_FALSE(ParseWriteName("uploads/id/" + name).ok()) << name.substr(0, 100);
  }
}

TEST(ResourceNameTest, RefusesHostileUploadIds) {
  for (const std::string& id : {std::string(),
                                std::string(".."),
                                std::string("."),
                                std::string("a.b"),
                                std::string("a b"),
                                std::string("a\0b", 3),
                                std::string("\xC3\xBC"),
                                std::string("a/../b"),
                                std::string(65, 'a')}) {
    EXPECT_FALSE(ParseWriteName("uploads/" + id + "/blobs/" + kHash + "/1").ok()) << id;
  }
  EXPECT_TRUE(ParseWriteName("uploads/" + std::string(64, 'a') + "/blobs/" + kHash + "/1").ok());
}

}  // namespace
}  // namespace potok::server
