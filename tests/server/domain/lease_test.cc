// The leases of pools: which one a machine has, and that no agent ever counts with a longer one
// than the server does.
#include "gmock/gmock.h"
#include "server/domain/pools.h"
#include "tests/server/domain/builders.h"

namespace potok::server {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

constexpr absl::Duration kForEver = absl::InfiniteDuration();

void PutLease(World& world,
              const std::string& pool,
              std::optional<absl::Duration> lease,
              const std::string& selector = "") {
  PoolPut put;
  put.name = pool;
  put.selector = selector;
  put.lease = lease;
  world.Turn({put});
}

// What the machine is told when it connects now.
absl::Duration Told(World& world, const MachineChanged& machine) {
  world.Connect(machine);
  const std::vector<SendWelcome> welcomes = world.Said<SendWelcome>();
  return welcomes.empty() ? absl::ZeroDuration() : welcomes.front().lease;
}

absl::Duration CountedFor(const World& world, const std::string& machine) {
  return world.Machine(machine).facts.lease.value_or(absl::ZeroDuration());
}

// Seen for the last time so long ago: whether its attempts are given up.
bool IsLostAfter(World& world, const std::string& machine, absl::Duration silence) {
  world.Wait(silence);
  return world.Machine(machine).facts.liveness == Liveness::kLost;
}

TEST(LeaseTest, AMachineHasTheLongestLeaseOfItsPoolsOrTheServers) {
  World world;
  PutLease(world, "a", absl::Minutes(2), "zone == a");
  PutLease(world, "ab", absl::Hours(1), "zone in (a, b)");
  PutLease(world, "own", absl::Minutes(30));
  PutLease(world, "silent", std::nullopt, "zone == c");
  EXPECT_EQ(Told(world, AMachine("m1").Label("zone", "a")), absl::Hours(1));
  EXPECT_EQ(Told(world, AMachine("m2").Label("zone", "b").Pool("own")), absl::Hours(1));
  EXPECT_EQ(Told(world, AMachine("m3").Pool("own")), absl::Minutes(30));
  EXPECT_EQ(Told(world, AMachine("m4").Label("zone", "c").Pool("another")), world.options.lease);
  PutLease(world, "c", kForEver, "zone == c");
  EXPECT_EQ(Told(world, AMachine("m5").Label("zone", "c")), kForEver);
}

TEST(LeaseTest, APoolMayHaveAShorterLeaseThanTheServer) {
  World world;
  PutLease(world, kDefaultPool, absl::Minutes(1));
  EXPECT_EQ(Told(world, AMachine("m1")), absl::Minutes(1));
  EXPECT_EQ(Told(world, AMachine("m2").Pool("own")), world.options.lease);
}

TEST(LeaseTest, TheServerCountsWithTheLeaseOfTheMachine) {
  World world;
  PutLease(world, "long", absl::Hours(1), "name == m1");
  world.Connect(AMachine("m1"));
  world.Connect(AMachine("m2"));
  EXPECT_FALSE(IsLostAfter(world, "m1", absl::Minutes(59)));
  EXPECT_EQ(world.Machine("m2").facts.liveness, Liveness::kLost);
  EXPECT_TRUE(IsLostAfter(world, "m1", absl::Minutes(2)));
}

TEST(LeaseTest, ARestartedServerCountsWithTheLeaseOfTheMachine) {
  World world;
  PutLease(world, "long", absl::Hours(1), "name == m1");
  world.Connect(AMachine("m1"));
  world.Restart();
  // Whatever the pool says by now: its agent has not heard of that.
  PutLease(world, "long", absl::Minutes(1), "name == m1");
  EXPECT_FALSE(IsLostAfter(world, "m1", absl::Minutes(59)));
  EXPECT_TRUE(IsLostAfter(world, "m1", absl::Minutes(2)));
}

TEST(LeaseTest, AMachineOfAnOlderJournalHasTheServersLease) {
  World world;
  MachineChanged machine = AMachine("m1");
  machine.id = 1;
  Apply(world.state, machine);
  world.journal.emplace_back(machine);
  HearEverybody(world.state, world.now);
  const absl::Duration limit = world.options.lease + world.options.lease_grace;
  EXPECT_FALSE(IsLostAfter(world, "m1", limit - absl::Milliseconds(1)));
  EXPECT_TRUE(IsLostAfter(world, "m1", absl::Milliseconds(1)));
}

TEST(LeaseTest, AChangedLeaseClosesTheSessionsOfItsMachinesAndOfNoOthers) {
  World world;
  PutLease(world, "long", std::nullopt, "name == m1");
  world.Connect(AMachine("m1"));
  world.Connect(AMachine("m2"));
  world.Submit("r", APipeline({AStep("a").Where("name == m1")}));
  const AttemptKey attempt = world.Attempt("r", "a");
  PutLease(world, "long", absl::Hours(1), "name == m1");
  const SessionId session = world.Machine("m1").session;
  world.Wait(absl::Seconds(1));
  ASSERT_THAT(world.Said<CloseSession>(), SizeIs(1));
  EXPECT_EQ(world.Said<CloseSession>()[0].session, session);
  EXPECT_NE(world.Machine("m2").session, 0U);
  // Its steps go on.
  EXPECT_EQ(Told(world, AMachine("m1")), absl::Hours(1));
  EXPECT_EQ(world.Attempt("r", "a"), attempt);
  world.Wait(absl::Seconds(1));
  EXPECT_THAT(world.Said<CloseSession>(), IsEmpty());
}

TEST(LeaseTest, LabelsThatTakeAMachineIntoAPoolGiveItThatLease) {
  World world;
  PutLease(world, "b", kForEver, "zone == b");
  world.Connect(AMachine("m1"));
  world.Turn({MachinesLabeled{9, {"m1"}, {{"zone", "b"}}, "ann", ""}});
  world.Wait(absl::Seconds(1));
  EXPECT_EQ(world.Machine("m1").session, 0U);
  EXPECT_EQ(Told(world, AMachine("m1")), kForEver);
  world.Turn({PoolDeleted{9, "b"}});
  world.Wait(absl::Seconds(1));
  EXPECT_EQ(Told(world, AMachine("m1")), world.options.lease);
}

// Welcome may be lost on its way: then the agent still counts with the longer one.
TEST(LeaseTest, AShorterLeaseCountsOnceTheAgentHasSaidSomethingAfterItsWelcome) {
  World world;
  PutLease(world, "p", absl::Hours(1), "name == m1");
  world.Connect(AMachine("m1"));
  PutLease(world, "p", absl::Minutes(1), "name == m1");
  EXPECT_EQ(Told(world, AMachine("m1")), absl::Minutes(1));
  EXPECT_EQ(CountedFor(world, "m1"), absl::Hours(1));
  EXPECT_EQ(Told(world, AMachine("m1")), absl::Minutes(1));
  EXPECT_EQ(CountedFor(world, "m1"), absl::Hours(1));
  world.Heartbeat("m1");
  EXPECT_EQ(CountedFor(world, "m1"), absl::Minutes(1));
  EXPECT_TRUE(IsLostAfter(world, "m1", absl::Minutes(2)));
}

TEST(LeaseTest, ALongerLeaseCountsBeforeTheAgentHearsOfIt) {
  World world;
  PutLease(world, "p", absl::Minutes(1), "name == m1");
  world.Connect(AMachine("m1"));
  PutLease(world, "p", kForEver, "name == m1");
  EXPECT_EQ(CountedFor(world, "m1"), absl::Minutes(1));
  EXPECT_EQ(Told(world, AMachine("m1")), kForEver);
  EXPECT_EQ(CountedFor(world, "m1"), kForEver);
  EXPECT_FALSE(IsLostAfter(world, "m1", absl::Hours(24 * 365)));
}

TEST(LeaseTest, AServerThatStartsWithAnotherLeaseTellsIt) {
  World world;
  world.Connect(AMachine("m1"));
  world.Heartbeat("m1");
  world.options.lease = absl::Minutes(2);
  world.Restart();
  EXPECT_FALSE(IsLostAfter(world, "m1", absl::Minutes(5)));
  EXPECT_EQ(Told(world, AMachine("m1")), absl::Minutes(2));
  EXPECT_EQ(CountedFor(world, "m1"), absl::Minutes(10));
  world.Heartbeat("m1");
  EXPECT_EQ(CountedFor(world, "m1"), absl::Minutes(2));
}

}  // namespace
}  // namespace potok::server
