#include "tests/server/store/contract_fixture.h"

namespace potok::server {
namespace {

using testing::ElementsAre;
using testing::Eq;
using testing::HasSubstr;
using testing::Optional;

INSTANTIATE_TEST_SUITE_P(Stores,
                         StoreContractTest,
                         testing::Values(Kind::kFake, Kind::kPostgres),
                         NameOfKind);

TEST_P(StoreContractTest, FindsNothingInAnEmptyDatabase) {
  const Loaded loaded = Load();
  EXPECT_EQ(loaded.revision, 0);
  EXPECT_EQ(loaded.epoch, 0);
  EXPECT_EQ(loaded.next_run, 1);
  EXPECT_EQ(loaded.next_machine, 1U);
  EXPECT_TRUE(loaded.changes.empty());
}

TEST_P(StoreContractTest, FindsWhatWasCommittedButNeverProjected) {
  ASSERT_TRUE(store().Commit({1, kUs, {ARun(1)}}, {}).ok());
  Reopen();
  const Loaded loaded = Load();
  EXPECT_EQ(loaded.revision, 1);
  ASSERT_EQ(loaded.changes.size(), 1U);
  EXPECT_EQ(std::get<RunAdded>(loaded.changes[0]).name, "run-1");
}

TEST_P(StoreContractTest, AcceptsTheSameBatchAgain) {
  const Batch batch = {1, kUs, {ARun(1)}};
  EXPECT_TRUE(store().Commit(batch, {}).ok());
  EXPECT_TRUE(store().Commit(batch, {}).ok());
  EXPECT_EQ(Load().revision, 1);
}

TEST_P(StoreContractTest, AcceptsABatchWithClaimsAgain) {
  const std::vector<Claim> claims = {{"run", "a", "1"}};
  const Batch batch = {1, kUs, {ARun(1)}};
  ASSERT_TRUE(store().ClaimInTurn(claims).ok());
  EXPECT_TRUE(store().Commit(batch, claims).ok());
  EXPECT_TRUE(store().Commit(batch, claims).ok());
}

TEST_P(StoreContractTest, StepsDownWhenAnotherWriterHasTheRevision) {
  StoreBundle other = OpenAnother();
  ASSERT_TRUE(other.store->Commit({1, kOther, {ARun(1)}}, {}).ok());
  EXPECT_EQ(store().Commit({1, kUs, {ARun(2)}}, {}).code(), absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(other.store->Commit({2, kOther, {}}, {}).ok());
  EXPECT_EQ(store().Commit({1, kUs, {ARun(2)}}, {}).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Load().changes.size(), 1U);
}

TEST_P(StoreContractTest, LeavesNoGapInTheJournal) {
  EXPECT_EQ(store().Commit({2, kUs, {}}, {}).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(store().Commit({1, kUs, {}}, {}).ok());
}

TEST_P(StoreContractTest, TellsTheHolderOfATakenClaim) {
  ASSERT_THAT(*store().ClaimInTurn({{"run", "a", "first"}}), ElementsAre(std::nullopt));
  ASSERT_TRUE(store().Commit({1, kUs, {}}, {{"run", "a", "first"}}).ok());
  const auto answers =
      store().ClaimInTurn({{"run", "a", "second"}, {"run", "b", "x"}, {"request", "a", "y"}});
  ASSERT_TRUE(answers.ok()) << answers.status();
  EXPECT_THAT(*answers, ElementsAre(Optional(Eq("first")), std::nullopt, std::nullopt));
}

TEST_P(StoreContractTest, GivesAClaimToTheFirstOfTwoInOneTurn) {
  const auto answers =
      store().ClaimInTurn({{"run", "b", "one"}, {"run", "a", "two"}, {"run", "b", "three"}});
  ASSERT_TRUE(answers.ok()) << answers.status();
  EXPECT_THAT(*answers, ElementsAre(std::nullopt, std::nullopt, Optional(Eq("one"))));
}

TEST_P(StoreContractTest, ForgetsTheClaimsOfATurnThatIsNotCommitted) {
  ASSERT_TRUE(store().ClaimInTurn({{"run", "a", "first"}}).ok());
  EXPECT_THAT(*store().ClaimInTurn({{"run", "a", "second"}}), ElementsAre(std::nullopt));
  Reopen();
  EXPECT_THAT(*store().ClaimInTurn({{"run", "a", "third"}}), ElementsAre(std::nullopt));
}

TEST_P(StoreContractTest, ForgetsTheClaimsOfATurnWhoseRevisionIsTaken) {
  StoreBundle other = OpenAnother();
  ASSERT_TRUE(store().ClaimInTurn({{"run", "a", "us"}}).ok());
  ASSERT_TRUE(other.store->Commit({1, kOther, {}}, {}).ok());
  EXPECT_EQ(store().Commit({1, kUs, {}}, {{"run", "a", "us"}}).code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(*other.store->ClaimInTurn({{"run", "a", "other"}}), ElementsAre(std::nullopt));
}

TEST_P(StoreContractTest, MakesTheClaimsOfACommitWhoseTurnWasLost) {
  ASSERT_TRUE(store().Commit({1, kUs, {}}, {{"run", "a", "us"}}).ok());
  EXPECT_THAT(*store().ClaimInTurn({{"run", "a", "again"}}), ElementsAre(Optional(Eq("us"))));
}

TEST_P(StoreContractTest, ClaimsAnyBytesOfAnyLength) {
  const std::string key = std::string("\0\xff'\\", 4) + std::string(5000, 'k');
  const std::vector<Claim> claims = {{"request", key, std::string("\0v", 2)}};
  ASSERT_THAT(*store().ClaimInTurn(claims), ElementsAre(std::nullopt));
  ASSERT_TRUE(store().Commit({1, kUs, {}}, claims).ok());
  EXPECT_THAT(*store().ClaimInTurn(claims), ElementsAre(Optional(Eq(std::string("\0v", 2)))));
}

TEST_P(StoreContractTest, LoadsEveryKindOfChangeAsItWasLast) {
  Turn({ServerStarted{1, kUs, At(1)}, AMachine(1), ARun(1), ARun(2)});
  Turn({MoveRun(1, RunStatus::kRunning, 20), Move(1, 0, 0, Queued{}, 20), APool("b"), APool("c")});
  StepMoved lost = Move(1, 0, 2, Running{On(1)}, 40);
  lost.machine_lost = 1;
  lost.displaced = 3;
  PoolChanged deleted = APool("b");
  deleted.deleted = true;
  Turn({Move(1, 0, 1, Assigned{On(1)}, 30), lost, AMachine(7), deleted, APool("a")});
  Reopen();
  const Loaded loaded = Load();
  EXPECT_EQ(loaded.revision, 3);
  EXPECT_EQ(loaded.epoch, 1);
  EXPECT_EQ(loaded.next_run, 3);
  EXPECT_EQ(loaded.next_machine, 8U);
  EXPECT_EQ(Encode(loaded.changes),
            Encode({AMachine(1),
                    AMachine(7),
                    APool("a"),
                    APool("c"),
                    ARun(1),
                    MoveRun(1, RunStatus::kRunning, 20),
                    ARun(2),
                    lost}));
}

TEST_P(StoreContractTest, LoadsStepsInEveryState) {
  const std::vector<StepState> states = AllStates();
  Turn({ARun(1, static_cast<std::uint32_t>(states.size()))});
  std::vector<Change> moves;
  for (std::uint32_t i = 0; i < states.size(); ++i) {
    moves.emplace_back(Move(1, i, 1, states[i], 10));
  }
  Turn(moves);
  Reopen();
  Loaded loaded = Load();
  loaded.changes.erase(loaded.changes.begin());
  EXPECT_EQ(Encode(loaded.changes), Encode(moves));
}

TEST_P(StoreContractTest, LoadsNoRunThatHasEnded) {
  Turn({ARun(1), ARun(2), Move(1, 0, 1, Running{On(1)}, 10)});
  Turn({Move(1, 0, 1, Succeeded{}, 20), MoveRun(1, RunStatus::kCompleted, 20)});
  Reopen();
  const Loaded loaded = Load();
  ASSERT_EQ(loaded.changes.size(), 1U);
  EXPECT_EQ(std::get<RunAdded>(loaded.changes[0]).id, 2);
  EXPECT_EQ(loaded.next_run, 3);
}

TEST_P(StoreContractTest, ReadsTheHighestEpochOfAnyServerAtOnce) {
  Turn({ServerStarted{1, kUs, At(1)}});
  EXPECT_EQ(*store().ReadEpoch(), 1);
  StoreBundle other = OpenAnother();
  ASSERT_TRUE(other.store->Commit({2, kOther, {ServerStarted{2, kOther, At(2)}}}, {}).ok());
  EXPECT_EQ(*store().ReadEpoch(), 2);
}

TEST_P(StoreContractTest, ReadsTheEpochWithinATurn) {
  ASSERT_TRUE(store().ClaimInTurn({{"run", "a", "us"}}).ok());
  EXPECT_EQ(*store().ReadEpoch(), 0);
  EXPECT_TRUE(store().Commit({1, kUs, {}}, {{"run", "a", "us"}}).ok());
  EXPECT_THAT(*store().ClaimInTurn({{"run", "a", "again"}}), ElementsAre(Optional(Eq("us"))));
}

TEST_P(StoreContractTest, SaysWhichRowOfTheJournalCannotBeRead) {
  Turn({ARun(1)});
  AppendGarbage();
  Reopen();
  const absl::Status status = store().Load().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("revision 2 of the journal"));
}

TEST_P(StoreContractTest, TakesATurnOfTenThousandChanges) {
  constexpr std::uint32_t kSteps = 10000;
  Turn({ARun(1, kSteps)});
  std::vector<Change> moves;
  for (std::uint32_t i = 0; i < kSteps; ++i) moves.emplace_back(Move(1, i, 0, Queued{}, 10));
  Turn(moves);
  AwaitProjection();
  EXPECT_EQ(reader().GetSteps(1, 0)->size(), kSteps);
  EXPECT_EQ(Load().changes.size(), kSteps + 1);
}

}  // namespace
}  // namespace potok::server
