// The rules of runs: what follows from a submission, a report, a failure, a cancellation.
#include "server/domain/decide.h"

#include "gmock/gmock.h"
#include "tests/server/domain/builders.h"

namespace potok::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// Names of the moves that a decision stores, in order.
std::vector<std::string> Moves(const Decision& decision) {
  std::vector<std::string> names;
  for (const Change& change : decision.changes) {
    if (const auto* moved = std::get_if<StepMoved>(&change)) names.push_back(NameOf(moved->state));
  }
  return names;
}

World WithMachine(const AMachine& machine = AMachine("m1")) {
  World world;
  world.Connect(machine);
  return world;
}

// The whole life of the attempt that the step has now.
void Finish(World& world,
            const std::string& run,
            const std::string& step,
            std::vector<OutputValue> outputs = {}) {
  const AttemptKey key = world.Attempt(run, step);
  world.Report("m1", {Starts(key), Exits(key), Succeeds(key, std::move(outputs))});
}

TEST(DecideTest, ASubmittedRunIsAnsweredAndItsFirstStepsAreQueued) {
  World world;
  world.Submit("r", APipeline({AStep("a"), AStep("b").After("a")}));
  EXPECT_EQ(world.StateOf("r", "a"), "Queued");
  EXPECT_EQ(world.StateOf("r", "b"), "Blocked");
  const auto answers = world.Said<Answer>();
  ASSERT_THAT(answers, SizeIs(1));
  EXPECT_TRUE(answers[0].status.ok());
  EXPECT_EQ(answers[0].value, "r");
}

TEST(DecideTest, ARunWithoutStepsCompletesAtOnce) {
  World world;
  auto plan = std::make_shared<Plan>();
  world.Turn({RunSubmitted{1, "r", "q", {}, plan, "someone"}});
  EXPECT_EQ(world.LastMove("r").status, RunStatus::kCompleted);
  EXPECT_THAT(world.state.runs, IsEmpty());
}

TEST(DecideTest, ANameThatIsTakenIsRefusedAndChangesNothing) {
  World world;
  world.Submit("r", APipeline({AStep("a")}));
  const Decision& second = world.Submit("r", APipeline({AStep("a")}));
  EXPECT_THAT(second.changes, IsEmpty());
  EXPECT_EQ(world.Said<Answer>()[0].status.code(), absl::StatusCode::kAlreadyExists);
}

TEST(DecideTest, ASubmissionIsPlacedAndOrderedInTheSameTurn) {
  World world = WithMachine();
  world.Submit("r", APipeline({AStep("a").Command("echo hi")}));
  EXPECT_EQ(world.StateOf("r", "a"), "Assigned");
  ASSERT_THAT(world.Starts(), SizeIs(1));
  const StartOrder order = world.Starts()[0];
  EXPECT_EQ(order.key, (AttemptKey{1, 0, 1}));
  EXPECT_EQ(order.run, "r");
  EXPECT_EQ(order.command, "echo hi");
  EXPECT_EQ(world.LastMove("r").status, RunStatus::kRunning);
}

TEST(DecideTest, SuccessStartsTheDependentInTheSameTurn) {
  World world = WithMachine();
  world.Submit("r", APipeline({AStep("a"), AStep("b").After("a")}));
  Finish(world, "r", "a");
  EXPECT_EQ(world.StateOf("r", "a"), "Succeeded");
  EXPECT_EQ(world.StateOf("r", "b"), "Assigned");
  ASSERT_THAT(world.Starts(), SizeIs(1));
  EXPECT_EQ(world.Starts()[0].key.index, 1U);
}

TEST(DecideTest, AStepWaitsForAllOfItsUpstreams) {
  World world = WithMachine();
  world.Submit("r", APipeline({AStep("a"), AStep("b"), AStep("c").After("a").After("b")}));
  Finish(world, "r", "a");
  EXPECT_EQ(world.StateOf("r", "c"), "Blocked");
  Finish(world, "r", "b");
  EXPECT_EQ(world.StateOf("r", "c"), "Assigned");
}

TEST(DecideTest, ARunCompletesWithItsLastStepAndLeavesMemory) {
  World world = WithMachine();
  world.Submit("r", APipeline({AStep("a")}));
  Finish(world, "r", "a");
  EXPECT_EQ(world.LastMove("r").status, RunStatus::kCompleted);
  EXPECT_THAT(world.state.runs, IsEmpty());
  EXPECT_THAT(world.state.run_by_name, IsEmpty());
  EXPECT_EQ(world.Machine("m1").reserved, Resources{});
}

TEST(DecideTest, AStepThatSucceedsInTheTurnInWhichItBeganIsStoredOnce) {
  World world = WithMachine();
  world.Submit("r", APipeline({AStep("a")}));
  Finish(world, "r", "a");
  EXPECT_THAT(Moves(world.last), ElementsAre("Succeeded"));
}

TEST(DecideTest, AStepThatFailsInTheTurnInWhichItBeganIsStoredAsTheBeginningAndTheEnd) {
  World world = WithMachine();
  world.Submit("r", APipeline({AStep("a")}));
  world.Report("m1", {Fails(world.Attempt("r", "a"), FailureCause::kExitCode)});
  EXPECT_THAT(Moves(world.last), ElementsAre("Running", "Failed"));
}

TEST(DecideTest, StepsThatNeedNoOtherAreQueuedWithoutAMoveOfTheirOwn) {
  World world;
  world.Submit("r", APipeline({AStep("a"), AStep("b"), AStep("c").After("a")}));
  EXPECT_THAT(Moves(world.last), IsEmpty());
  std::vector<StepKey> queued;
  for (const QueuePlace& place : world.state.queued.All()) queued.push_back(place.step);
  EXPECT_THAT(queued, ElementsAre(StepKey{1, 0}, StepKey{1, 1}));
}

TEST(DecideTest, AnAttemptThatCouldNotStartNeverRan) {
  World world = WithMachine();
  world.Submit("r", APipeline({AStep("a")}));
  world.Report("m1", {Fails(world.Attempt("r", "a"), FailureCause::kStart)});
  EXPECT_THAT(Moves(world.last), ElementsAre("Failed"));
}

TEST(DecideTest, ValuesOfOutputsReachTheOrderInTheirTypes) {
  World world = WithMachine();
  world.Submit("r",
               APipeline({AStep("a").Output("files").Output("n", ValueType::kInteger),
                          AStep("b")
                              .Data("files", OutputOf("a", "files"))
                              .Text("n", OutputOf("a", "n"), ValueType::kInteger)
                              .Text("name", "x-${{parent.jobs.a.outputs.n}}", ValueType::kString)
                              .Text("yes", "true", ValueType::kBoolean)}));
  Finish(world, "r", "a", {Files("files"), Word("n", "10.0")});
  ASSERT_THAT(world.Starts(), SizeIs(1));
  const std::vector<OrderInput> inputs = world.Starts()[0].inputs;
  ASSERT_THAT(inputs, SizeIs(4));
  EXPECT_EQ(std::get<Artifact>(inputs[0].value), std::get<Artifact>(Files("files").value));
  EXPECT_EQ(std::get<std::string>(inputs[1].value), "10");
  EXPECT_EQ(std::get<std::string>(inputs[2].value), "x-10.0");
  EXPECT_EQ(std::get<std::string>(inputs[3].value), "True");
}

TEST(DecideTest, AnUpstreamThatLeftAnOutputOutFailsTheDependent) {
  World world = WithMachine();
  world.Submit("r", APipeline({AStep("a").Output("x"), AStep("b").Data("x", OutputOf("a", "x"))}));
  Finish(world, "r", "a", {});
  ASSERT_EQ(world.StateOf("r", "b"), "Failed");
  const Failure failure = world.In<server::Failed>("r", "b").failure;
  EXPECT_EQ(failure.cause, FailureCause::kInput);
  EXPECT_THAT(failure.message, HasSubstr("'x'"));
  EXPECT_EQ(world.LastMove("r").status, RunStatus::kFailed);
}

TEST(DecideTest, ATextThatIsNotOfTheInputsTypeFailsTheDependent) {
  World world = WithMachine();
  world.Submit("r",
               APipeline({AStep("a").Output("n", ValueType::kInteger),
                          AStep("b").Text("n", OutputOf("a", "n"), ValueType::kInteger)}));
  Finish(world, "r", "a", {Word("n", "many")});
  ASSERT_EQ(world.StateOf("r", "b"), "Failed");
  EXPECT_EQ(world.In<server::Failed>("r", "b").failure.cause, FailureCause::kInput);
}

TEST(DecideTest, AFailureSkipsAllThatNeedItAndNothingElse) {
  World world = WithMachine();
  world.Submit(
      "r", APipeline({AStep("a"), AStep("b").After("a"), AStep("c").After("b"), AStep("other")}));
  world.Report("m1", {Fails(world.Attempt("r", "a"))});
  EXPECT_EQ(world.StateOf("r", "a"), "Failed");
  EXPECT_EQ(world.StateOf("r", "b"), "Skipped");
  EXPECT_EQ(world.StateOf("r", "c"), "Skipped");
  EXPECT_THAT(world.In<Skipped>("r", "b").reason, HasSubstr("'a'"));
  EXPECT_THAT(world.In<Skipped>("r", "c").reason, HasSubstr("'b'"));
  EXPECT_EQ(world.StateOf("r", "other"), "Assigned");
  Finish(world, "r", "other");
  EXPECT_EQ(world.LastMove("r").status, RunStatus::kFailed);
  EXPECT_EQ(world.LastMove("r").reason, "step 'a' failed: it broke");
}

TEST(DecideTest, AStepThatOnlyCouldUseTheFailedOneGoesOnWithoutIt) {
  World world = WithMachine();
  world.Submit("r",
               APipeline({AStep("a").Output("x"),
                          AStep("b")
                              .OptionalData("x", OutputOf("a", "x"))
                              .Command("run $[[--x ${{inputs.x}}]]")}));
  world.Report("m1", {Fails(world.Attempt("r", "a"))});
  ASSERT_THAT(world.Starts(), SizeIs(1));
  EXPECT_THAT(world.Starts()[0].inputs, IsEmpty());
  EXPECT_EQ(world.Starts()[0].command, "run ");
}

TEST(DecideTest, AnOptionalBlockStaysWhereItsInputHasAValue) {
  World world = WithMachine();
  world.Submit("r",
               APipeline({AStep("a").Output("x"),
                          AStep("b")
                              .OptionalData("x", OutputOf("a", "x"))
                              .Command("run $[[--x ${{inputs.x}}]]")}));
  Finish(world, "r", "a", {Files("x")});
  ASSERT_THAT(world.Starts(), SizeIs(1));
  EXPECT_EQ(world.Starts()[0].command, "run --x ${{inputs.x}}");
}

TEST(DecideTest, WithoutContinuingAFailureStopsWhatRunsAndCancelsTheRest) {
  World world = WithMachine();
  world.Submit("r", AFailFastPipeline({AStep("a"), AStep("b"), AStep("c").After("b")}));
  const AttemptKey b = world.Attempt("r", "b");
  world.Report("m1", {Starts(b), Fails(world.Attempt("r", "a"))});
  EXPECT_EQ(world.StateOf("r", "b"), "Stopping");
  EXPECT_EQ(world.StateOf("r", "c"), "Canceled");
  ASSERT_THAT(world.Stops(), SizeIs(1));
  EXPECT_EQ(world.Stops()[0].key, b);
  EXPECT_THAT(world.Stops()[0].reason, HasSubstr("'a'"));
  world.Report("m1", {Stops(b)});
  EXPECT_EQ(world.StateOf("r", "b"), "Canceled");
  EXPECT_EQ(world.LastMove("r").status, RunStatus::kFailed);
  EXPECT_THAT(world.LastMove("r").reason, HasSubstr("'a'"));
}

TEST(DecideTest, TheReasonNamesTheStepThatFailedFirst) {
  World world = WithMachine();
  world.Submit("r", APipeline({AStep("a"), AStep("b")}));
  const AttemptKey a = world.Attempt("r", "a");
  world.Report("m1", {Fails(world.Attempt("r", "b"))});
  world.now += absl::Seconds(1);
  world.Report("m1", {Fails(a)});
  EXPECT_THAT(world.LastMove("r").reason, HasSubstr("'b'"));
}

TEST(DecideTest, ACancellationStopsWhatRunsAndTheRunEndsWithTheLastOfIt) {
  World world = WithMachine();
  world.Submit("r", APipeline({AStep("a"), AStep("b").After("a")}));
  const AttemptKey a = world.Attempt("r", "a");
  world.Cancel("r");
  EXPECT_EQ(world.LastMove("r").status, RunStatus::kCancelRequested);
  EXPECT_EQ(world.StateOf("r", "a"), "Stopping");
  EXPECT_EQ(world.StateOf("r", "b"), "Canceled");
  EXPECT_TRUE(world.Said<Answer>()[0].status.ok());
  EXPECT_THAT(world.Stops(), SizeIs(1));
  world.Report("m1", {Stops(a)});
  EXPECT_EQ(world.LastMove("r").status, RunStatus::kCanceled);
  EXPECT_EQ(world.LastMove("r").reason, "no longer needed");
}

TEST(DecideTest, ACancellationOfWhatNeverStartedEndsAtOnce) {
  World world;
  world.Submit("r", APipeline({AStep("a")}));
  world.Cancel("r");
  EXPECT_EQ(world.LastMove("r").status, RunStatus::kCanceled);
}

TEST(DecideTest, ASecondCancellationChangesNothing) {
  World world = WithMachine();
  world.Submit("r", APipeline({AStep("a")}));
  world.Cancel("r");
  EXPECT_THAT(world.Cancel("r").changes, IsEmpty());
  EXPECT_TRUE(world.Said<Answer>()[0].status.ok());
}

TEST(DecideTest, CancelingAnUnknownRunIsNotFound) {
  World world;
  world.Turn({CancelRequested{5, "nobody", ""}});
  ASSERT_THAT(world.Said<Answer>(), SizeIs(1));
  EXPECT_EQ(world.Said<Answer>()[0].reply, 5U);
  EXPECT_EQ(world.Said<Answer>()[0].status.code(), absl::StatusCode::kNotFound);
}

TEST(DecideTest, ASuccessThatComesAfterTheCancellationIsACanceledStep) {
  World world = WithMachine();
  world.Submit("r", APipeline({AStep("a")}));
  const AttemptKey a = world.Attempt("r", "a");
  world.Cancel("r");
  world.Report("m1", {Succeeds(a)});
  EXPECT_EQ(world.StateOf("r", "a"), "Canceled");
  EXPECT_THAT(world.Acks(), ElementsAre(a));
}

// A step that failed for want of an input counted as ended before those that need it were told;
// another upstream that ended in the same turn then queued one of them.
TEST(DecideTest, AStepIsNotQueuedWhileAFailureOfTheSameTurnIsOnItsWay) {
  World world = WithMachine();
  world.Submit("r",
               APipeline({AStep("a").Output("x"),
                          AStep("b").Data("x", OutputOf("a", "x")),
                          AStep("c").After("a").After("b")}));
  Finish(world, "r", "a", {});
  EXPECT_EQ(world.StateOf("r", "b"), "Failed");
  EXPECT_EQ(world.StateOf("r", "c"), "Skipped");
}

TEST(DecideTest, AnImpossibleMoveFailsItsRunAndTheOthersGoOn) {
  World world;
  world.Submit("bad", APipeline({AStep("a"), AStep("b").After("a")}));
  world.Submit("good", APipeline({AStep("a")}));
  // Such as a bug would leave behind: a step that still waits is taken for one that is ready.
  world.state.queued.Add(PlaceOf(world.state.runs.at(1), 1), {kDefaultTeam, "someone"});
  world.state.queued.Remove(PlaceOf(world.state.runs.at(1), 0));
  Decision decision =
      DecideTurn(world.state, {MachineHello{1, AMachine("m1"), {}, {}}}, world.now, world.options);
  ASSERT_THAT(decision.internal_errors, SizeIs(1));
  EXPECT_THAT(decision.internal_errors[0], HasSubstr("bad"));
  ASSERT_THAT(world.state.runs, SizeIs(1));
  EXPECT_EQ(world.state.runs.begin()->second.name, "good");
  EXPECT_TRUE(std::holds_alternative<Assigned>(world.state.runs.at(2).steps[0].state()));
}

TEST(DecideTest, AfterAStartEveryMachineIsHeardAndWaitsForItsHello) {
  World world = WithMachine();
  world.Submit("r", APipeline({AStep("a")}));
  State loaded;
  for (const Change& change : world.journal) Apply(loaded, change);
  const absl::Time start = world.now + absl::Hours(3);
  const Decision decision = DecideStart(loaded, {4, "w", start}, world.options);
  EXPECT_THAT(decision.effects, IsEmpty());
  EXPECT_EQ(loaded.epoch, 4);
  EXPECT_EQ(loaded.machines.at(1).last_heard, start);
  EXPECT_EQ(loaded.machines.at(1).session, 0U);
  EXPECT_TRUE(std::holds_alternative<Assigned>(loaded.runs.at(1).steps[0].state()));
}

TEST(DecideTest, AStartRightsBooksOfWhichHalfWasStored) {
  World world = WithMachine();
  world.Submit("r", APipeline({AStep("a"), AStep("b").After("a")}));
  State loaded;
  for (const Change& change : world.journal) Apply(loaded, change);
  StepMoved moved{{1, 0}, 1, 0, {}, world.now};
  moved.state = server::Succeeded{1, {}};
  Apply(loaded, moved);
  DecideStart(loaded, {4, "w", world.now}, world.options);
  EXPECT_TRUE(std::holds_alternative<Queued>(loaded.runs.at(1).steps[1].state()));
  moved.step.index = 1;
  Apply(loaded, moved);
  DecideStart(loaded, {5, "w", world.now}, world.options);
  EXPECT_THAT(loaded.runs, IsEmpty());
}

TEST(DecideTest, ARunWhosePlanIsMissingFailsAtTheStart) {
  State loaded;
  RunAdded added;
  added.id = 3;
  added.name = "r";
  added.steps = 2;
  Apply(loaded, added);
  const Decision decision = DecideStart(loaded, {1, "w", absl::UnixEpoch()}, {});
  EXPECT_THAT(decision.internal_errors, SizeIs(1));
  EXPECT_THAT(loaded.runs, IsEmpty());
}

}  // namespace
}  // namespace potok::server
