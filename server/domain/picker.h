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

// What a pass has done with: the steps that it placed, and the lanes of which nothing can be.
struct PickedOver {
  std::set<StepKey> taken;
  std::set<std::pair<RunId, std::uint32_t>> refused;  // run, shape
  std::map<RunId, std::uint32_t> placed;              // how many were taken, of runs with a limit
  std::set<RunId> full;                               // that came to their limit
};

// Steps of one priority, as a pass goes through them. The state must not change meanwhile.
class LevelPicker {
 public:
  // Both outlive this.
  LevelPicker(const State& state, std::int32_t priority, const PickedOver& over);

  // By the oldest run, and in it by who was queued first; nothing: all have been.
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
  struct UserCursor {
    Runs::const_iterator run;
    Runs::const_iterator end;
    std::vector<LaneCursor> lanes;  // of that run
  };
  using Front = std::tuple<absl::Time, RunId, std::uint32_t, std::uint32_t>;  // ..., shape, step

  // The lanes of the user's current run.
  void Fill(UserCursor& user) const;
  // Makes the user's first run with something left its current one; false: there is none.
  bool Settle(UserCursor& user) const;
  const StepQueue::Lane& LaneOf(RunId run, std::uint32_t shape) const;
  void OpenFronts();

  const State& state_;
  const std::int32_t priority_;
  const PickedOver& over_;
  const StepQueue::Level& level_;
  std::vector<UserCursor> users_;
  // Users with something left: whose run is the oldest comes first.
  std::set<std::pair<RunId, std::size_t>> order_;
  // Lanes by their first step that is left, as far as they were looked at.
  std::set<std::tuple<absl::Time, RunId, std::uint32_t>>::const_iterator next_front_;
  std::set<Front> fronts_;
};

// All priorities: the highest first, unless a step of a lower one has waited so long that it ranks
// before the oldest step of the highest. A pass costs the logarithm of users and runs, and the
// number of priorities in use, for each step that it places and for each shape of a run that it
// cannot place; never a look at the steps behind those.
class Picker {
 public:
  explicit Picker(const State& state);

  // The step that is next, the same until it is taken or refused.
  std::optional<QueuePlace> Next();
  // It was placed, or so many of its run from number `first` on, of which it is one.
  void Take() { Take(next_->step.index, 1); }
  void Take(std::uint32_t first, std::uint32_t count);
  // Whether its run may hold so many machines more. If not, nothing else of it goes in this pass:
  // what needs several at once would never find them together.
  bool MayTake(std::uint32_t count);
  // Nothing of its run that asks for the same can be placed in this pass.
  void Refuse() { over_.refused.insert({next_->step.run, next_->shape}); }

 private:
  const State& state_;
  PickedOver over_;
  std::deque<LevelPicker> levels_;  // with something left, the highest first
  std::optional<QueuePlace> next_;
};

}  // namespace potok::server
