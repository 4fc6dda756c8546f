// The contract of what is registered, over the fake and over PostgreSQL.
#include <atomic>
#include <set>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/store/postgres/postgres_store.h"
#include "tests/support/fake_asset_store.h"
#include "tests/support/temporary_postgres.h"

namespace potok::server {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

enum class StoreKind { kFake, kPostgres };

class AssetStoreTest : public testing::TestWithParam<StoreKind> {
 protected:
  AssetStoreTest() {
    if (GetParam() == StoreKind::kFake) {
      bundle_.assets = std::make_unique<FakeAssetStore>();
      return;
    }
    auto opened = OpenPostgres(TemporaryPostgres::Shared().NewDatabase());
    EXPECT_TRUE(opened.ok()) << opened.status();
    bundle_ = *std::move(opened);
  }

  AssetStore& assets() { return *bundle_.assets; }

  AssetRow ARow(const std::string& name, const std::string& version = "") {
    AssetRow row;
    row.kind = AssetKind::kData;
    row.name = name;
    row.version = version;
    row.document = R"({"path":"x"})";
    row.created_us = 1000 + ++made_;
    row.created_by = "ada";
    row.origin = "origin " + std::to_string(made_);
    return row;
  }
  std::string Insert(const AssetRow& row) {
    const auto inserted = assets().Insert(row);
    return inserted.ok() ? inserted->version : inserted.status().ToString();
  }
  std::vector<std::string> Labels(const std::string& name, const std::string& version) {
    return assets().Get(AssetKind::kData, name, version)->labels;
  }
  static AssetFilter All(const std::string& name = "") {
    AssetFilter filter;
    filter.kind = AssetKind::kData;
    filter.name = name;
    return filter;
  }
  static AssetFilter With(Archived archived) {
    AssetFilter filter = All();
    filter.archived = archived;
    return filter;
  }
  std::vector<std::string> List(const AssetFilter& filter) {
    std::vector<std::string> names;
    const auto rows = assets().List(filter);
    EXPECT_TRUE(rows.ok()) << rows.status();
    for (const AssetRow& row : *rows) names.push_back(row.name + row.version);
    return names;
  }

  StoreBundle bundle_;
  std::atomic<int> made_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Stores,
                         AssetStoreTest,
                         testing::Values(StoreKind::kFake, StoreKind::kPostgres),
                         [](const auto& test) {
                           return test.param == StoreKind::kFake ? "Fake" : "Postgres";
                         });

TEST_P(AssetStoreTest, GivesBackWhatWasRegistered) {
  AssetRow row = ARow("taxi", "v1.0");
  row.artifacts = {"potok-artifact:a", "potok-artifact:b"};
  row.description = "Of 2019; 'quoted' \"twice\" \\ ü 𝛼\nand a line";
  row.display_name = "Taxi";
  row.tags = {{"a", "1"}, {"b c", "{\"x\": null}"}, {"ü", ""}};
  row.properties = {{"p", "q"}};
  row.made_by = "run/step";
  ASSERT_TRUE(assets().Insert(row).ok());
  const auto found = assets().Get(AssetKind::kData, "taxi", "v1.0");
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->document, row.document);
  EXPECT_EQ(found->artifacts, row.artifacts);
  EXPECT_EQ(found->description, row.description);
  EXPECT_EQ(found->display_name, "Taxi");
  EXPECT_EQ(found->tags, row.tags);
  EXPECT_EQ(found->properties, row.properties);
  EXPECT_EQ(found->created_us, row.created_us);
  EXPECT_EQ(found->modified_us, row.created_us);
  EXPECT_EQ(found->created_by, "ada");
  EXPECT_EQ(found->made_by, "run/step");
  EXPECT_FALSE(found->archived);
  EXPECT_THAT(found->labels, ElementsAre("latest"));
}

TEST_P(AssetStoreTest, KnowsWhatIsNotThere) {
  Insert(ARow("taxi", "1"));
  EXPECT_TRUE(absl::IsNotFound(assets().Get(AssetKind::kModel, "taxi", "1").status()));
  EXPECT_TRUE(absl::IsNotFound(assets().Get(AssetKind::kData, "taxi", "2").status()));
  EXPECT_TRUE(absl::IsNotFound(assets().GetByLabel(AssetKind::kData, "x", "latest").status()));
  EXPECT_TRUE(absl::IsNotFound(assets().GetByLabel(AssetKind::kData, "taxi", "prod").status()));
  EXPECT_TRUE(absl::IsNotFound(assets().Update(AssetKind::kData, "x", "1", {}).status()));
  EXPECT_TRUE(absl::IsNotFound(assets().SetLabel(AssetKind::kData, "taxi", "prod", "2")));
  EXPECT_TRUE(absl::IsNotFound(
      assets().SetArchived(AssetKind::kData, "x", std::nullopt, true, 1).status()));
}

TEST_P(AssetStoreTest, CountsVersionsFromTheHighestNumber) {
  EXPECT_EQ(Insert(ARow("taxi")), "1");
  EXPECT_EQ(Insert(ARow("taxi")), "2");
  EXPECT_EQ(Insert(ARow("taxi", "10")), "10");
  EXPECT_EQ(Insert(ARow("taxi", "3")), "3");
  EXPECT_EQ(Insert(ARow("taxi", "v99")), "v99");
  EXPECT_EQ(Insert(ARow("taxi", "099")), "099");
  EXPECT_EQ(Insert(ARow("taxi")), "11");
  EXPECT_EQ(Insert(ARow("other")), "1");
}

TEST_P(AssetStoreTest, GivesAVersionOnce) {
  AssetRow row = ARow("taxi", "1");
  ASSERT_TRUE(assets().Insert(row).ok());
  EXPECT_EQ(assets().Insert(ARow("taxi", "1")).status().code(), absl::StatusCode::kAlreadyExists);
  // The same creation, whose answer was lost.
  row.document = "not looked at";
  const auto again = assets().Insert(row);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->document, R"({"path":"x"})");
  AssetRow next = ARow("taxi");
  EXPECT_EQ(Insert(next), "2");
  EXPECT_EQ(Insert(next), "2");
}

TEST_P(AssetStoreTest, GivesEachOfManyTheirOwnNumber) {
  std::vector<std::thread> threads;
  std::vector<std::string> versions(16);
  for (std::string& version : versions) {
    threads.emplace_back([&] { version = Insert(ARow("taxi")); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(std::set<std::string>(versions.begin(), versions.end()).size(), versions.size());
}

TEST_P(AssetStoreTest, LetsOneOfManyHaveAVersion) {
  std::vector<std::thread> threads;
  std::atomic<int> got = 0;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&] { got += assets().Insert(ARow("taxi", "1")).ok() ? 1 : 0; });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(got, 1);
}

TEST_P(AssetStoreTest, PointsLatestAtWhatWasCreatedLast) {
  Insert(ARow("taxi", "9"));
  Insert(ARow("taxi", "2"));
  EXPECT_EQ(assets().GetByLabel(AssetKind::kData, "taxi", "latest")->version, "2");
  EXPECT_THAT(Labels("taxi", "9"), IsEmpty());
  ASSERT_EQ(*assets().SetArchived(AssetKind::kData, "taxi", "2", true, 1), 1);
  EXPECT_EQ(assets().GetByLabel(AssetKind::kData, "taxi", "latest")->version, "9");
  EXPECT_THAT(Labels("taxi", "2"), IsEmpty());
  EXPECT_THAT(Labels("taxi", "9"), ElementsAre("latest"));
}

TEST_P(AssetStoreTest, MovesLabels) {
  Insert(ARow("taxi"));
  Insert(ARow("taxi"));
  ASSERT_TRUE(assets().SetLabel(AssetKind::kData, "taxi", "prod", "1").ok());
  ASSERT_TRUE(assets().SetLabel(AssetKind::kData, "taxi", "best", "2").ok());
  ASSERT_TRUE(assets().SetLabel(AssetKind::kData, "taxi", "prod", "2").ok());
  EXPECT_THAT(Labels("taxi", "1"), IsEmpty());
  EXPECT_THAT(Labels("taxi", "2"), ElementsAre("best", "latest", "prod"));
  EXPECT_EQ(assets().GetByLabel(AssetKind::kData, "taxi", "prod")->version, "2");
  ASSERT_TRUE(assets().SetLabel(AssetKind::kData, "taxi", "prod", std::nullopt).ok());
  ASSERT_TRUE(assets().SetLabel(AssetKind::kData, "taxi", "prod", std::nullopt).ok());
  EXPECT_THAT(Labels("taxi", "2"), ElementsAre("best", "latest"));
}

TEST_P(AssetStoreTest, ChangesOnlyWhatIsSaid) {
  AssetRow row = ARow("taxi", "1");
  row.description = "old";
  row.tags = {{"a", "1"}, {"b", "2"}, {"c", "3"}};
  Insert(row);
  AssetChange change;
  change.set_tags = {{"a", "0"}, {"b", "4"}};
  change.remove_tags = {"a", "c", "absent"};
  change.set_properties = {{"p", "q"}};
  change.display_name = "Taxi";
  change.modified_us = 5000;
  const auto changed = assets().Update(AssetKind::kData, "taxi", "1", change);
  ASSERT_TRUE(changed.ok()) << changed.status();
  EXPECT_EQ(changed->description, "old");
  EXPECT_EQ(changed->display_name, "Taxi");
  EXPECT_THAT(changed->tags, ElementsAre(Pair("a", "0"), Pair("b", "4")));
  EXPECT_THAT(changed->properties, ElementsAre(Pair("p", "q")));
  EXPECT_EQ(changed->modified_us, 5000);
  EXPECT_EQ(changed->created_us, row.created_us);
}

TEST_P(AssetStoreTest, ListsTheLatestOfEachNameAndTheVersionsOfOne) {
  for (const char* name : {"a", "b", "a", "c"}) Insert(ARow(name));
  AssetRow model = ARow("m");
  model.kind = AssetKind::kModel;
  Insert(model);
  EXPECT_THAT(List(All()), ElementsAre("c1", "a2", "b1"));
  EXPECT_THAT(List(All("a")), ElementsAre("a2", "a1"));
  AssetFilter filter;
  filter.kind = AssetKind::kModel;
  EXPECT_THAT(List(filter), ElementsAre("m1"));
  filter = All();
  filter.limit = 2;
  EXPECT_THAT(List(filter), ElementsAre("c1", "a2"));
  filter.before_id = assets().Get(AssetKind::kData, "a", "2")->id;
  EXPECT_THAT(List(filter), ElementsAre("b1"));
}

TEST_P(AssetStoreTest, HidesWhatIsArchived) {
  for (const char* name : {"a", "b", "a"}) Insert(ARow(name));
  EXPECT_EQ(*assets().SetArchived(AssetKind::kData, "b", std::nullopt, true, 7), 1);
  EXPECT_EQ(*assets().SetArchived(AssetKind::kData, "a", "2", true, 7), 1);
  EXPECT_EQ(*assets().SetArchived(AssetKind::kData, "a", "2", true, 8), 0);
  EXPECT_THAT(List(All()), ElementsAre("a1"));
  EXPECT_THAT(List(With(Archived::kOnly)), ElementsAre("a2", "b1"));
  EXPECT_THAT(List(With(Archived::kAll)), ElementsAre("a2", "b1"));
  EXPECT_TRUE(assets().Get(AssetKind::kData, "b", "1")->archived);
  EXPECT_EQ(assets().Get(AssetKind::kData, "a", "2")->modified_us, 7);
  EXPECT_TRUE(absl::IsNotFound(assets().GetByLabel(AssetKind::kData, "b", "latest").status()));
  EXPECT_EQ(*assets().SetArchived(AssetKind::kData, "a", std::nullopt, false, 9), 1);
  EXPECT_THAT(List(All()), ElementsAre("a2"));
}

}  // namespace
}  // namespace potok::server
