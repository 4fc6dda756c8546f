// The steps that wait for a machine, in the order in which they may be placed. Pure; one thread.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/time/time.h"
#include "common/base/attempt.h"
#include "server/domain/team.h"

namespace potok::server {

// Why no step of a run is placed, whatever is free.
enum class Parked : std::uint8_t { kNot, kHeld, kLimit };

// What of a step's shape counts for what teams may have.
struct Demand {
  Amounts amounts;
  std::string pool;  // as PoolCounted says
  auto operator<=>(const Demand&) const = default;
};

// A queued step: where it stands.
struct QueuePlace {
  StepKey step;
  std::int32_t priority = 0;
  std::uint32_t shape = 0;  // in its plan
  absl::Time since;         // when it was queued
  Demand demand;
};

// For whom a run is: whose shares count.
struct QueueOwner {
  std::string team;
  std::string user;
  bool operator==(const QueueOwner&) const = default;
};

// Everything is kept by run, and within a run by priority and shape, so that whoever looks for the
// next step never steps over one that cannot be placed. Runs are found by priority, team, user and
// what their steps ask for, so that what a team or user may not have now is stepped over at once.
// What a call costs grows with the logarithm of these, and of runs and the steps of one run; to
// park a run, with its shapes.
class StepQueue {
 public:
  // Steps of one run, priority and shape: the one that was queued first is first.
  using Lane = absl::btree_set<std::pair<absl::Time, std::uint32_t>>;
  using Lanes = std::map<std::uint32_t, Lane>;  // by shape
  // The first step of a lane.
  using Front = std::tuple<absl::Time, RunId, std::uint32_t>;  // since, run, shape
  struct Run {
    QueueOwner owner;
    Parked parked = Parked::kNot;
    std::size_t size = 0;
    std::map<std::int32_t, Lanes> levels;     // by priority
    std::map<std::uint32_t, Demand> demands;  // by shape
  };
  // Lanes of one user, of runs that are not parked, of one priority and of the same demand.
  struct Group {
    std::map<RunId, std::uint32_t> runs;  // how many lanes they have
    std::set<Front> fronts;               // the one that waits longest first
    std::size_t steps = 0;                // of all these lanes
  };
  using Groups = std::map<Demand, Group>;
  using Users = std::map<std::string, Groups>;
  struct Level {
    std::map<std::string, Users> teams;
  };
  using Levels = std::map<std::int32_t, Level, std::greater<>>;

  // Adding twice is harmless, and so is removing what is not there.
  void Add(const QueuePlace& place, const QueueOwner& owner);
  void Remove(const QueuePlace& place);
  // Of a run that has no steps here nothing is kept: whoever adds its next one says it again.
  void Park(RunId id, Parked parked);

  std::size_t size() const { return size_; }
  std::size_t parked(Parked why) const { return parked_[static_cast<std::size_t>(why)]; }
  bool empty() const { return size_ == parked(Parked::kHeld) + parked(Parked::kLimit); }
  const Levels& levels() const { return levels_; }
  const std::map<RunId, Run>& runs() const { return runs_; }
  bool Contains(const QueuePlace& place) const;
  // All of them: higher priority first, then the older run, then who waits longer.
  std::vector<QueuePlace> All() const;

 private:
  using Entry = std::map<RunId, Run>::iterator;
  // Of one of its lanes; made if it is not there.
  Group& GroupOf(const Run& run, std::int32_t priority, std::uint32_t shape);
  void Show(RunId id, const Run& run);
  void Hide(RunId id, const Run& run);
  void ShowLane(RunId id, const Run& run, std::int32_t priority, std::uint32_t shape);
  void HideLane(RunId id, const Run& run, std::int32_t priority, std::uint32_t shape);

  std::map<RunId, Run> runs_;
  Levels levels_;
  std::size_t size_ = 0;
  std::array<std::size_t, 3> parked_{};  // steps, by Parked
};

}  // namespace potok::server
