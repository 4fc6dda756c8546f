// Which queued step is next, in one placement pass. Pure; one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "server/domain/shares.h"
#include "server/domain/state.h"

namespace potok::server {

// How long a step waits to count for one point of priority (docs/decisions/0033-who-goes-first.md).
constexpr absl::Duration kAgingPerPoint = absl::Minutes(1);

// Whether `a` ranks before `b` by priority and by how long it has waited, both together. It stays
// so however long both wait.
bool RanksBefore(std::int32_t priority_a,
                 absl::Time since_a,
                 std::int32_t priority_b,
                 absl::Time since_b);

// What of a team, or of one of its users, was placed in a pass.
struct PlacedNow {
  Amounts amounts;
  std::uint32_t steps = 0;
};
struct TeamPlacedNow {
  PlacedNow all;
  std::map<std::string, Held> pools;
  std::map<std::string, PlacedNow> users;
};

// What a pass has done with: the steps that it placed, and the lanes of which nothing can be.
struct PickedOver {
  std::set<StepKey> taken;
  std::set<std::pair<RunId, std::uint32_t>> refused;  // run, shape
  std::map<RunId, std::uint32_t> placed;              // how many were taken, of runs with a limit
  std::set<RunId> full;                               // that came to their limit
  std::map<std::string, TeamPlacedNow> teams;
};

// Steps of one priority, as a pass goes through them. The state must not change meanwhile.
class LevelPicker {
 public:
  // Both outlive this.
  LevelPicker(const State& state, std::int32_t priority, const PickedOver& over, absl::Time now);

  // Of the team, and of it of the user, whose turn it is by what they hold and held (shares.h): by
  // the oldest run, and in it by who was queued first. Nothing: all have been.
  std::optional<QueuePlace> First();
  // Who was queued first of all.
  std::optional<QueuePlace> Oldest();
  std::int32_t priority() const { return priority_; }

 private:
  struct LaneCursor {
    std::uint32_t shape = 0;
    StepQueue::Lane::const_iterator next;
    StepQueue::Lane::const_iterator end;
  };
  using Runs = std::map<RunId, std::uint32_t>;
  // Through the runs of a group.
  struct GroupCursor {
    const Demand* demand = nullptr;
    Runs::const_iterator run;
    Runs::const_iterator end;
    std::vector<LaneCursor> lanes;  // of that run
  };
  // Whose turn it is: who is below what is guaranteed, the least score, the oldest run.
  using Precedence = std::tuple<bool, double, RunId, std::size_t>;
  struct UserCursor {
    const std::string* name = nullptr;
    const Use* use = nullptr;  // null: it holds and held nothing
    std::vector<GroupCursor> groups;
  };
  // Of a team what asks for one pool of which something is guaranteed to it, or all the rest: where
  // it is below a guarantee it comes first with what that is for.
  struct TeamCursor {
    const TeamRecord* record = nullptr;
    const StepQueue::Users* queued = nullptr;
    const std::string* pool = nullptr;  // null: the rest
    std::vector<UserCursor> users;      // once it has been looked at
    std::set<Precedence> order;         // of those with something left
    bool is_open = false;
  };
  using Front = std::tuple<absl::Time, RunId, std::uint32_t, std::uint32_t, std::size_t>;
  // Through the fronts of a group.
  struct FrontCursor {
    const TeamRecord* team = nullptr;
    const std::string* user = nullptr;
    const Demand* demand = nullptr;
    std::set<StepQueue::Front>::const_iterator next;
    std::set<StepQueue::Front>::const_iterator end;
  };

  void AddCursor(TeamCursor cursor);
  void OpenTeam(TeamCursor& team) const;
  std::optional<QueuePlace> FirstOf(TeamCursor& team) const;
  std::optional<QueuePlace> FirstOf(const TeamCursor& team, UserCursor& user) const;
  // The lanes of the group's current run.
  void Fill(GroupCursor& group) const;
  // Makes the group's first run with something left its current one; false: there is none.
  bool Settle(GroupCursor& group) const;
  Precedence TurnOf(const TeamCursor& team, RunId run, std::size_t number) const;
  Precedence TurnOf(const TeamCursor& team,
                    const UserCursor& user,
                    RunId run,
                    std::size_t number) const;
  PlacedNow PlacedOf(const TeamRecord& team) const;
  PlacedNow PlacedOf(const TeamRecord& team, const std::string& user) const;
  Held PlacedIn(const TeamRecord& team, const std::string& pool) const;
  bool MayHave(const TeamRecord& team, const std::string& user, const Demand& demand) const;
  const StepQueue::Lane& LaneOf(RunId run, std::uint32_t shape) const;
  void OpenFronts();
  void OpenFront(std::size_t group);

  const State& state_;
  const std::int32_t priority_;
  const PickedOver& over_;
  const absl::Time now_;
  const StepQueue::Level& level_;
  std::vector<TeamCursor> teams_;
  std::set<Precedence> order_;  // of teams with something left
  // Lanes by their first step that is left, as far as they were looked at: ..., shape, step, group.
  bool fronts_are_open_ = false;
  std::vector<FrontCursor> groups_;
  std::set<Front> fronts_;
};

// All priorities: the highest first, unless a step of a lower one has waited so long that it ranks
// before the oldest step of the highest. A pass costs a look at each team that has steps queued, at
// the users of those whose turn comes and at what they ask for; and besides the logarithm of these
// and of runs, and the number of priorities in use, for each step that it places and for each shape
// of a run that it cannot place. Never a look at the steps behind those, nor at the runs of who may
// not have what they ask for.
class Picker {
 public:
  Picker(const State& state, absl::Time now);

  // The step that is next, the same until it is taken or refused.
  std::optional<QueuePlace> Next();
  // It was placed, or so many of its run from number `first` on, of which it is one.
  void Take() { Take(next_->step.index, 1); }
  void Take(std::uint32_t first, std::uint32_t count);
  // Whether its run may hold so many machines more. If not, nothing else of it goes in this pass:
  // what needs several at once would never find them together. And whether its team may have so
  // many such steps more; if not, the step is refused.
  bool MayTake(std::uint32_t count);
  // Nothing of its run that asks for the same can be placed in this pass.
  void Refuse() { over_.refused.insert({next_->step.run, next_->shape}); }

 private:
  bool TeamMayHave(const RunRecord& run, std::uint32_t count);

  const State& state_;
  PickedOver over_;
  std::deque<LevelPicker> levels_;  // with something left, the highest first
  std::optional<QueuePlace> next_;
};

}  // namespace potok::server
