#include "server/domain/fingerprint.h"
#include "tests/server/store/contract_fixture.h"

namespace potok::server {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<RunId> IdsOf(const absl::StatusOr<std::vector<RunRow>>& rows) {
  std::vector<RunId> ids;
  EXPECT_TRUE(rows.ok()) << rows.status();
  for (const RunRow& row : *rows) ids.push_back(row.added.id);
  return ids;
}

std::vector<std::uint32_t> IndicesOf(const absl::StatusOr<std::vector<StepRow>>& rows) {
  std::vector<std::uint32_t> indices;
  EXPECT_TRUE(rows.ok()) << rows.status();
  for (const StepRow& row : *rows) indices.push_back(row.index);
  return indices;
}

TEST_P(StoreContractTest, ShowsARunWithItsTimesAndCounters) {
  Turn({ARun(1)});
  Turn({MoveRun(1, RunStatus::kRunning, 20), Move(1, 0, 1, Running{On(1)}, 20)});
  Turn({Move(1, 0, 1, Succeeded{}, 30),
        Move(1, 1, 1, Failed{1, {}}, 30),
        Move(1, 2, 0, Skipped{"no"}, 30),
        MoveRun(1, RunStatus::kFailed, 30)});
  AwaitProjection();
  const absl::StatusOr<RunRow> run = reader().GetRun("run-1");
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_EQ(EncodeRunAdded(run->added), EncodeRunAdded(ARun(1)));
  EXPECT_EQ(run->status, RunStatus::kFailed);
  EXPECT_EQ(run->reason, "because");
  EXPECT_EQ(run->created_us, 1001);
  EXPECT_EQ(run->started_us, 20);
  EXPECT_EQ(run->ended_us, 30);
  EXPECT_EQ(run->revision, 3);
  EXPECT_EQ(run->completed, 1);
  EXPECT_EQ(run->failed, 1);
  EXPECT_EQ(run->canceled, 1);
  EXPECT_EQ(run->running, 0);
  EXPECT_EQ(reader().GetRunById(1)->added.name, "run-1");
}

TEST_P(StoreContractTest, KeepsWhatARunGrowsBy) {
  Turn({ARun(1), ARun(2)});
  Turn({Growth(1, 3, 2), Move(1, 4, 0, Queued{}, 51)});
  Turn({TrialMeasured{1, 4, 1, 1, 0.25, At(60)}, Growth(1, 5, 1), Growth(1, 5, 1)});
  AwaitProjection();
  EXPECT_EQ(reader().GetRunById(1)->added_steps, 3U);
  EXPECT_EQ(reader().GetRunById(2)->added_steps, 0U);
  EXPECT_EQ(reader().GetSteps(1, 0)->front().index, 4U);
  const auto all = reader().GetAddedSteps(1, 0);
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_EQ(all->front().first, 3U);
  EXPECT_EQ(all->front().values, SomeOutputs());
  EXPECT_EQ(reader().GetAddedSteps(1, 5)->front().first, 5U);
  EXPECT_THAT(*reader().GetAddedSteps(2, 0), IsEmpty());
  // A start finds what was added before what moved.
  Reopen();
  std::string kinds;
  for (const Change& change : Load().changes) {
    if (std::holds_alternative<StepsAdded>(change)) kinds += "added ";
    if (std::holds_alternative<TrialMeasured>(change)) kinds += "measured ";
    if (std::holds_alternative<StepMoved>(change)) kinds += "moved ";
  }
  EXPECT_THAT(kinds, testing::StartsWith("added measured added"));
  EXPECT_THAT(kinds, testing::EndsWith("moved "));
}

TEST_P(StoreContractTest, AStartFindsHowPeopleOrderedARunAndWatchersSeeThatItChanged) {
  RunAdded run = ARun(2);
  run.after = {{1, "run-1", true}};
  Turn({ARun(1), run});
  AwaitProjection();
  const std::int64_t before = reader().GetRunById(2)->revision;
  Turn({RunOrdered{2, RunHold{"ada", "full", At(70)}, 5, std::nullopt, At(70)}});
  Turn({RunOrdered{2, std::nullopt, 5, "gpu", At(71)}});
  AwaitProjection();
  EXPECT_EQ(reader().GetRunById(2)->revision, before + 2);
  EXPECT_EQ(reader().GetRunById(2)->added.after, run.after);
  Reopen();
  std::vector<RunOrdered> orders;
  for (const Change& change : Load().changes) {
    if (const auto* ordered = std::get_if<RunOrdered>(&change)) orders.push_back(*ordered);
  }
  ASSERT_EQ(orders.size(), 2U);
  EXPECT_EQ(orders[0].hold->by, "ada");
  EXPECT_EQ(orders[1].hold, std::nullopt);
  EXPECT_EQ(orders[1].priority, 5);
  EXPECT_EQ(orders[1].pool, "gpu");
}

TEST_P(StoreContractTest, FindsNoRunThatThereIsNot) {
  EXPECT_EQ(reader().GetRun("run-1").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(reader().GetRunById(1).status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(*reader().GetSteps(1, 0), IsEmpty());
}

TEST_P(StoreContractTest, ShowsTheLatestOfAStepThatMovedOftenInOneTransaction) {
  Turn({ARun(1)});
  std::vector<Change> moves;
  for (std::uint32_t attempt = 1; attempt <= 50; ++attempt) {
    moves.emplace_back(Move(1, 0, attempt, Running{On(attempt)}, 100 + attempt));
    moves.emplace_back(Move(1, 0, attempt, Queued{}, 200 + attempt));
  }
  moves.emplace_back(Move(1, 0, 51, Succeeded{9, SomeOutputs()}, 300));
  Turn(moves);
  AwaitProjection();
  const absl::StatusOr<std::vector<StepRow>> rows = reader().GetSteps(1, 0);
  ASSERT_EQ(rows->size(), 1U);
  EXPECT_EQ(rows->front().attempt, 51U);
  EXPECT_EQ(rows->front().state, StepState(Succeeded{9, SomeOutputs()}));
  EXPECT_EQ(rows->front().machine, 9U);
  EXPECT_EQ(rows->front().queued_us, 250);
  EXPECT_EQ(rows->front().ended_us, 300);
  EXPECT_EQ(rows->front().revision, 2);
}

Offer AnOffer(const std::string& of, std::uint64_t kin) {
  return {DigestOf(of).sha256, kin};
}
StepMoved Offering(const StepMoved& moved, const Offer& offer) {
  StepMoved with = moved;
  with.offer = offer;
  return with;
}

TEST_P(StoreContractTest, FindsResultsByFingerprintRunAndKin) {
  const std::uint64_t kin = 0xffff'ffff'ffff'fff0;
  Turn({ARun(1), ARun(2)});
  Turn({Move(1, 0, 1, Running{On(1)}, 100), Move(1, 1, 1, Running{On(1)}, 100)});
  Turn({Offering(Move(1, 0, 1, Succeeded{1, SomeOutputs()}, 110), AnOffer("a", kin)),
        Offering(Move(1, 1, 1, Succeeded{1, {}}, 120), AnOffer("b", kin)),
        Move(1, 2, 1, Succeeded{1, {}}, 120)});
  AwaitProjection();
  const auto found = reader().FindResults({DigestOf("a").sha256, DigestOf("none").sha256});
  ASSERT_TRUE(found.ok()) << found.status();
  ASSERT_EQ(found->size(), 1U);
  EXPECT_EQ((*found)[0].fingerprint, DigestOf("a").sha256);
  EXPECT_EQ((*found)[0].result.made_by, (AttemptKey{1, 0, 1}));
  EXPECT_EQ((*found)[0].result.outputs, SomeOutputs());
  EXPECT_EQ((*found)[0].result.ended, absl::FromUnixMicros(110));
  EXPECT_EQ((*found)[0].result.duration_us, 10);
  EXPECT_EQ(reader().ResultsOfRun(1)->size(), 2U);
  EXPECT_EQ(reader().ResultsOfRun(2)->size(), 0U);

  // Of two for one fingerprint the later counts; of kin the newest comes first.
  Turn({Offering(Move(2, 1, 1, Succeeded{1, {}}, 200), AnOffer("a", kin))});
  AwaitProjection();
  EXPECT_EQ(reader().FindResults({DigestOf("a").sha256})->at(0).result.made_by,
            (AttemptKey{2, 1, 1}));
  const auto of_kin = reader().ResultsOfKin(kin, 1000, 10);
  ASSERT_EQ(of_kin->size(), 2U);
  EXPECT_EQ((*of_kin)[0].result.made_by.run, 2);
  EXPECT_EQ(reader().ResultsOfKin(kin, 200, 10)->size(), 1U);
  EXPECT_EQ(reader().ResultsOfKin(kin, 1000, 1)->size(), 1U);
  EXPECT_EQ(reader().ResultsOfKin(7, 1000, 10)->size(), 0U);
}

TEST_P(StoreContractTest, AStartLearnsWhatIsOffered) {
  Turn({ARun(1)});
  Turn({Offering(Move(1, 0, 1, Succeeded{1, {}}, 110), AnOffer("a", 1))});
  Reopen();
  const Loaded loaded = Load();
  ASSERT_EQ(loaded.offered.size(), 1U);
  EXPECT_EQ(loaded.offered[0], PrefixOf(DigestOf("a").sha256));
}

TEST_P(StoreContractTest, KeepsWhyAResultWasNotTaken) {
  Turn({ARun(1)});
  StepMoved moved = Move(1, 0, 0, Queued{}, 110);
  moved.lack = ResultLack::kTooOld;
  Turn({moved});
  moved.state = Assigned{On(1)};
  moved.attempt = 1;
  Turn({moved});
  AwaitProjection();
  EXPECT_EQ(reader().GetSteps(1, 0)->at(0).lack, ResultLack::kTooOld);
  Reopen();
  const Loaded loaded = Load();
  bool seen = false;
  for (const Change& change : loaded.changes) {
    const auto* step = std::get_if<StepMoved>(&change);
    if (step == nullptr) continue;
    seen = true;
    EXPECT_EQ(step->lack, ResultLack::kTooOld);
  }
  EXPECT_TRUE(seen);
}

TEST_P(StoreContractTest, KeepsWhatAttemptsUsedAndWhatTheyAskFor) {
  const MemoryRaise raise{1, 512, 768};
  Turn({ARun(1)});
  StepMoved failed =
      Move(1, 0, 1, Delayed{At(130), {FailureCause::kOutOfMemory, 9, "oom"}, 3}, 120);
  failed.usage = SomeUsage();
  failed.raise = raise;
  Turn({Move(1, 0, 1, Running{On(3)}, 110), failed});
  AwaitProjection();
  EXPECT_EQ(reader().GetSteps(1, 0)->at(0).usage, SomeUsage());
  EXPECT_EQ(reader().GetSteps(1, 0)->at(0).raise, raise);
  StepMoved next = Move(1, 0, 2, Assigned{On(4)}, 130);
  next.raise = raise;
  Turn({next});
  AwaitProjection();
  EXPECT_EQ(reader().GetSteps(1, 0)->at(0).usage, std::nullopt) << "the latest has not ended";
  Reopen();
  const Loaded loaded = Load();
  const auto* step = std::get_if<StepMoved>(&loaded.changes.back());
  ASSERT_NE(step, nullptr);
  EXPECT_EQ(step->raise, raise);
}

TEST_P(StoreContractTest, KeepsWhatTheLatestAttemptsMachineHeldOfItsInputs) {
  const HeldInputs held{100, 300, true};
  Turn({ARun(1)});
  StepMoved placed = Move(1, 0, 1, Assigned{On(3)}, 110);
  placed.held = held;
  Turn({placed});
  AwaitProjection();
  EXPECT_EQ(reader().GetSteps(1, 0)->at(0).held, held);
  Reopen();
  Load();
  Turn({Move(1, 0, 1, Running{On(3)}, 120)});
  AwaitProjection();
  EXPECT_EQ(reader().GetSteps(1, 0)->at(0).held, held) << "it is said once";
  Turn({Move(1, 0, 2, Assigned{On(4)}, 130)});
  AwaitProjection();
  EXPECT_EQ(reader().GetSteps(1, 0)->at(0).held, std::nullopt) << "another attempt";
}

TEST_P(StoreContractTest, GoesOnFromTheTablesAfterARestart) {
  Turn({ARun(1), Move(1, 0, 1, Running{On(3)}, 10)});
  AwaitProjection();
  Reopen();
  Load();
  Turn({Move(1, 0, 1, Uploading{On(3)}, 20), Move(1, 1, 1, Running{On(3)}, 20)});
  AwaitProjection();
  EXPECT_EQ(reader().GetRunById(1)->running, 2);
  const absl::StatusOr<std::vector<StepRow>> rows = reader().GetSteps(1, 0);
  EXPECT_EQ(rows->front().started_us, 10);
}

TEST_P(StoreContractTest, ProjectsABatchOnlyOnceHoweverOftenItComes) {
  const Batch batch = {1, kUs, {ARun(1), Move(1, 0, 1, Running{On(3)}, 10)}};
  ASSERT_TRUE(store().Commit(batch, {}).ok());
  projector().Project(batch);
  projector().Project(batch);
  const Batch next = {2, kUs, {Move(1, 1, 1, Running{On(3)}, 10)}};
  ASSERT_TRUE(store().Commit(next, {}).ok());
  projector().Project(next);
  ASSERT_TRUE(projector().WaitFor(2, absl::Seconds(60), Haste::kNow).ok());
  EXPECT_EQ(reader().GetRunById(1)->running, 2);
  EXPECT_EQ(projector().projected_revision(), 2);
}

TEST_P(StoreContractTest, ProjectsWhatCameBeforeABatchThatItGetsFirst) {
  ASSERT_TRUE(store().Commit({1, kUs, {ARun(1)}}, {}).ok());
  const Batch next = {2, kUs, {Move(1, 1, 1, Running{On(3)}, 10)}};
  ASSERT_TRUE(store().Commit(next, {}).ok());
  projector().Project(next);
  ASSERT_TRUE(projector().WaitFor(2, absl::Seconds(60), Haste::kNow).ok());
  EXPECT_EQ(reader().GetRunById(1)->running, 1);
}

TEST_P(StoreContractTest, TellsAWaiterThatTheTablesAreNotThere) {
  EXPECT_EQ(projector().WaitFor(1, absl::Milliseconds(1), Haste::kNow).code(),
            absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(projector().WaitFor(0, absl::ZeroDuration(), Haste::kNow).ok());
}

TEST_P(StoreContractTest, HasNoBacklogOnceAllIsProjected) {
  Turn({ARun(1)});
  Turn({Move(1, 0, 0, Queued{}, 1)});
  AwaitProjection();
  EXPECT_EQ(projector().backlog_bytes(), 0);
}

TEST_P(StoreContractTest, ShowsAWatcherOnlyStepsThatMovedSinceARevision) {
  Turn({ARun(1), Move(1, 0, 0, Queued{}, 1), Move(1, 1, 0, Queued{}, 1)});
  Turn({Move(1, 2, 0, Queued{}, 2)});
  Turn({Move(1, 0, 1, Running{On(1)}, 3)});
  AwaitProjection();
  EXPECT_THAT(IndicesOf(reader().GetSteps(1, 0)), ElementsAre(0, 1, 2));
  EXPECT_THAT(IndicesOf(reader().GetSteps(1, 1)), ElementsAre(0, 2));
  EXPECT_THAT(IndicesOf(reader().GetSteps(1, 2)), ElementsAre(0));
  EXPECT_THAT(IndicesOf(reader().GetSteps(1, 3)), IsEmpty());
}

TEST_P(StoreContractTest, ShowsOnlyTheStepsOfTheRunThatIsAskedFor) {
  Turn({ARun(1), ARun(2), Move(1, 0, 0, Queued{}, 1), Move(2, 1, 0, Queued{}, 1)});
  AwaitProjection();
  EXPECT_THAT(IndicesOf(reader().GetSteps(2, 0)), ElementsAre(1));
}

TEST_P(StoreContractTest, ListsRunsNewestFirstPageByPage) {
  Turn({ARun(1), ARun(2), ARun(3), ARun(4), ARun(5)});
  AwaitProjection();
  RunFilter filter;
  filter.limit = 2;
  EXPECT_THAT(IdsOf(reader().ListRuns(filter)), ElementsAre(5, 4));
  filter.before_run = 4;
  EXPECT_THAT(IdsOf(reader().ListRuns(filter)), ElementsAre(3, 2));
  filter.before_run = 2;
  EXPECT_THAT(IdsOf(reader().ListRuns(filter)), ElementsAre(1));
}

TEST_P(StoreContractTest, ListsRunsByStatusExperimentAndName) {
  Turn({ARun(1), ARun(2), ARun(3), ARun(12), MoveRun(2, RunStatus::kRunning, 5)});
  Turn({MoveRun(3, RunStatus::kFailed, 6)});
  AwaitProjection();
  RunFilter by_status;
  by_status.status = {RunStatus::kRunning, RunStatus::kFailed};
  EXPECT_THAT(IdsOf(reader().ListRuns(by_status)), ElementsAre(3, 2));
  RunFilter by_experiment;
  by_experiment.experiment_name = "even";
  EXPECT_THAT(IdsOf(reader().ListRuns(by_experiment)), ElementsAre(12, 2));
  RunFilter by_name;
  by_name.name_prefix = "run-1";
  EXPECT_THAT(IdsOf(reader().ListRuns(by_name)), ElementsAre(12, 1));
  by_name.name_prefix = "run%";
  EXPECT_THAT(IdsOf(reader().ListRuns(by_name)), IsEmpty());
  by_name.name_prefix = "run-1";
  by_name.experiment_name = "even";
  by_name.status = {RunStatus::kNotStarted};
  by_name.before_run = 13;
  EXPECT_THAT(IdsOf(reader().ListRuns(by_name)), ElementsAre(12));
}

TEST_P(StoreContractTest, ListsRunsBySubmitterTagsAndTime) {
  RunAdded other = ARun(2);
  other.submitter = "bob";
  other.tags = {{"team", "vision"}, {"a=b", "c\xff%"}};
  RunAdded bare = ARun(3);
  bare.tags = {};
  Turn({ARun(1), other, bare, ARun(4)});
  AwaitProjection();
  const auto listed = [&](const RunFilter& filter) { return IdsOf(reader().ListRuns(filter)); };
  RunFilter filter;
  filter.submitter = "ada";
  EXPECT_THAT(listed(filter), ElementsAre(4, 3, 1));
  filter.created_after_us = 1003;
  EXPECT_THAT(listed(filter), ElementsAre(4, 3));
  filter.tags = {{"team", "vision"}};
  EXPECT_THAT(listed(filter), ElementsAre(4));
  const auto tagged = [&](const std::map<std::string, std::string>& tags) {
    RunFilter by_tags;
    by_tags.tags = tags;
    return listed(by_tags);
  };
  EXPECT_THAT(tagged({{"team", "vision"}}), ElementsAre(4, 2, 1));
  EXPECT_THAT(tagged({{"team", "vision"}, {"a=b", "c\xff%"}}), ElementsAre(2));
  EXPECT_THAT(tagged({{"a", "b=c"}}), IsEmpty());
  EXPECT_THAT(tagged({{"team", "visio"}}), IsEmpty());
  // A term is no other kind's.
  EXPECT_THAT(tagged({{"", "ada"}}), IsEmpty());
  RunFilter by_submitter;
  by_submitter.submitter = "vision";
  EXPECT_THAT(listed(by_submitter), IsEmpty());
}

TEST_P(StoreContractTest, ListsMachinesAsLastDescribed) {
  MachineChanged renamed = AMachine(1);
  renamed.liveness = Liveness::kGone;
  Turn({AMachine(2), AMachine(1)});
  Turn({renamed});
  AwaitProjection();
  const absl::StatusOr<std::vector<MachineChanged>> machines = reader().ListMachines();
  ASSERT_EQ(machines->size(), 2U);
  EXPECT_EQ(EncodeMachineChanged((*machines)[0]), EncodeMachineChanged(renamed));
  EXPECT_EQ(EncodeMachineChanged((*machines)[1]), EncodeMachineChanged(AMachine(2)));
}

TEST_P(StoreContractTest, KeepsSpecsByTheirDigest) {
  const std::string spec("bytes \0\xff of a plan", 18);
  EXPECT_EQ(reader().GetSpec(DigestOf(spec)).status().code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(reader().PutSpec(DigestOf(spec), spec).ok());
  EXPECT_TRUE(reader().PutSpec(DigestOf(spec), spec).ok());
  EXPECT_EQ(*reader().GetSpec(DigestOf(spec)), spec);
}

}  // namespace
}  // namespace potok::server
