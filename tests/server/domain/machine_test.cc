// The rules of machines: sessions, leases, lost machines, late reports.
#include "gmock/gmock.h"
#include "server/domain/decide.h"
#include "tests/server/domain/builders.h"

namespace potok::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

// A run "r" of one step "a" that is on m1.
World WithStepOnMachine() {
  World world;
  world.Connect(AMachine("m1"));
  world.Submit("r", APipeline({AStep("a")}));
  return world;
}

World WithRunningStep() {
  World world = WithStepOnMachine();
  world.Report("m1", {Starts(world.Attempt("r", "a"))});
  return world;
}

TEST(MachineTest, ANewMachineIsReadyAndWelcome) {
  World world;
  world.Connect(AMachine("m1"));
  EXPECT_EQ(world.Machine("m1").facts.liveness, Liveness::kReady);
  EXPECT_EQ(world.Machine("m1").facts.id, 1U);
  EXPECT_EQ(world.Machine("m1").facts.first_seen, world.now);
  ASSERT_THAT(world.Said<SendWelcome>(), SizeIs(1));
  EXPECT_EQ(world.Said<SendWelcome>()[0].lease, world.options.lease);
}

TEST(MachineTest, AMachineThatComesBackKeepsItsNumberAndStoresNothingNew) {
  World world;
  world.Connect(AMachine("m1"));
  world.Disconnect("m1");
  EXPECT_THAT(world.Connect(AMachine("m1")).changes, IsEmpty());
  EXPECT_THAT(world.Connect(AMachine("m1").Cpus(8)).changes, SizeIs(1));
  EXPECT_THAT(world.state.machines, SizeIs(1));
}

TEST(MachineTest, AnotherStateFolderUnderALiveNameIsRefused) {
  World world;
  world.Connect(AMachine("m1"));
  world.Connect(AMachine("m1").StateId("other"));
  ASSERT_THAT(world.Said<CloseSession>(), SizeIs(1));
  EXPECT_EQ(world.Said<CloseSession>()[0].session, 2U);
  EXPECT_EQ(world.Said<CloseSession>()[0].why.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(world.Said<CloseSession>()[0].why.message()), HasSubstr("declare-dead"));
  EXPECT_THAT(world.Said<SendWelcome>(), IsEmpty());
  EXPECT_EQ(world.Machine("m1").session, 1U);
}

TEST(MachineTest, AnotherStateFolderIsRefusedWhileTheAbsentOneHoldsSteps) {
  World world = WithStepOnMachine();
  world.Disconnect("m1");
  world.Connect(AMachine("m1").StateId("other"));
  EXPECT_EQ(world.Said<CloseSession>()[0].why.code(), absl::StatusCode::kAlreadyExists);
  world.Turn({MachineDeclaredDead{9, "m1"}});
  world.Connect(AMachine("m1").StateId("other"));
  EXPECT_THAT(world.Said<SendWelcome>(), SizeIs(1));
}

TEST(MachineTest, ANewerSessionReplacesTheOlder) {
  World world;
  world.Connect(AMachine("m1"));
  world.Connect(AMachine("m1"));
  ASSERT_THAT(world.Said<CloseSession>(), SizeIs(1));
  EXPECT_EQ(world.Said<CloseSession>()[0].session, 1U);
  EXPECT_THAT(std::string(world.Said<CloseSession>()[0].why.message()), HasSubstr("superseded"));
  EXPECT_EQ(world.Machine("m1").session, 2U);
}

TEST(MachineTest, TheEndOfAnOlderSessionDoesNotEndTheNewer) {
  World world;
  world.Connect(AMachine("m1"));
  world.Connect(AMachine("m1"));
  world.Turn({MachineDisconnected{1, "m1"}, MachineGoodbye{1, "m1"}});
  EXPECT_EQ(world.Machine("m1").session, 2U);
  EXPECT_EQ(world.Machine("m1").facts.liveness, Liveness::kReady);
}

TEST(MachineTest, NothingIsPlacedOnADisconnectedMachineUntilItsHello) {
  World world;
  world.Connect(AMachine("m1"));
  world.Disconnect("m1");
  world.Submit("r", APipeline({AStep("a")}));
  EXPECT_EQ(world.StateOf("r", "a"), "Queued");
  world.Connect(AMachine("m1"));
  EXPECT_EQ(world.StateOf("r", "a"), "Assigned");
}

TEST(MachineTest, AnOrderThatNeverArrivedIsRepeatedAtTheHello) {
  World world = WithStepOnMachine();
  const AttemptKey a = world.Attempt("r", "a");
  world.Disconnect("m1");
  world.Connect(AMachine("m1"));
  ASSERT_THAT(world.Starts(), SizeIs(1));
  EXPECT_EQ(world.Starts()[0].key, a);
}

TEST(MachineTest, AnOrderThatArrivedIsNotRepeatedAndItsAttemptIsKept) {
  World world = WithStepOnMachine();
  const AttemptKey a = world.Attempt("r", "a");
  world.Connect(AMachine("m1"), {a});
  EXPECT_THAT(world.Starts(), IsEmpty());
  EXPECT_THAT(world.Said<SendWelcome>()[0].keep, ElementsAre(a));
}

TEST(MachineTest, AStartedAttemptThatIsMissingHasEndedAndGetsANewNumber) {
  World world = WithRunningStep();
  const AttemptKey a = world.Attempt("r", "a");
  world.Connect(AMachine("m1"));
  ASSERT_THAT(world.Starts(), SizeIs(1));
  EXPECT_EQ(world.Starts()[0].key.attempt, a.attempt + 1);
  EXPECT_EQ(world.StepOf("r", "a").machine_lost, 1U);
}

TEST(MachineTest, AfterABootEverythingThatWasThereIsDead) {
  World world = WithStepOnMachine();
  world.Connect(AMachine("m1").Boot("boot 2"));
  EXPECT_EQ(world.Attempt("r", "a").attempt, 2U);
}

TEST(MachineTest, AfterABootWhatHadEndedAndIsReportedCounts) {
  World world = WithRunningStep();
  const AttemptKey a = world.Attempt("r", "a");
  world.Connect(AMachine("m1").Boot("boot 2"), {}, {Succeeds(a)});
  EXPECT_EQ(world.StateOf("r", "a"), "Succeeded");
  EXPECT_THAT(world.Acks(), ElementsAre(a));
}

TEST(MachineTest, WhatNobodyWantsIsNotKept) {
  World world = WithRunningStep();
  const AttemptKey a = world.Attempt("r", "a");
  const AttemptKey unknown{77, 0, 1};
  const AttemptKey stale{a.run, a.index, a.attempt + 5};
  world.Connect(AMachine("m1"), {a, unknown, stale});
  EXPECT_THAT(world.Said<SendWelcome>()[0].keep, ElementsAre(a));
}

TEST(MachineTest, AStopIsRepeatedAtTheHelloAndTheAttemptKeptForIt) {
  World world = WithRunningStep();
  const AttemptKey a = world.Attempt("r", "a");
  world.Disconnect("m1");
  world.Cancel("r");
  EXPECT_THAT(world.Stops(), IsEmpty());
  world.Connect(AMachine("m1"), {a});
  EXPECT_THAT(world.Said<SendWelcome>()[0].keep, ElementsAre(a));
  ASSERT_THAT(world.Stops(), SizeIs(1));
  EXPECT_EQ(world.Stops()[0].key, a);
}

TEST(MachineTest, AStoppingAttemptThatIsGoneIsCanceled) {
  World world = WithRunningStep();
  world.Cancel("r");
  world.Connect(AMachine("m1"));
  EXPECT_EQ(world.StateOf("r", "a"), "Canceled");
  EXPECT_EQ(world.LastMove("r").status, RunStatus::kCanceled);
}

TEST(MachineTest, AReportOfAnOlderAttemptChangesNothingAndIsAcknowledged) {
  World world = WithRunningStep();
  const AttemptKey old = world.Attempt("r", "a");
  world.Connect(AMachine("m1"));
  const Decision& decision = world.Report("m1", {Succeeds(old)});
  EXPECT_THAT(decision.changes, IsEmpty());
  EXPECT_EQ(decision.stale_reports, 1U);
  EXPECT_THAT(world.Acks(), ElementsAre(old));
}

TEST(MachineTest, AReportOfALostAttemptIsStaleWhileItsStepWaitsForTheNext) {
  World world = WithRunningStep();
  const AttemptKey old = world.Attempt("r", "a");
  world.Turn({MachineDeclaredDead{9, "m1"}});
  EXPECT_EQ(world.StateOf("r", "a"), "Queued");
  // The number is still the latest: only that nobody holds it tells that it is over.
  world.Connect(AMachine("m1").Cpus(0), {}, {Succeeds(old)});
  EXPECT_EQ(world.StateOf("r", "a"), "Queued");
  EXPECT_EQ(world.last.stale_reports, 1U);
  EXPECT_THAT(world.Acks(), ElementsAre(old));
}

TEST(MachineTest, AReportOfAnUnknownRunIsAcknowledged) {
  World world;
  world.Connect(AMachine("m1"));
  world.Report("m1", {Stops({5, 9, 1}), Starts({5, 9, 1})});
  EXPECT_EQ(world.last.stale_reports, 2U);
  EXPECT_THAT(world.Acks(), ElementsAre(AttemptKey{5, 9, 1}));
}

TEST(MachineTest, AMachineCannotReportWhatAnotherHolds) {
  World world = WithRunningStep();
  world.Connect(AMachine("m2"));
  world.Report("m2", {Succeeds(world.Attempt("r", "a"))});
  EXPECT_EQ(world.StateOf("r", "a"), "Running");
  EXPECT_EQ(world.last.stale_reports, 1U);
}

TEST(MachineTest, AReportOverAnEndedSessionIsLeftForTheNextHello) {
  World world = WithRunningStep();
  const AttemptKey a = world.Attempt("r", "a");
  world.Connect(AMachine("m1"), {a});
  world.Turn({MachineReported{1, "m1", {Succeeds(a)}}});
  EXPECT_EQ(world.StateOf("r", "a"), "Running");
  EXPECT_THAT(world.Acks(), IsEmpty());
}

TEST(MachineTest, TheSameEndTwiceIsAcknowledgedTwice) {
  World world = WithRunningStep();
  const AttemptKey a = world.Attempt("r", "a");
  world.Report("m1", {Succeeds(a)});
  world.Report("m1", {Succeeds(a)});
  EXPECT_THAT(world.last.changes, IsEmpty());
  EXPECT_THAT(world.Acks(), ElementsAre(a));
}

TEST(MachineTest, SilenceMakesAMachineUnresponsiveAndAHeartbeatMakesItReady) {
  World world = WithRunningStep();
  world.Wait(absl::Seconds(19));
  EXPECT_EQ(world.Machine("m1").facts.liveness, Liveness::kReady);
  world.Wait(absl::Seconds(1));
  EXPECT_EQ(world.Machine("m1").facts.liveness, Liveness::kNotResponding);
  EXPECT_EQ(world.StateOf("r", "a"), "Running");
  world.Submit("s", APipeline({AStep("a")}));
  EXPECT_EQ(world.StateOf("s", "a"), "Queued");
  world.Heartbeat("m1");
  EXPECT_EQ(world.Machine("m1").facts.liveness, Liveness::kReady);
  EXPECT_EQ(world.StateOf("s", "a"), "Assigned");
}

TEST(MachineTest, AMachineIsLostOnceItsLeaseAndTheGraceAreOver) {
  World world = WithRunningStep();
  const absl::Duration limit = world.options.lease + world.options.lease_grace;
  world.Wait(limit - absl::Milliseconds(1));
  EXPECT_EQ(world.Machine("m1").facts.liveness, Liveness::kNotResponding);
  EXPECT_EQ(world.StateOf("r", "a"), "Running");
  world.Wait(absl::Milliseconds(1));
  EXPECT_EQ(world.Machine("m1").facts.liveness, Liveness::kLost);
  EXPECT_EQ(world.StateOf("r", "a"), "Queued");
  ASSERT_THAT(world.Said<CloseSession>(), SizeIs(1));
  EXPECT_EQ(world.Machine("m1").session, 0U);
}

TEST(MachineTest, ALostMachineComesBackWithItsHello) {
  World world = WithRunningStep();
  const AttemptKey old = world.Attempt("r", "a");
  world.Wait(absl::Hours(1));
  world.Connect(AMachine("m1"), {old});
  EXPECT_EQ(world.Machine("m1").facts.liveness, Liveness::kReady);
  EXPECT_THAT(world.Said<SendWelcome>()[0].keep, IsEmpty());
  EXPECT_EQ(world.Attempt("r", "a").attempt, old.attempt + 1);
}

TEST(MachineTest, AMessageInTheSameTurnComesBeforeTheClock) {
  World world = WithRunningStep();
  world.now += absl::Hours(1);
  world.Turn({Tick{}, MachineHeard{1, "m1"}});
  EXPECT_EQ(world.Machine("m1").facts.liveness, Liveness::kReady);
  EXPECT_EQ(world.StateOf("r", "a"), "Running");
}

// It was acknowledged on whatever stream it came, so that an agent whose session had been replaced
// took its lease for renewed while the server did not.
TEST(MachineTest, AcknowledgesTheHeartbeatsOfItsOwnSessionOnly) {
  World world = WithRunningStep();
  const SessionId session = world.Machine("m1").session;
  world.Turn({MachineHeard{session, "m1", 7}});
  ASSERT_THAT(world.Said<AckHeartbeat>(), SizeIs(1));
  EXPECT_EQ(world.Said<AckHeartbeat>()[0].session, session);
  EXPECT_EQ(world.Said<AckHeartbeat>()[0].sequence, 7U);
  const absl::Time heard = world.Machine("m1").last_heard;
  world.now += absl::Seconds(1);
  for (const SessionId other : {session + 1, SessionId{0}}) {
    world.Turn({MachineHeard{other, "m1", 8}});
    EXPECT_THAT(world.Said<AckHeartbeat>(), IsEmpty());
  }
  world.Turn({MachineHeard{session, "unknown", 9}});
  EXPECT_THAT(world.Said<AckHeartbeat>(), IsEmpty());
  EXPECT_EQ(world.Machine("m1").last_heard, heard);
}

TEST(MachineTest, WithoutALeaseOnlyAPersonEndsAttempts) {
  World world;
  world.options.lease = absl::InfiniteDuration();
  world.Connect(AMachine("m1"));
  world.Submit("r", APipeline({AStep("a")}));
  world.Report("m1", {Starts(world.Attempt("r", "a"))});
  world.Wait(absl::Hours(24 * 365));
  EXPECT_EQ(world.Machine("m1").facts.liveness, Liveness::kNotResponding);
  EXPECT_EQ(world.StateOf("r", "a"), "Running");
  world.Turn({MachineDeclaredDead{9, "m1"}});
  EXPECT_EQ(world.Machine("m1").facts.liveness, Liveness::kLost);
  EXPECT_EQ(world.StateOf("r", "a"), "Queued");
  EXPECT_TRUE(world.Said<Answer>()[0].status.ok());
}

// A machine came back and was declared dead in the same turn. Its attempt had been ordered again at
// the Hello, and was started by a machine that no longer held it.
TEST(MachineTest, AMachineThatIsDeclaredDeadInTheTurnOfItsHelloIsOrderedNothing) {
  World world = WithStepOnMachine();
  world.Disconnect("m1");
  world.Turn({MachineHello{7, AMachine("m1"), {}, {}}, MachineDeclaredDead{9, "m1"}});
  EXPECT_EQ(world.StateOf("r", "a"), "Queued");
  EXPECT_THAT(world.Starts(), IsEmpty());
}

TEST(MachineTest, DeclaringAnUnknownMachineDeadIsNotFound) {
  World world;
  world.Turn({MachineDeclaredDead{9, "nobody"}});
  EXPECT_EQ(world.Said<Answer>()[0].status.code(), absl::StatusCode::kNotFound);
}

TEST(MachineTest, AfterAServerStartALeaseBeginsAnew) {
  World world = WithRunningStep();
  State loaded;
  for (const Change& change : world.journal) Apply(loaded, change);
  const absl::Time start = world.now + absl::Hours(5);
  DecideStart(loaded, {2, "w", start}, world.options);
  const absl::Duration limit = world.options.lease + world.options.lease_grace;
  DecideTurn(loaded, {Tick{}}, start + limit - absl::Milliseconds(1), world.options);
  EXPECT_EQ(loaded.machines.at(1).facts.liveness, Liveness::kNotResponding);
  DecideTurn(loaded, {Tick{}}, start + limit, world.options);
  EXPECT_EQ(loaded.machines.at(1).facts.liveness, Liveness::kLost);
}

TEST(MachineTest, AStepThatTakesMachinesDownFailsAfterThreeRequeues) {
  World world;
  world.Submit("r", APipeline({AStep("a")}));
  for (int boot = 1; boot <= 4; ++boot) {
    world.Connect(AMachine("m1").Boot("boot " + std::to_string(boot)));
    EXPECT_EQ(world.StateOf("r", "a"), "Assigned");
  }
  EXPECT_EQ(world.Attempt("r", "a").attempt, 4U);
  world.Connect(AMachine("m1").Boot("boot 5"));
  ASSERT_EQ(world.StateOf("r", "a"), "Failed");
  EXPECT_EQ(world.In<server::Failed>("r", "a").failure.cause, FailureCause::kMachineLost);
  EXPECT_EQ(world.LastMove("r").status, RunStatus::kFailed);
}

TEST(MachineTest, WhatTheAgentEndedForItsLeaseIsTriedAgain) {
  for (const FailureCause cause : {FailureCause::kLease, FailureCause::kMachineLost}) {
    World world = WithRunningStep();
    world.Report("m1", {Fails(world.Attempt("r", "a"), cause)});
    EXPECT_EQ(world.Attempt("r", "a").attempt, 2U) << NameOf(cause);
    EXPECT_EQ(world.StateOf("r", "a"), "Assigned");
  }
}

TEST(MachineTest, WhatStoppedUnaskedIsTriedAgain) {
  World world = WithRunningStep();
  world.Report("m1", {Stops(world.Attempt("r", "a"))});
  EXPECT_EQ(world.Attempt("r", "a").attempt, 2U);
  EXPECT_EQ(world.StepOf("r", "a").machine_lost, 1U);
}

TEST(MachineTest, AMachineThatLeavesWithNothingIsGone) {
  World world;
  world.Connect(AMachine("m1"));
  world.Turn({MachineGoodbye{1, "m1"}});
  EXPECT_EQ(world.Machine("m1").facts.liveness, Liveness::kGone);
  world.Wait(absl::Hours(1));
  EXPECT_EQ(world.Machine("m1").facts.liveness, Liveness::kGone);
}

TEST(MachineTest, AMachineThatLeavesWhileItHoldsStepsIsOnlyAway) {
  World world = WithRunningStep();
  world.Turn({MachineGoodbye{1, "m1"}});
  EXPECT_EQ(world.Machine("m1").facts.liveness, Liveness::kReady);
  EXPECT_EQ(world.Machine("m1").session, 0U);
  EXPECT_EQ(world.StateOf("r", "a"), "Running");
}

TEST(MachineTest, AMachineWithoutANameIsRefused) {
  World world;
  world.Connect(AMachine(""));
  EXPECT_EQ(world.Said<CloseSession>()[0].why.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(world.state.machines, IsEmpty());
}

}  // namespace
}  // namespace potok::server
