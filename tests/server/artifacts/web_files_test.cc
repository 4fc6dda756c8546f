#include "server/artifacts/web_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fmt/format.h"
#include "tests/common/cas/cas_testing.h"
#include "tests/server/artifacts/web_source.h"

namespace potok::server {
namespace {

using testing::HasSubstr;
using testing::Not;

// A file on the web as it is now, and how its source describes it.
struct Page {
  std::string lines;  // of the head
  std::string body;
};

// Answers 304 to the conditions that a source of this page would find true.
std::string AnswerOf(const Page& page, const std::string& head) {
  for (const std::string name : {"If-None-Match: ", "If-Modified-Since: "}) {
    const std::size_t at = head.find(name);
    if (at == std::string::npos) continue;
    const std::size_t begin = at + name.size();
    const std::string value = head.substr(begin, head.find("\r\n", begin) - begin);
    if (page.lines.find(value) != std::string::npos) return Reply("304 Not Modified", "", "");
  }
  return Reply("200 OK", page.lines, page.body);
}

class WebFilesTest : public testing::Test {
 protected:
  static WebOptions Options() {
    WebOptions options;
    options.local_sources = true;
    return options;
  }
  Artifact Find(const std::string& path = "/x") {
    const auto file = files_.Find(source_.Url(path), nullptr);
    EXPECT_TRUE(file.ok()) << file.status();
    return file.ok() ? *file : Artifact();
  }

  TemporaryFolder folder_;
  std::unique_ptr<BlobStore> blobs_ = OpenStore(folder_ / "blobs");
  std::unique_ptr<ArtifactStore> store_ = LocalArtifacts(*blobs_);
  Page page_{"ETag: \"v1\"\r\n", "one"};
  const WebSource source_{[this](const std::string& head) { return AnswerOf(page_, head); }};
  WebFiles files_{*store_, Options()};
};

TEST_F(WebFilesTest, TakesAgainWhatTheSourceSaysIsStillThere) {
  const Artifact first = Find("/a/x.csv");
  EXPECT_EQ(first.digest, DigestOf("one"));
  page_.body = "not sent";
  EXPECT_EQ(Find("/a/x.csv"), first);
  EXPECT_THAT(source_.requests().back(), HasSubstr("If-None-Match: \"v1\"\r\n"));
  EXPECT_EQ(Find("/a/x.csv"), first);
  EXPECT_EQ(source_.requests().size(), 3U);
}

TEST_F(WebFilesTest, FetchesWhatHasChanged) {
  Find();
  page_ = {"ETag: \"v2\"\r\n", "two"};
  EXPECT_EQ(Find().digest, DigestOf("two"));
  page_.body = "not sent";
  EXPECT_EQ(Find().digest, DigestOf("two"));
}

TEST_F(WebFilesTest, AsksForEachAddressByItself) {
  Find("/x?version=1");
  page_.body = "two";
  EXPECT_EQ(Find("/x?version=2").digest, DigestOf("two"));
  EXPECT_THAT(source_.requests().back(), Not(HasSubstr("If-None-Match")));
}

TEST_F(WebFilesTest, ADateCountsOnceItIsAMinuteOld) {
  page_.lines =
      "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\nDate: Sun, 06 Nov 1994 08:50:36 GMT\r\n";
  Find();
  page_.body = "two";  // in the same second
  EXPECT_EQ(Find().digest, DigestOf("two"));
  page_.lines =
      "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\nDate: Sun, 06 Nov 1994 08:50:37 GMT\r\n";
  Find();
  page_.body = "not sent";
  EXPECT_EQ(Find().digest, DigestOf("two"));
  EXPECT_THAT(source_.requests().back(),
              HasSubstr("If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
}

TEST_F(WebFilesTest, FetchesAgainWhatTheSourceDoesNotVouchFor) {
  for (const std::string lines : {"", "ETag: W/\"v1\"\r\n", "Last-Modified: yesterday\r\n"}) {
    page_ = {lines, "one of " + lines};
    Find();
    page_.body = "two of " + lines;
    EXPECT_EQ(Find().digest, DigestOf(page_.body)) << lines;
  }
}

TEST_F(WebFilesTest, FetchesAgainWhatTheStoreHasLost) {
  const Artifact file = Find();
  ASSERT_TRUE(*blobs_->RemoveUnused(file.digest, absl::InfiniteFuture()));
  EXPECT_EQ(Find(), file);
  EXPECT_EQ(*blobs_->Read(file.digest), "one");
  EXPECT_THAT(source_.requests().back(), Not(HasSubstr("If-None-Match")));
}

TEST_F(WebFilesTest, ForgetsTheAddressThatWasUsedLongestAgo) {
  for (std::size_t i = 0; i < WebFiles::kRememberedMax; ++i) Find(fmt::format("/{}", i));
  Find("/0");
  Find("/one-more");
  Find("/0");
  EXPECT_THAT(source_.requests().back(), HasSubstr("If-None-Match"));
  Find("/1");
  EXPECT_THAT(source_.requests().back(), Not(HasSubstr("If-None-Match")));
}

TEST_F(WebFilesTest, WhatASourceFailsAtIsFinal) {
  page_.lines = "ETag: \"v1\"\r\n";
  const WebSource refuses(
      [](const std::string&) { return Reply("304 Not Modified", "", ""); });  // unasked
  const auto file = files_.Find(refuses.Url("/x"), nullptr);
  EXPECT_TRUE(absl::IsInvalidArgument(file.status())) << file.status();
  EXPECT_THAT(std::string(file.status().message()), HasSubstr("answered 304"));
}

}  // namespace
}  // namespace potok::server
