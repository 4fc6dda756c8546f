// The rules of the registry, over a store in memory and real blobs.
#include "server/registry/registry.h"

#include "common/cas/snapshot.h"
#include "common/pipeline/artifact_reference.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/registry/document.h"
#include "tests/common/cas/cas_testing.h"
#include "tests/support/fake_asset_store.h"

namespace potok::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class SteadyClock final : public Clock {
 public:
  absl::Time Now() const override { return absl::FromUnixMicros(1'000'000); }
};

class RegistryTest : public testing::Test {
 protected:
  static NewAsset Component(const std::string& version, const std::string& document) {
    NewAsset asset;
    asset.kind = AssetKind::kComponent;
    asset.name = "train";
    asset.version = version;
    asset.document = document;
    asset.created_by = "ada";
    return asset;
  }
  static NewAsset Data(const std::string& path) {
    NewAsset asset;
    asset.kind = AssetKind::kData;
    asset.name = "taxi";
    asset.document = R"({"type":"uri_folder","path":")" + path + "\"}";
    return asset;
  }
  static AssetChoice Train(const std::string& version, const std::string& label = "") {
    return {AssetKind::kComponent, "train", version, label};
  }

  // A folder of the disk as an artifact of the store.
  std::string Stored(const std::string& folder) {
    const auto snapshot = SnapshotFolder(folder_ / folder, {});
    EXPECT_TRUE(snapshot.ok() && artifacts_->Put(*snapshot).ok());
    return ArtifactReference(snapshot->artifact);
  }
  std::string WhyNot(NewAsset asset) {
    return std::string(registry_.Create(std::move(asset)).status().message());
  }

  TemporaryFolder folder_;
  std::unique_ptr<BlobStore> blobs_ = OpenStore(folder_ / "blobs");
  std::unique_ptr<ArtifactStore> artifacts_ = LocalArtifacts(*blobs_);
  std::unique_ptr<Datastores> datastores_ = *Datastores::Open(folder_ / "data", *artifacts_);
  FakeAssetStore assets_;
  SteadyClock clock_;
  std::string asked_;
  absl::StatusOr<Artifact> output_ = absl::NotFoundError("there is no run 'r'");
  Registry registry_{assets_,
                     *artifacts_,
                     *datastores_,
                     [this](const std::string& uri) {
                       asked_ = uri;
                       return output_;
                     },
                     clock_};
};

const std::string kEcho = R"({"type":"command","command":"echo a"})";

TEST_F(RegistryTest, TakesTheSameContentAgain) {
  const auto first = registry_.Create(Component("1", kEcho));
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_TRUE(first->is_new);
  NewAsset again = Component("1", R"({ "command":"echo a", "type":"command" })");
  again.description = "not looked at";
  again.created_by = "bob";
  const auto second = registry_.Create(again);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_FALSE(second->is_new);
  EXPECT_EQ(second->row.created_by, "ada");
  EXPECT_EQ(second->row.description, "");
}

TEST_F(RegistryTest, RefusesOtherContentAndSaysWhatDiffers) {
  ASSERT_TRUE(registry_.Create(Component("1", kEcho)).ok());
  const auto other =
      registry_.Create(Component("1", R"({"type":"command","command":"echo b","code":"x"})"));
  EXPECT_EQ(other.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(std::string(other.status().message()),
            "component train:1 is already registered with other content, by ada; give this one "
            "another version, or none for the next number:\n"
            "  code: is new: 'x'\n"
            "  command: 'echo a' is now 'echo b'");
  EXPECT_EQ(registry_.Get(Train("1"))->document, kEcho);
}

TEST_F(RegistryTest, NamesTheFilesOfTheCodeThatDiffer) {
  WriteFile(folder_ / "a/train.py", "1");
  WriteFile(folder_ / "a/lib/util.py", "1");
  WriteFile(folder_ / "a/old.py", "1");
  WriteFile(folder_ / "b/train.py", "1");
  WriteFile(folder_ / "b/lib/util.py", "2");
  WriteFile(folder_ / "b/new.py", "1");
  const auto document = [](const std::string& code) {
    return R"({"type":"command","command":"c","code":")" + code + "\"}";
  };
  ASSERT_TRUE(registry_.Create(Component("1", document(Stored("a")))).ok());
  EXPECT_THAT(
      WhyNot(Component("1", document(Stored("b")))),
      testing::EndsWith("\n    lib/util.py differs\n    old.py is gone\n    new.py is new"));
}

TEST_F(RegistryTest, CountsVersionsWhereNoneIsGiven) {
  EXPECT_EQ(registry_.Create(Component("", kEcho))->row.version, "1");
  EXPECT_EQ(registry_.Create(Component("", kEcho))->row.version, "2");
  EXPECT_EQ(registry_.Get(Train(""))->version, "2");
  EXPECT_EQ(registry_.Get(Train("latest"))->version, "2");
}

TEST_F(RegistryTest, SaysWhatThereIsInsteadOfWhatIsNot) {
  ASSERT_TRUE(registry_.Create(Component("1", kEcho)).ok());
  ASSERT_TRUE(registry_.Create(Component("2", kEcho)).ok());
  const auto why = [&](const AssetChoice& choice) {
    const absl::Status status = registry_.Get(choice).status();
    EXPECT_TRUE(absl::IsNotFound(status)) << status;
    return std::string(status.message());
  };
  EXPECT_EQ(why(Train("3")), "component 'train' has no version '3'; it has 2, 1");
  EXPECT_EQ(why(Train("", "prod")), "component 'train' has no label 'prod'; it has latest");
  EXPECT_THAT(why({AssetKind::kComponent, "trian", "", ""}),
              testing::AllOf(HasSubstr("'trian' is not registered"), HasSubstr("train")));
  EXPECT_THAT(why({AssetKind::kModel, "train", "", ""}),
              testing::AllOf(HasSubstr("model 'train' is not registered"),
                             HasSubstr("`potok model list`")));
  // Labels that stay where they are do not hide that.
  ASSERT_TRUE(registry_.Update(Train("1"), {}, {"prod"}, {}).ok());
  ASSERT_EQ(*registry_.SetArchived(Train(""), true), 2);
  EXPECT_EQ(why(Train("")),
            "every version of component 'train' is archived; name one exactly, as train:2, or "
            "restore one");
  EXPECT_TRUE(registry_.Get(Train("1")).ok());
}

TEST_F(RegistryTest, RefusesHostileNamesAndTexts) {
  for (const std::string& name : {std::string(""),
                                  std::string("../x"),
                                  std::string("a/b"),
                                  std::string("a:b"),
                                  std::string("a b"),
                                  std::string("x\0y", 3),
                                  std::string(300, 'a')}) {
    NewAsset asset = Component("1", kEcho);
    asset.name = name;
    EXPECT_TRUE(absl::IsInvalidArgument(registry_.Create(asset).status())) << name;
  }
  EXPECT_THAT(WhyNot(Component("latest", kEcho)), HasSubstr("label"));
  EXPECT_THAT(WhyNot(Component("a/b", kEcho)), HasSubstr("no version"));
  NewAsset tags = Component("1", kEcho);
  tags.tags[std::string("a\0", 2)] = "b";
  EXPECT_THAT(WhyNot(tags), HasSubstr("zero byte"));
  NewAsset big = Component("1", kEcho);
  big.description = std::string(100'000, 'x');
  EXPECT_THAT(WhyNot(big), HasSubstr("65536 are allowed"));
  EXPECT_TRUE(registry_.List({})->empty());
}

TEST_F(RegistryTest, RefusesBytesThatAreNotStored) {
  const std::string missing =
      "potok-artifact:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff/1?folder=1";
  const auto created = registry_.Create(Data(missing));
  EXPECT_EQ(created.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(created.status().message()), HasSubstr("not in the store"));
  EXPECT_THAT(WhyNot(Data("potok-artifact:short")), HasSubstr("is no artifact"));
}

TEST_F(RegistryTest, KeepsWhatTheOutputOfARunWas) {
  WriteFile(folder_ / "out/model.bin", "m");
  const std::string artifact = Stored("out");
  output_ = *ParseArtifactReference(artifact);
  const auto created = registry_.Create(Data("azureml://jobs/r/outputs/o"));
  ASSERT_TRUE(created.ok()) << created.status();
  EXPECT_EQ(asked_, "azureml://jobs/r/outputs/o");
  EXPECT_EQ(TextOf(created->row.document, "path"), artifact);
  EXPECT_THAT(created->row.artifacts, ElementsAre(artifact));
  EXPECT_EQ(created->row.properties.at("potok.source"), "azureml://jobs/r/outputs/o");
  output_ = absl::NotFoundError("there is no run 'x'");
  EXPECT_EQ(WhyNot(Data("runs:/x/o")), "there is no run 'x'");
}

TEST_F(RegistryTest, ChecksWhereDataIs) {
  EXPECT_TRUE(registry_.Create(Data("azureml://datastores/workspaceblobstore/paths/a")).ok());
  EXPECT_TRUE(registry_.Create(Data("https://example.com/a.csv")).ok());
  EXPECT_THAT(WhyNot(Data("azureml://datastores/mine/paths/a")),
              HasSubstr("there is no datastore 'mine'"));
  EXPECT_THAT(WhyNot(Data("azureml://datastores/workspaceblobstore/paths/../a")), HasSubstr(".."));
  EXPECT_THAT(WhyNot(Data("azureml:other:1")), HasSubstr("another registered version"));
  EXPECT_THAT(WhyNot(Data("/etc/passwd")), HasSubstr("uploaded first"));
}

TEST_F(RegistryTest, MakesDatastores) {
  NewAsset datastore;
  datastore.kind = AssetKind::kDatastore;
  datastore.name = "team";
  datastore.document = R"({"type":"azure_blob"})";
  EXPECT_EQ(registry_.Create(datastore)->row.version, "1");
  EXPECT_FALSE(registry_.Create(datastore)->is_new);
  EXPECT_THAT(datastores_->Names(),
              ElementsAre("team", "workspaceblobstore", "workspacefilestore"));
  datastore.name = "a.b";
  EXPECT_FALSE(registry_.Create(datastore).ok());
  ASSERT_TRUE(registry_.AdoptDatastores().ok());
  ASSERT_TRUE(registry_.AdoptDatastores().ok());
  AssetFilter filter;
  filter.kind = AssetKind::kDatastore;
  EXPECT_EQ(registry_.List(filter)->size(), 3U);
}

TEST_F(RegistryTest, ChangesWhatIsSaidOfAVersion) {
  ASSERT_TRUE(registry_.Create(Component("1", kEcho)).ok());
  ASSERT_TRUE(registry_.Create(Component("2", kEcho)).ok());
  AssetChange change;
  change.set_tags = {{"owner", "team"}};
  const auto changed = registry_.Update(Train("1"), change, {"prod"}, {});
  ASSERT_TRUE(changed.ok()) << changed.status();
  EXPECT_EQ(changed->tags.at("owner"), "team");
  EXPECT_THAT(changed->labels, ElementsAre("prod"));
  EXPECT_EQ(registry_.Get(Train("", "prod"))->version, "1");
  EXPECT_EQ(registry_.Resolve(AssetKind::kComponent, "azureml:train@prod")->version, "1");
  // A label that is at another version is not taken off by this one.
  ASSERT_TRUE(registry_.Update(Train("2"), {}, {}, {"prod"}).ok());
  EXPECT_EQ(registry_.Get(Train("", "prod"))->version, "1");
  EXPECT_THAT(std::string(registry_.Update(Train("1"), {}, {"latest"}, {}).status().message()),
              HasSubstr("created last"));
  EXPECT_TRUE(absl::IsInvalidArgument(registry_.Update(Train("1"), {}, {"a b"}, {}).status()));
}

TEST_F(RegistryTest, DoesNotTakeVersionAndLabelTogether) {
  EXPECT_TRUE(absl::IsInvalidArgument(registry_.Get(Train("1", "prod")).status()));
}

}  // namespace
}  // namespace potok::server
