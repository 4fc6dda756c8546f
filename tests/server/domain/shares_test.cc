// Hours of load: what teams get over time. Nothing waits on a clock.
#include "server/domain/shares.h"

#include <map>
#include <random>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "tests/server/domain/builders.h"

namespace potok::server {
namespace {

// Machines that are always full, since both teams have steps queued all the time: of 1 to 4 CPUs
// and 20 s to 5 min each.
class Load {
 public:
  Load(const TeamEdit& vision, const TeamEdit& speech, std::uint32_t seed) : random_(seed) {
    TeamEdit first = vision;
    first.add_users = {"ann", "bob"};
    TeamEdit second = speech;
    second.add_users = {"cyd"};
    EXPECT_TRUE(world_.Edit("vision", first).ok());
    EXPECT_TRUE(world_.Edit("speech", second).ok());
  }

  void AddMachine(const std::string& name) {
    world_.Connect(AMachine(name).Cpus(32).Memory(256 * kGiB));
    Note();
  }
  // From now on the users have steps queued at any time.
  void Want(const std::string& user) {
    wanted_.push_back(user);
    Fill();
  }

  void RunFor(absl::Duration time) {
    const absl::Time end = world_.now + time;
    while (!ends_.empty() && ends_.begin()->first <= end) {
      const auto [at, key] = *ends_.begin();
      ends_.erase(ends_.begin());
      Advance(at);
      const std::string machine = machines_.at(key);
      machines_.erase(key);
      world_.Report(machine, {Starts(key), Succeeds(key)});
      Note();
      Fill();
    }
    Advance(end);
  }

  // What the team had of the machines on average since the last call, 0 to 1.
  double Taken(const std::string& team) {
    const double seconds = absl::ToDoubleSeconds(world_.now - since_[team]);
    since_[team] = world_.now;
    return std::exchange(taken_[team], 0) / seconds;
  }
  double TakenBy(const std::string& user) const { return taken_by_.at(user); }
  void Start() {
    for (const char* const team : {"vision", "speech"}) {
      since_[team] = world_.now;
      taken_[team] = 0;
    }
    taken_by_.clear();
  }
  World& world() { return world_; }
  std::size_t steps() const { return steps_; }

 private:
  void Advance(absl::Time to) {
    const double seconds = absl::ToDoubleSeconds(to - world_.now);
    for (const auto& [name, team] : world_.state.teams) {
      taken_[name] += seconds * ShareOf(team.use.held, world_.state.living);
      for (const auto& [user, use] : team.users) {
        taken_by_[user] += seconds * ShareOf(use.held, world_.state.living);
      }
    }
    world_.now = to;
  }

  // The steps that the last turn placed end some time later.
  void Note() {
    for (const StartOrder& start : world_.Starts()) {
      ++steps_;
      ends_.emplace(world_.now + absl::Seconds(20 + random_() % 280), start.key);
      const auto& step = world_.state.runs.at(start.key.run).steps[start.key.index];
      const MachineId machine = PlacementOf(step.state())->machine;
      machines_[start.key] = world_.state.machines.at(machine).facts.name;
    }
  }

  void Fill() {
    for (const std::string& user : wanted_) {
      while (QueuedOf(user) < 20) {
        std::vector<Step> steps;
        for (int i = 0; i < 20; ++i) {
          const auto cpus = static_cast<std::int32_t>(1 + random_() % 4);
          steps.push_back(AStep(fmt::format("s{}", i)).Cpus(1000 * cpus).Memory(cpus * kGiB));
        }
        world_.SubmitAs(user, fmt::format("r{}", runs_++), APipeline(std::move(steps)));
        Note();
      }
    }
  }

  std::size_t QueuedOf(const std::string& user) const {
    std::size_t count = 0;
    for (const auto& [id, run] : world_.state.queued.runs()) {
      if (run.owner.user == user) count += run.size;
    }
    return count;
  }

  World world_;
  std::mt19937 random_;
  std::vector<std::string> wanted_;
  std::multimap<absl::Time, AttemptKey> ends_;
  std::map<AttemptKey, std::string> machines_;
  std::map<std::string, double> taken_;
  std::map<std::string, double> taken_by_;
  std::map<std::string, absl::Time> since_;
  std::size_t runs_ = 0;
  std::size_t steps_ = 0;
};

TeamEdit Weight(double weight, absl::Duration half_life) {
  TeamEdit edit;
  edit.weight = weight;
  edit.half_life = half_life;
  return edit;
}

class SharesTest : public testing::TestWithParam<absl::Duration> {};

TEST_P(SharesTest, TwoTeamsOfThreeToOneGetThreeToOneOverAnHour) {
  Load load(Weight(3, GetParam()), Weight(1, GetParam()), 1);
  load.Want("ann");
  load.Want("bob");
  load.Want("cyd");
  for (const char* const machine : {"m0", "m1", "m2", "m3"}) load.AddMachine(machine);
  load.Start();
  load.RunFor(absl::Hours(1));
  const double ann = load.TakenBy("ann");
  const double bob = load.TakenBy("bob");
  const double vision = load.Taken("vision");
  const double speech = load.Taken("speech");
  std::printf("vision %.4f speech %.4f of %zu steps\n", vision, speech, load.steps());
  EXPECT_GT(load.steps(), 800U);
  EXPECT_GT(vision + speech, 0.97);
  // Of what was used; the rest of the machines is what no step fitted into.
  EXPECT_NEAR(vision / (vision + speech), 0.75, 0.01);
  EXPECT_NEAR(speech / (vision + speech), 0.25, 0.01);
  EXPECT_NEAR(vision, 0.75, 0.02);
  EXPECT_NEAR(speech, 0.25, 0.02);
  EXPECT_NEAR(ann / (ann + bob), 0.5, 0.01);
}

INSTANTIATE_TEST_SUITE_P(SharesTest,
                         SharesTest,
                         testing::Values(absl::ZeroDuration(), absl::Minutes(10), absl::Hours(24)),
                         [](const auto& instance) {
                           return fmt::format("HalfLifeOfMinutes{}",
                                              absl::ToInt64Minutes(instance.param));
                         });

TEST(SharesTest, WhoCameLateCatchesUpAndThenBothHaveHalf) {
  Load load(Weight(1, absl::Minutes(30)), Weight(1, absl::Minutes(30)), 2);
  load.Want("ann");
  load.AddMachine("m0");
  load.RunFor(absl::Hours(1));
  load.Want("cyd");
  load.RunFor(absl::Minutes(10));
  load.Start();
  load.RunFor(absl::Minutes(20));
  EXPECT_GT(load.Taken("speech"), 0.6);
  load.RunFor(absl::Hours(3));
  load.Start();
  load.RunFor(absl::Hours(2));
  EXPECT_NEAR(load.Taken("speech"), 0.5, 0.03);
}

TEST(SharesTest, AQuotaLeavesTheRestToTheOthers) {
  TeamEdit vision = Weight(3, absl::ZeroDuration());
  vision.cpu_millis_max = 8000;
  Load load(vision, Weight(1, absl::ZeroDuration()), 3);
  load.Want("ann");
  load.Want("cyd");
  load.AddMachine("m0");
  load.Start();
  load.RunFor(absl::Hours(1));
  const double taken = load.Taken("vision");
  EXPECT_LE(taken, 0.25);
  EXPECT_GT(taken, 0.22);
  EXPECT_GT(load.Taken("speech"), 0.7);
}

}  // namespace
}  // namespace potok::server
