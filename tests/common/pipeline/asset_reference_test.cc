#include "common/pipeline/asset_reference.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace potok {

namespace {

using testing::HasSubstr;

AssetReference Parsed(const std::string& text) {
  const absl::StatusOr<AssetReference> reference = ParseAssetReference(text);
  EXPECT_TRUE(reference.ok()) << text << ": " << reference.status();
  return reference.value_or(AssetReference{});
}

TEST(AssetReferenceTest, ReadsEveryForm) {
  const std::optional<AssetKind> none;
  const struct {
    std::string text;
    AssetReference reference;
  } cases[] = {
      {"azureml:train:3", {"", "train", "3", "", none}},
      {"azureml:train:2024-01-02.b", {"", "train", "2024-01-02.b", "", none}},
      {"azureml:train@prod", {"", "train", "", "prod", none}},
      {"azureml:train@latest", {"", "train", "", "latest", none}},
      {"azureml:train:latest", {"", "train", "", "latest", none}},
      {"azureml:train", {"", "train", "", "latest", none}},
      {"azureml://registries/shared/components/train/versions/2",
       {"shared", "train", "2", "", AssetKind::kComponent}},
      {"azureml://registries/azureml/environments/sklearn-1.5/labels/latest",
       {"azureml", "sklearn-1.5", "", "latest", AssetKind::kEnvironment}},
      {"azureml://registries/azureml/models/bert",
       {"azureml", "bert", "", "latest", AssetKind::kModel}},
      {"azureml:/subscriptions/s/resourceGroups/g/providers/p/workspaces/w/data/taxi/versions/3",
       {"", "taxi", "3", "", AssetKind::kData}},
      {"azureml:/subscriptions/s/environments/env/labels/x",
       {"", "env", "", "x", AssetKind::kEnvironment}},
      {"azureml://locations/l/workspaces/w/data/taxi/versions/1",
       {"", "taxi", "1", "", AssetKind::kData}},
  };
  for (const auto& one : cases) EXPECT_EQ(Parsed(one.text), one.reference) << one.text;
}

TEST(AssetReferenceTest, KnowsWhatIsNotRegistered) {
  for (const char* text : {"azureml://datastores/d/paths/p",
                           "azureml://subscriptions/s/resourcegroups/g/workspaces/w/datastores/d/"
                           "paths/p",
                           "azureml://jobs/j/outputs/o",
                           "azureml:wasbs://c@a/p",
                           "https://example.com/a",
                           "train",
                           "azureml",
                           ""}) {
    EXPECT_FALSE(IsRegistered(text)) << text;
    EXPECT_FALSE(ParseAssetReference(text).ok()) << text;
  }
}

TEST(AssetReferenceTest, RefusesHostileNames) {
  for (const std::string& text : {std::string("azureml:"),
                                  std::string("azureml::1"),
                                  std::string("azureml:a:"),
                                  std::string("azureml:a@"),
                                  std::string("azureml:@latest"),
                                  std::string("azureml:../x:1"),
                                  std::string("azureml:a b:1"),
                                  std::string("azureml:a\n:1"),
                                  std::string("azureml:a\0b:1", 13),
                                  std::string("azureml:a:'; DROP TABLE assets"),
                                  std::string("azureml:ü:1"),
                                  "azureml:" + std::string(256, 'a') + ":1",
                                  "azureml:a:" + std::string(65, '1'),
                                  std::string("azureml:/subscriptions/s/computes/c"),
                                  std::string("azureml:/data")}) {
    const auto reference = ParseAssetReference(text);
    ASSERT_FALSE(reference.ok()) << text;
    EXPECT_THAT(std::string(reference.status().message()), HasSubstr("azureml:NAME:VERSION"));
    EXPECT_LT(reference.status().message().size(), 600U);
  }
}

TEST(AssetReferenceTest, ChecksNamesAndVersions) {
  EXPECT_TRUE(CheckAssetName(AssetKind::kComponent, "my_train-2.x").ok());
  EXPECT_TRUE(CheckAssetName(AssetKind::kDatastore, "team_data").ok());
  EXPECT_FALSE(CheckAssetName(AssetKind::kDatastore, "team.data").ok());
  for (const char* name : {"", ".", "..", ".hidden", "-x", "a/b", "a b", "a:b", "a@b"}) {
    EXPECT_FALSE(CheckAssetName(AssetKind::kComponent, name).ok()) << name;
  }
  EXPECT_TRUE(CheckAssetVersion("1.0-rc_2").ok());
  for (const char* version : {"", "latest", "1:2", "a/b", "1 "}) {
    EXPECT_FALSE(CheckAssetVersion(version).ok()) << version;
  }
}

}  // namespace

}  // namespace potok
