// How runs are described beside the journal, and which artifacts they made and took.
#include <thread>

#include "fmt/format.h"
#include "tests/server/store/contract_fixture.h"

namespace potok::server {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

std::vector<RunId> Ids(const absl::StatusOr<std::vector<RunRow>>& rows) {
  std::vector<RunId> ids;
  EXPECT_TRUE(rows.ok()) << rows.status();
  if (!rows.ok()) return ids;
  for (const RunRow& row : *rows) ids.push_back(row.added.id);
  return ids;
}

class RunEditsTest : public StoreContractTest {
 protected:
  RunRow Edit(RunId id, const std::function<void(RunRow&)>& change) {
    const absl::StatusOr<RunRow> row = reader().EditRun(id, [&](RunRow& edited) {
      change(edited);
      return absl::OkStatus();
    });
    EXPECT_TRUE(row.ok()) << row.status();
    return row.ok() ? *row : RunRow{};
  }
};

TEST_P(RunEditsTest, ShowsAndFindsARunAsItWasEdited) {
  Turn({ARun(1), ARun(2), ARun(3)});
  AwaitProjection();
  Edit(2, [](RunRow& row) {
    row.added.display_name = "Second \xc5\xbb try";
    row.added.description = "with a lower RATE";
    row.added.experiment_name = "rates";
    row.added.tags = {{"team", "speech"}};
    row.added.properties = {{"who", "me"}};
  });
  const RunRow row = *reader().GetRun("run-2");
  EXPECT_EQ(row.added.display_name, "Second \xc5\xbb try");
  EXPECT_THAT(row.added.tags, ElementsAre(Pair("team", "speech")));
  EXPECT_THAT(row.added.properties, ElementsAre(Pair("who", "me")));
  RunFilter by_tag;
  by_tag.tags = {{"team", "vision"}};
  EXPECT_THAT(Ids(reader().ListRuns(by_tag)), ElementsAre(3, 1));
  by_tag.tags = {{"team", "speech"}};
  EXPECT_THAT(Ids(reader().ListRuns(by_tag)), ElementsAre(2));
  RunFilter by_experiment;
  by_experiment.experiment_name = "rates";
  EXPECT_THAT(Ids(reader().ListRuns(by_experiment)), ElementsAre(2));
  by_experiment.experiment_name = "even";
  EXPECT_THAT(Ids(reader().ListRuns(by_experiment)), IsEmpty());
  RunFilter by_submitter;
  by_submitter.submitter = "ada";
  EXPECT_THAT(Ids(reader().ListRuns(by_submitter)), ElementsAre(3, 2, 1));
}

TEST_P(RunEditsTest, KeepsAnEditOverMovesOfTheRunAndARestart) {
  Turn({ARun(1), ARun(2)});
  AwaitProjection();
  Edit(1, [](RunRow& row) {
    row.added.experiment_name = "kept";
    row.archived = true;
  });
  Turn({MoveRun(1, RunStatus::kRunning, 20), Move(1, 0, 1, Running{On(1)}, 20)});
  AwaitProjection();
  Reopen();
  Load();
  Turn({MoveRun(1, RunStatus::kCompleted, 30), Move(1, 0, 1, Succeeded{}, 30)});
  AwaitProjection();
  const RunRow row = *reader().GetRunById(1);
  EXPECT_EQ(row.added.experiment_name, "kept");
  EXPECT_TRUE(row.archived);
  EXPECT_EQ(row.status, RunStatus::kCompleted);
  RunFilter filter;
  filter.experiment_name = "kept";
  EXPECT_THAT(Ids(reader().ListRuns(filter)), ElementsAre(1));
}

TEST_P(RunEditsTest, AnErrorOfTheEditChangesNothing) {
  Turn({ARun(1)});
  AwaitProjection();
  const absl::StatusOr<RunRow> refused = reader().EditRun(1, [](RunRow& row) {
    row.added.display_name = "never";
    return absl::FailedPreconditionError("no");
  });
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(EncodeRunAdded(reader().GetRunById(1)->added), EncodeRunAdded(ARun(1)));
  EXPECT_EQ(reader().EditRun(9, [](RunRow&) { return absl::OkStatus(); }).status().code(),
            absl::StatusCode::kNotFound);
}

TEST_P(RunEditsTest, LosesNoEditOfTwoAtATime) {
  Turn({ARun(1)});
  AwaitProjection();
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 5; ++i) {
        Edit(1, [&](RunRow& row) { row.added.tags[fmt::format("{}-{}", thread, i)] = "x"; });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(reader().GetRunById(1)->added.tags.size(), 21U);  // and the one of before
}

TEST_P(RunEditsTest, ListsArchivedRunsOnlyWhereTheyAreWanted) {
  Turn({ARun(1), ARun(2), ARun(3)});
  AwaitProjection();
  Edit(2, [](RunRow& row) { row.archived = true; });
  RunFilter filter;
  EXPECT_THAT(Ids(reader().ListRuns(filter)), ElementsAre(3, 2, 1));
  filter.archived = RunFilter::Archived::kLeftOut;
  EXPECT_THAT(Ids(reader().ListRuns(filter)), ElementsAre(3, 1));
  filter.archived = RunFilter::Archived::kOnly;
  EXPECT_THAT(Ids(reader().ListRuns(filter)), ElementsAre(2));
  Edit(2, [](RunRow& row) { row.archived = false; });
  EXPECT_THAT(Ids(reader().ListRuns(filter)), IsEmpty());
}

TEST_P(RunEditsTest, FindsTextInNameDisplayNameAndDescriptionInAnyCase) {
  RunAdded one = ARun(1);
  one.display_name = "Digits, wide";
  one.description = "100% of them";
  RunAdded two = ARun(2);
  two.display_name = "";
  two.description = "";
  Turn({one, two, ARun(3)});
  AwaitProjection();
  const auto found = [&](const std::string& text) {
    RunFilter filter;
    filter.text = text;
    return Ids(reader().ListRuns(filter));
  };
  EXPECT_THAT(found("DIGITS, w"), ElementsAre(1));
  EXPECT_THAT(found("0% of"), ElementsAre(1));
  EXPECT_THAT(found("RUN-2"), ElementsAre(2));
  EXPECT_THAT(found("run-"), ElementsAre(3, 2, 1));
  EXPECT_THAT(found("%"), ElementsAre(1));
  EXPECT_THAT(found("_"), IsEmpty());
  Edit(2, [](RunRow& row) { row.added.description = "now with digits"; });
  EXPECT_THAT(found("digits"), ElementsAre(2, 1));
}

TEST_P(RunEditsTest, ListsRunsThatWereAddedBeforeATime) {
  Turn({ARun(1), ARun(2), ARun(3)});
  AwaitProjection();
  RunFilter filter;
  filter.created_before_us = 1003;
  EXPECT_THAT(Ids(reader().ListRuns(filter)), ElementsAre(2, 1));
}

class ArtifactUsesTest : public StoreContractTest {};

TEST_P(ArtifactUsesTest, FindsWhoMadeAndTookAnArtifactNewestFirst) {
  Turn({ARun(1), ARun(2), ARun(3)});
  const std::vector<RunId> ids = {1, 2, 3};
  for (const RunId id : ids) Turn({MoveRun(id, RunStatus::kCompleted, 50)});
  AwaitProjection();
  EXPECT_THAT(*reader().ListRunsWithoutUses(2), ElementsAre(1, 2));
  const Digest model = DigestOf("model");
  const Digest other = DigestOf("other");
  const auto made = [&](RunId run) {
    return ArtifactUse{model, run, 0, ArtifactRole::kMade, "model"};
  };
  const auto used = [&](RunId run) {
    return ArtifactUse{model, run, 1, ArtifactRole::kUsed, "in"};
  };
  for (const RunId id : ids) {
    ASSERT_TRUE(reader()
                    .PutUses(id, {made(id), used(id), {other, id, 2, ArtifactRole::kCode, "code"}})
                    .ok());
  }
  EXPECT_THAT(*reader().ListRunsWithoutUses(10), IsEmpty());
  ASSERT_TRUE(reader().PutUses(2, {made(2)}).ok());  // changes nothing
  ArtifactUseFilter filter{model, {ArtifactRole::kMade}};
  EXPECT_THAT(*reader().FindUses(filter), ElementsAre(made(3), made(2), made(1)));
  filter.limit = 1;
  filter.before_run = 3;
  EXPECT_THAT(*reader().FindUses(filter), ElementsAre(made(2)));
  filter = {model, {ArtifactRole::kMade, ArtifactRole::kUsed}};
  filter.before_run = 2;
  EXPECT_THAT(*reader().FindUses(filter), ElementsAre(made(1), used(1)));
  filter = {DigestOf("none"), {ArtifactRole::kMade}};
  EXPECT_THAT(*reader().FindUses(filter), IsEmpty());
}

TEST_P(ArtifactUsesTest, KeepsNothingOfARunThatGoesOn) {
  Turn({ARun(1)});
  AwaitProjection();
  EXPECT_THAT(*reader().ListRunsWithoutUses(2), IsEmpty());
  const ArtifactUse use{DigestOf("a"), 1, 0, ArtifactRole::kMade, "a"};
  ASSERT_TRUE(reader().PutUses(1, {use}).ok());
  EXPECT_THAT(*reader().FindUses({use.digest, {ArtifactRole::kMade}}), IsEmpty());
  Turn({MoveRun(1, RunStatus::kFailed, 50)});
  AwaitProjection();
  EXPECT_THAT(*reader().ListRunsWithoutUses(2), ElementsAre(1));
}

INSTANTIATE_TEST_SUITE_P(Stores,
                         RunEditsTest,
                         testing::Values(Kind::kFake, Kind::kPostgres),
                         NameOfKind);
INSTANTIATE_TEST_SUITE_P(Stores,
                         ArtifactUsesTest,
                         testing::Values(Kind::kFake, Kind::kPostgres),
                         NameOfKind);

}  // namespace
}  // namespace potok::server
