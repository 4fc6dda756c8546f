// The order of a pass, against the rule of docs/decisions/0033-who-goes-first.md read literally.
#include "server/domain/picker.h"

#include <algorithm>
#include <random>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "tests/server/domain/builders.h"

namespace potok::server {
namespace {

auto ByRun(const QueuePlace& place) {
  return std::tuple(place.step.run, place.since, place.step.index);
}
auto ByAge(const QueuePlace& place) {
  return std::tuple(place.since, place.step.run, place.shape, place.step.index);
}
// The aged rank; of equal ones the higher priority.
auto Rank(const QueuePlace& place) {
  return std::tuple(place.since - kAgingPerPoint * place.priority, -place.priority, ByAge(place));
}

class Literally {
 public:
  Literally(const State& state, absl::Time now) : state_(state), now_(now) {
    for (const QueuePlace& place : state.queued.All()) {
      if (ParkedOf(state.runs.at(place.step.run)) == Parked::kNot) left_.push_back(place);
    }
  }

  std::optional<QueuePlace> Next() const {
    std::vector<QueuePlace> left;
    for (const QueuePlace& place : left_) {
      const RunRecord& run = state_.runs.at(place.step.run);
      const auto taken = taken_.find(run.id);
      const std::uint32_t placed = run.placed + (taken == taken_.end() ? 0 : taken->second);
      if (LimitOf(run) > 0 && placed >= LimitOf(run)) continue;
      if (MayHave(run, place.demand.amounts)) left.push_back(place);
    }
    if (left.empty()) return std::nullopt;
    const std::int32_t highest =
        std::max_element(left.begin(), left.end(), [](const QueuePlace& a, const QueuePlace& b) {
          return a.priority < b.priority;
        })->priority;
    std::optional<QueuePlace> oldest;  // of the highest priority
    for (const QueuePlace& place : left) {
      if (place.priority != highest) continue;
      if (!oldest || ByAge(place) < ByAge(*oldest)) oldest = place;
    }
    const std::optional<QueuePlace> first = FirstByTurn(left, highest);
    std::optional<QueuePlace> aged;
    for (const QueuePlace& place : left) {
      if (place.priority == highest) continue;
      if (!RanksBefore(place.priority, place.since, highest, oldest->since)) continue;
      if (!aged || Rank(place) < Rank(*aged)) aged = place;
    }
    return aged.has_value() ? aged : first;
  }

  void Take(const QueuePlace& place) {
    ++taken_[place.step.run];
    const QueueOwner owner = OwnerOf(place);
    TeamRecord& team = placed_[owner.team];
    for (Use* use : {&team.use, &team.users[owner.user]}) {
      use->held += place.demand.amounts;
      ++use->steps;
    }
    std::erase_if(left_, [&](const QueuePlace& other) { return other.step == place.step; });
  }
  void Refuse(const QueuePlace& place) {
    std::erase_if(left_, [&](const QueuePlace& other) {
      return other.step.run == place.step.run && other.shape == place.shape;
    });
  }

 private:
  struct ByText {
    bool operator()(const QueueOwner& a, const QueueOwner& b) const {
      return std::tie(a.team, a.user) < std::tie(b.team, b.user);
    }
  };

  // Of each team the first of its user whose turn it is, and of these the one of the team whose
  // turn it is.
  std::optional<QueuePlace> FirstByTurn(const std::vector<QueuePlace>& left,
                                        std::int32_t priority) const {
    std::map<QueueOwner, QueuePlace, ByText> of_user;
    for (const QueuePlace& place : left) {
      if (place.priority != priority) continue;
      QueuePlace& first = of_user.try_emplace(OwnerOf(place), place).first->second;
      if (ByRun(place) < ByRun(first)) first = place;
    }
    const auto user_turn = [&](const QueuePlace& place) {
      return std::tuple(ScoreOfUser(OwnerOf(place)), ByRun(place));
    };
    std::map<std::string, QueuePlace> of_team;
    for (const auto& [owner, place] : of_user) {
      QueuePlace& first = of_team.try_emplace(owner.team, place).first->second;
      if (user_turn(place) < user_turn(first)) first = place;
    }
    std::optional<QueuePlace> first;
    const auto team_turn = [&](const QueuePlace& place) {
      return std::tuple(TurnOfTeam(OwnerOf(place).team), ByRun(place));
    };
    for (const auto& [team, place] : of_team) {
      if (!first || team_turn(place) < team_turn(*first)) first = place;
    }
    return first;
  }

  QueueOwner OwnerOf(const QueuePlace& place) const {
    const RunRecord& run = state_.runs.at(place.step.run);
    return {run.team, run.submitter};
  }
  using Teams = std::map<std::string, TeamRecord>;
  static Use UseOf(const Teams& teams, const std::string& name) {
    const auto team = teams.find(name);
    return team == teams.end() ? Use{} : team->second.use;
  }
  static Use UseOf(const Teams& teams, const QueueOwner& owner) {
    const auto team = teams.find(owner.team);
    if (team == teams.end()) return {};
    const auto use = team->second.users.find(owner.user);
    return use == team->second.users.end() ? Use{} : use->second;
  }
  bool MayHave(const RunRecord& run, const Amounts& request) const {
    const TeamRecord& team = state_.teams.at(run.team);
    const Use more = UseOf(placed_, run.team);
    Amounts held = team.use.held;
    held += more.held;
    const QueueOwner user{run.team, run.submitter};
    const std::uint32_t user_steps = UseOf(state_.teams, user).steps + UseOf(placed_, user).steps;
    return LimitingOf(team.facts, held, team.use.steps + more.steps, user_steps, request) ==
           Limiting::kNothing;
  }
  std::pair<bool, double> TurnOfTeam(const std::string& name) const {
    const TeamRecord& team = state_.teams.at(name);
    const TeamChanged& facts = team.facts;
    const Amounts more = UseOf(placed_, name).held;
    Amounts held = team.use.held;
    held += more;
    return {!IsBelowGuaranteed(facts, held),
            ScoreOf(team.use, more, facts.half_life, state_.living, now_) / facts.weight};
  }
  double ScoreOfUser(const QueueOwner& owner) const {
    const absl::Duration half_life = state_.teams.at(owner.team).facts.half_life;
    const Amounts more = UseOf(placed_, owner).held;
    return ScoreOf(UseOf(state_.teams, owner), more, half_life, state_.living, now_);
  }

  const State& state_;
  const absl::Time now_;
  Teams placed_;  // in this pass
  std::vector<QueuePlace> left_;
  std::map<RunId, std::uint32_t> taken_;
};

// Two teams of one or two users, who may have few CPUs and steps.
void MakeTeams(World& world, std::mt19937& random) {
  const auto below = [&random](std::uint32_t limit) {
    return static_cast<std::uint32_t>(random() % limit);
  };
  for (const char* const name : {"red", "blue"}) {
    TeamEdit edit;
    edit.weight = 1 + below(3);
    if (below(2) == 0) edit.half_life = absl::Minutes(1 + below(3));
    if (below(3) == 0) edit.cpu_millis_max = 1000 * (1 + below(6));
    if (below(3) == 0) edit.running_steps_max = 1 + below(4);
    if (below(3) == 0) edit.user_running_steps_max = 1 + below(2);
    if (below(3) == 0) edit.cpu_millis_guaranteed = edit.cpu_millis_max.value_or(2000);
    if (std::string(name) == "red") edit.add_users = {"ann", "bob"};
    if (std::string(name) == "blue") edit.add_users = {"cyd"};
    ASSERT_TRUE(world.Edit(name, edit).ok());
  }
}

// Runs of few shapes and priorities, submitted over some minutes, some of them held or limited. A
// machine may have taken some of them.
void Fill(World& world, std::mt19937& random) {
  const auto below = [&random](std::uint32_t limit) {
    return static_cast<std::uint32_t>(random() % limit);
  };
  if (below(4) != 0) MakeTeams(world, random);
  if (below(2) == 0) {
    world.Connect(AMachine("m").Cpus(static_cast<std::int32_t>(1 + below(8))).Memory(64 * kGiB));
  }
  const std::uint32_t runs = 1 + below(8);
  for (std::uint32_t r = 0; r < runs; ++r) {
    std::vector<Step> steps;
    const std::uint32_t count = 1 + below(6);
    for (std::uint32_t s = 0; s < count; ++s) {
      AStep step(fmt::format("s{}", s));
      step.Cpus(static_cast<std::int32_t>(1000 * (1 + below(3))));
      step.Priority(static_cast<std::int32_t>(below(4)));
      steps.push_back(step);
    }
    PipelineSpec spec = APipeline(std::move(steps));
    if (below(4) == 0) spec.settings.max_running_steps = static_cast<std::int32_t>(1 + below(3));
    const std::string name = fmt::format("r{}", r);
    const char* const kUsers[] = {"ann", "bob", "cyd", "dan"};
    world.SubmitAs(kUsers[below(4)], name, spec);
    if (below(6) == 0) world.Turn({HoldRequested{99, name, "ada", ""}});
    if (below(3) == 0) {
      world.Turn({MoveRequested{99, name, static_cast<std::int32_t>(below(4)), std::nullopt}});
    }
    world.now += absl::Seconds(std::int64_t{30} * below(4));
  }
}

TEST(PickerTest, PicksAsTheRuleSaysWhateverIsTakenAndRefused) {
  for (std::uint32_t seed = 0; seed < 300; ++seed) {
    std::mt19937 random(seed);
    World world;
    Fill(world, random);
    Literally rule(world.state, world.now);
    Picker picker(world.state, world.now);
    while (true) {
      const std::optional<QueuePlace> expected = rule.Next();
      const std::optional<QueuePlace> picked = picker.Next();
      ASSERT_EQ(picked.has_value(), expected.has_value()) << "seed " << seed;
      if (!picked.has_value()) break;
      ASSERT_EQ(picked->step, expected->step) << "seed " << seed;
      if (random() % 3 == 0) {
        picker.Refuse();
        rule.Refuse(*expected);
      } else {
        picker.Take();
        rule.Take(*expected);
      }
    }
  }
}

}  // namespace
}  // namespace potok::server
