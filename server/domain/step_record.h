// What is kept of each step of a run that goes on. There may be millions of them that wait. Pure;
// one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/time/time.h"
#include "server/domain/result.h"
#include "server/domain/step_state.h"

namespace potok::server {

// A StepState in one word: the states that have nothing in them, in which most steps of a long
// queue are, are there once. A reference to it is valid until it is set again.
class StoredState {
 public:
  StoredState() : StoredState(StepState(Blocked{})) {}
  explicit StoredState(const StepState& state) : state_(Keep(state)) {}
  StoredState(const StoredState& other) : state_(other.is_shared() ? other.state_ : Keep(*other)) {}
  StoredState(StoredState&& other) noexcept
      : state_(std::exchange(other.state_, Shared().data())) {}
  StoredState& operator=(StoredState other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~StoredState() {
    if (!is_shared()) delete state_;
  }

  const StepState& operator*() const { return *state_; }

 private:
  static const std::array<StepState, 4>& Shared() {
    static const std::array<StepState, 4> kShared{
        StepState(Blocked{}), StepState(Queued{}), StepState(Resolving{}), StepState(Open{})};
    return kShared;
  }
  static const StepState* Keep(const StepState& state) {
    for (const StepState& shared : Shared()) {
      if (shared.index() == state.index() && shared == state) return &shared;
    }
    return new StepState(state);
  }
  bool is_shared() const {
    return state_ >= Shared().data() && state_ < Shared().data() + Shared().size();
  }

  const StepState* state_;
};

struct StepRecord {
  const StepState& state() const { return *stored; }
  void SetState(const StepState& state) { stored = StoredState(state); }

  StoredState stored;
  absl::Time since;  // of the state
  std::uint32_t attempt = 0;
  std::uint32_t waiting_for = 0;  // upstreams that have not ended
  std::uint32_t displaced = 0;
  std::uint16_t machine_lost = 0;
  ResultLack lack = ResultLack::kNone;
};

}  // namespace potok::server
