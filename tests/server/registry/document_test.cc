#include "server/registry/document.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace potok::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kArtifact =
    "potok-artifact:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff/1?folder=1";

std::vector<std::string> Said(const std::string& before, const std::string& after) {
  std::vector<std::string> said;
  for (const Difference& difference : DifferencesOf(before, after, 5)) {
    said.push_back(ToString(difference));
  }
  return said;
}

std::string WhyNot(AssetKind kind, const std::string& document) {
  return std::string(CheckDocument(kind, document).message());
}

TEST(DocumentTest, SaysFieldByFieldWhatDiffers) {
  EXPECT_THAT(Said(R"({"command":"a","inputs":{"lr":{"type":"number","default":1}},"old":[1]})",
                   R"({"command":"b","inputs":{"lr":{"type":"number","default":2}},"new":{}})"),
              ElementsAre("command: 'a' is now 'b'",
                          "inputs.lr.default: 1 is now 2",
                          "new: is new: {}",
                          "old: is gone; it was [1]"));
}

TEST(DocumentTest, FindsNoDifferenceInOrderAndBlanks) {
  EXPECT_THAT(
      Said(R"({"a":1,"b":{"c":[1,2],"d":null}})", R"( { "b": {"d":null, "c":[1, 2]}, "a":1})"),
      IsEmpty());
}

TEST(DocumentTest, ShowsAtMostSoManyAndCutsLongOnes) {
  EXPECT_EQ(DifferencesOf(R"({"a":1,"b":1,"c":1})", R"({"a":2,"b":2,"c":2})", 2).size(), 2U);
  std::string text;
  for (int i = 0; i < 300; ++i) text += "ü";
  const std::vector<Difference> cut = DifferencesOf(R"({"a":""})", R"({"a":")" + text + "\"}", 5);
  EXPECT_LT(cut[0].after.size(), 210U);
  EXPECT_THAT(cut[0].after, testing::EndsWith("ü..."));
}

TEST(DocumentTest, FindsArtifactsWhereverTheyAre) {
  const std::string other = kArtifact + "&bytes=2";
  EXPECT_THAT(ArtifactsIn(R"({"code":")" + kArtifact + R"(","jobs":{"a":[{"code":")" + other +
                          R"("},")" + kArtifact + R"("]}})"),
              ElementsAre(kArtifact, other));
}

TEST(DocumentTest, RefusesWhatIsNone) {
  EXPECT_THAT(WhyNot(AssetKind::kComponent, ""), HasSubstr("no JSON object"));
  EXPECT_THAT(WhyNot(AssetKind::kComponent, "[]"), HasSubstr("no JSON object"));
  EXPECT_THAT(WhyNot(AssetKind::kComponent, R"({"type":"command"} x)"),
              HasSubstr("no JSON object"));
  EXPECT_THAT(WhyNot(AssetKind::kComponent, "{}"), HasSubstr("no type"));
  EXPECT_THAT(WhyNot(AssetKind::kComponent, R"({"type":"command","x":"a\u0000b"})"),
              HasSubstr("zero byte"));
  EXPECT_THAT(WhyNot(AssetKind::kEnvironment, R"({"os_type":"linux"})"), HasSubstr("image"));
  EXPECT_THAT(WhyNot(AssetKind::kData, R"({"type":"uri_file"})"), HasSubstr("no path"));
  EXPECT_THAT(WhyNot(AssetKind::kData, R"({"type":"mlflow_model","path":"x"})"),
              HasSubstr("uri_file, uri_folder or mltable"));
  EXPECT_THAT(WhyNot(AssetKind::kModel, R"({"type":"uri_file","path":"x"})"),
              HasSubstr("custom_model"));
  EXPECT_TRUE(CheckDocument(AssetKind::kData, R"({"type":"mltable","path":"x"})").ok());
}

TEST(DocumentTest, RefusesWhatWouldFillStackOrMemory) {
  EXPECT_THAT(WhyNot(AssetKind::kComponent, std::string(200'000, '[')), HasSubstr("nested"));
  std::string deep = R"({"type":"x","a":)";
  for (int i = 0; i < 200; ++i) deep += R"({"a":)";
  EXPECT_THAT(WhyNot(AssetKind::kComponent, deep), HasSubstr("nested"));
  EXPECT_THAT(WhyNot(AssetKind::kComponent, R"({"type":")" + std::string(5 << 20, 'x') + "\"}"),
              HasSubstr("4194304 are allowed"));
  // Brackets in texts are none.
  EXPECT_TRUE(CheckDocument(AssetKind::kComponent,
                            R"({"type":"x","c":"\"[)" + std::string(500, '[') + "\"}")
                  .ok());
}

TEST(DocumentTest, ReplacesAText) {
  const std::string document =
      WithText(R"({"path":"runs:/r/o","type":"uri_file"})", "path", "a\"b");
  EXPECT_EQ(TextOf(document, "path"), "a\"b");
  EXPECT_EQ(TextOf(document, "type"), "uri_file");
  EXPECT_EQ(TextOf(document, "absent"), "");
}

}  // namespace
}  // namespace potok::server
