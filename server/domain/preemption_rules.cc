// Teams take back what they are guaranteed, in pools that allow it: room is promised to a step that
// waits, and preemptible steps of teams that hold more than their own guarantee end for it.
#include <algorithm>
#include <iterator>
#include <utility>

#include "fmt/format.h"
#include "server/domain/preemption.h"
#include "server/domain/promise.h"
#include "server/domain/turn.h"

namespace potok::server {

namespace {

// What one turn looks at, and how much it takes back, at most.
constexpr std::size_t kTakingsMax = 16;
constexpr std::size_t kFrontsMax = 64;  // of one user's steps that ask for the same
constexpr std::size_t kShapesMax = 32;

// A pass over the steps that wait, of teams that have a guarantee.
class TakingPass {
 public:
  explicit TakingPass(Turn& turn) : turn_(turn), pools_(turn.state, turn.options) {}

  void Run() {
    for (const StepKey& key : Waiting()) {
      if (takings_ >= kTakingsMax || hopeless_.size() >= kShapesMax) break;
      if (turn_.state.runs.contains(key.run)) Serve(key);
    }
  }

 private:
  using FrontOfLevel = std::set<StepQueue::Front>;

  // The higher priority first, then who has waited longest.
  std::vector<StepKey> Waiting() const {
    std::vector<StepKey> waiting;
    for (const auto& [priority, level] : turn_.state.queued.levels()) {
      for (const auto& [since, run, shape] : FrontsOf(level)) {
        const StepQueue::Lane& lane =
            turn_.state.queued.runs().at(run).levels.at(priority).at(shape);
        std::size_t count = 0;
        for (auto step = lane.begin(); step != lane.end() && count < kTakingsMax; ++step, ++count) {
          waiting.push_back({run, step->second});
        }
      }
    }
    return waiting;
  }

  FrontOfLevel FrontsOf(const StepQueue::Level& level) const {
    FrontOfLevel fronts;
    for (const auto& [name, users] : level.teams) {
      const TeamRecord& team = turn_.state.teams.at(name);
      for (const auto& [user, groups] : users) {
        for (const auto& [demand, group] : groups) {
          if (CoveredBy(team, demand.pool, {}, {}, demand.amounts).empty()) continue;
          auto last = group.fronts.begin();
          std::advance(last, std::min(group.fronts.size(), kFrontsMax));
          fronts.insert(group.fronts.begin(), last);
        }
      }
    }
    return fronts;
  }

  void Serve(const StepKey& key) {
    const RunRecord& run = turn_.state.runs.at(key.run);
    const StepState& state = run.steps[key.index].state();
    if (!std::holds_alternative<Queued>(state) || PromisedTo(state) != nullptr) return;
    const std::vector<StepKey> members = AllOf(run, key.index);
    if (members.front() != key) return;
    const Shape shape = ShapeAskedFor(run, key.index);
    if (PoolThatAllows(pools_, shape.pool) == nullptr) return;
    if (hopeless_.contains({run.team, shape})) return;
    const auto count = static_cast<std::uint32_t>(members.size());
    PromisedNow promised = PromisedBesides(turn_.state, pools_, run, shape.pool);
    const bool is_at_limit = !promised.in_pool.Fits(shape.request, count);
    // What the limits of its pool have too little of may end, too.
    promised.in_pool = {};
    if (!WouldBePlaced(turn_.state, promised, run, shape, count)) return;
    const TeamRecord& team = turn_.state.teams.at(run.team);
    const std::string covered_by = CoveredBy(team,
                                             shape.pool,
                                             promised.all.amounts,
                                             promised.of_team_in_pool.amounts,
                                             TimesOf(AmountsOf(shape.request), count));
    if (covered_by.empty()) return;
    Scene scene = SceneFor(shape);
    const bool may_share = scene.rooms.size() < count;
    std::optional<Taking> taking;
    const std::vector<Victim> victims = scene.victims;
    if (is_at_limit || !FitsNow(scene, shape, count, may_share)) {
      const PoolLack lack = LackIn(turn_.state, pools_, shape, count);
      taking = LeastTaking(std::move(scene), {run.team, shape, count, may_share, lack});
    }
    if (!taking.has_value()) {
      hopeless_.emplace(run.team, shape);
      return;
    }
    ++takings_;
    Act(members, victims, *taking, run.team, covered_by);
  }

  // On machines that could hold the shape.
  Scene SceneFor(const Shape& shape) const {
    Scene scene = SceneOf(turn_.state, pools_, turn_.now);
    const std::string pool = pools_.Resolve(shape.pool);
    std::erase_if(scene.rooms, [&](const RoomToMake& room) {
      const MachineRecord& machine = turn_.state.machines.at(room.machine);
      return !TakesSteps(machine) || !pools_.Holds(machine, pool) ||
             !CouldHold(machine, shape, pools_);
    });
    return scene;
  }

  // Whether it waits for its turn and not for room.
  bool FitsNow(const Scene& scene, const Shape& shape, std::size_t count, bool may_share) const {
    std::size_t fits = 0;
    for (const RoomToMake& room : scene.rooms) {
      const MachineRecord& machine = turn_.state.machines.at(room.machine);
      fits += TimesFits(FreeOf(machine), GpusOf(machine), shape, may_share ? count : 1);
      if (fits >= count) return true;
    }
    return false;
  }

  void Act(const std::vector<StepKey>& members,
           const std::vector<Victim>& victims,
           const Taking& taking,
           const std::string& team,
           const std::string& covered_by) {
    const std::string why = fmt::format("by team {}, which is guaranteed {}", team, covered_by);
    for (std::size_t i = 0; i < members.size(); ++i) {
      MoveStep(turn_, members[i], RoomPromised{taking.placements[i]});
    }
    for (const std::size_t number : taking.victims) {
      for (const StepKey& step : victims[number].steps) {
        const auto run = turn_.state.runs.find(step.run);
        if (run == turn_.state.runs.end() || !StaysOn(run->second.steps[step.index].state()))
          continue;
        const MachineId machine = PlacementOf(run->second.steps[step.index].state())->machine;
        const std::string reason = fmt::format("preempted on {} {}; runs again when there is room",
                                               turn_.state.machines.at(machine).facts.name,
                                               why);
        MoveStep(turn_, step, LeaveRequested{reason, members.front()});
      }
    }
  }

  Turn& turn_;
  const Pools pools_;
  std::size_t takings_ = 0;
  std::set<std::pair<std::string, Shape>> hopeless_;  // or not to be made
};

bool AnyPoolAllows(const State& state) {
  return std::ranges::any_of(state.pools,
                             [](const auto& entry) { return entry.second.facts.preemption; });
}

}  // namespace

void TakeBack(Turn& turn) {
  if (turn.state.queued.empty() || !AnyPoolAllows(turn.state)) return;
  TakingPass(turn).Run();
}

}  // namespace potok::server
