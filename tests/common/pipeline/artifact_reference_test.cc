#include "common/pipeline/artifact_reference.h"

#include <random>

#include "fmt/format.h"
#include "gmock/gmock.h"

namespace potok {
namespace {

using ::testing::HasSubstr;

// Of no bytes.
const char kEmpty[] =
    "potok-artifact:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855/0";

std::string Empty(const char* query) {
  return fmt::format("{}{}", kEmpty, query);
}

TEST(ArtifactReferenceTest, SaysOnlyWhatTheArtifactSays) {
  Artifact artifact;
  artifact.digest = DigestOf("");
  EXPECT_EQ(ArtifactReference(artifact), kEmpty);
  artifact.is_folder = true;
  artifact.total_bytes = 12;
  EXPECT_EQ(ArtifactReference(artifact), Empty("?folder=1&bytes=12"));
  artifact.is_folder = false;
  artifact.file_name = "a b&c%.csv";
  EXPECT_EQ(ArtifactReference(artifact), Empty("?bytes=12&name=a%20b%26c%25.csv"));
}

TEST(ArtifactReferenceTest, ReadsBackWhatItWrites) {
  std::mt19937 random(7);
  for (int i = 0; i < 2000; ++i) {
    Artifact artifact;
    artifact.digest = DigestOf(std::to_string(random()));
    artifact.is_folder = random() % 2 == 0;
    artifact.total_bytes = random() % 3 == 0 ? 0 : static_cast<std::int64_t>(random()) * 5000;
    for (std::size_t left = random() % 20; left > 0; --left) {
      const char byte = static_cast<char>(random() % 255 + 1);
      if (byte != '/') artifact.file_name += byte;
    }
    if (artifact.file_name == "." || artifact.file_name == "..") continue;
    const std::string text = ArtifactReference(artifact);
    ASSERT_TRUE(IsArtifactReference(text));
    const auto read = ParseArtifactReference(text);
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(*read, artifact) << text;
  }
}

TEST(ArtifactReferenceTest, RefusesWhatIsNoReference) {
  ASSERT_TRUE(ParseArtifactReference(kEmpty).ok());
  const std::string hex = DigestOf("").Hex();
  for (const std::string& text : {std::string("potok-artifact:"),
                                  std::string("potok-artifact:abc/5"),
                                  fmt::format("potok-artifact:{}", hex),
                                  fmt::format("potok-artifact:{}/", hex),
                                  fmt::format("potok-artifact:{}/-1", hex),
                                  fmt::format("potok-artifact:{}/5x", hex),
                                  Empty("?"),
                                  Empty("?folder"),
                                  Empty("?folder=2"),
                                  Empty("?bytes=-1"),
                                  Empty("?bytes=99999999999999999999"),
                                  Empty("?name=.."),
                                  Empty("?name=a%2Fb"),
                                  Empty("?name=a%00b"),
                                  Empty("?name=%zz"),
                                  Empty("?name=a%2"),
                                  Empty("?size=3")}) {
    const auto read = ParseArtifactReference(text);
    EXPECT_FALSE(read.ok()) << text;
    EXPECT_THAT(std::string(read.status().message()),
                HasSubstr("the form is potok-artifact:SHA256/BYTES"));
  }
}

}  // namespace
}  // namespace potok
