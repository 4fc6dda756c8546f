// Which queued step is next, in one placement pass. Pure; one thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "server/domain/state.h"

namespace potok::server {

// Steps of one priority, as a pass goes through them. The state must not change meanwhile.
class LevelPicker {
 public:
  LevelPicker(const State& state, std::int32_t priority);

  // The step that is next, the same until it is taken or refused; nothing: all have been.
  std::optional<QueuePlace> Next();
  // It was placed.
  void Take();
  // Nothing of its run that asks for the same can be placed in this pass.
  void Refuse();

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

  // The lanes of the user's current run.
  void Fill(UserCursor& user) const;
  // Makes the user's first run with something left its current one; false: there is none.
  bool Settle(UserCursor& user) const;
  static LaneCursor& First(UserCursor& user);
  void PutBack();

  const State& state_;
  const std::int32_t priority_;
  std::vector<UserCursor> users_;
  // Users with something left: whose run is the oldest comes first.
  std::set<std::pair<RunId, std::size_t>> order_;
};

// All priorities, the highest first. A pass costs the logarithm of users and runs for each step
// that it places, and the same for each shape of a run that it cannot place; never a look at the
// steps behind those.
class Picker {
 public:
  explicit Picker(const State& state);

  std::optional<QueuePlace> Next();
  void Take() { current_->Take(); }
  void Refuse() { current_->Refuse(); }

 private:
  const State& state_;
  StepQueue::Levels::const_iterator next_;
  std::optional<LevelPicker> current_;
};

}  // namespace potok::server
