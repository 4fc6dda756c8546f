// What is left of the machines during a placement pass. Pure; one thread.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "server/domain/fit.h"
#include "server/domain/locality.h"
#include "server/domain/pools.h"
#include "server/domain/state.h"

namespace potok::server {

// What a machine is kept for: a step that begins on it at that time at the latest.
struct Kept {
  absl::Time from;
  Resources spare;  // what others may still hold then
  std::vector<GpuRoom> spare_gpus;
};

// A machine that a pass has to do with: what is left of it.
struct Candidate {
  Resources free;
  std::vector<GpuRoom> gpus;
  std::optional<Kept> kept = std::nullopt;
};

// What a queued step wants, and when it ends at the latest if it begins now.
struct Wish {
  const Shape& shape;
  absl::Time end;
  absl::Duration lasts;  // until then
  const WantedFiles& files;
};

class PassRoom {
 public:
  // Both outlive this. The state changes meanwhile in nothing but its vacancies.
  PassRoom(State& state, const Pools& pools);
  // What comes of the choices, and what was kept, is for the state to say.
  ~PassRoom();
  PassRoom(const PassRoom&) = delete;
  PassRoom& operator=(const PassRoom&) = delete;

  // True if no machine has a CPU free.
  bool empty() const { return state_.vacancies.empty(); }

  // Takes room for each of so many members of a step, or for none. Each has a machine of its own
  // unless they `share`. Nobody is placed where that delays what a machine is kept for.
  std::vector<Spot> Find(const std::string& pool, const Wish& wish, std::size_t count, bool share);

  Candidate Look(MachineId id) const;
  // The same's free resources. `machine` is its record.
  Resources FreeOn(MachineId id, const MachineRecord& machine) const;
  // From now on who begins there has ended, or takes what is to spare, when it is needed.
  void Keep(MachineId id, Kept kept);
  // Takes what a step asks for off the machine, or as much of it as there is.
  void Withhold(MachineId id, const Shape& shape);

 private:
  Candidate& CandidateOf(MachineId id);
  void Show(MachineId id, const Candidate& candidate);
  std::optional<Spot> FindOne(const std::string& pool, const Wish& wish);
  std::optional<Spot> ChooseFree(const Wish& wish);
  std::optional<Placement> BestOf(const std::set<MachineId>& machines,
                                  const std::string& pool,
                                  const Wish& wish);
  void Take(MachineId id, const Wish& wish, const std::vector<std::int32_t>& gpus);
  void Shrink(MachineId id, Candidate& candidate, const Resources& request);

  State& state_;
  const Pools& pools_;
  std::map<MachineId, Candidate> candidates_;
  std::set<MachineId> kept_;      // those that something is kept on
  std::set<MachineId> left_out_;  // that hold a member of the gang in hand
};

// Each amount that is below zero is zero.
Resources NotBelowZero(Resources resources);

}  // namespace potok::server
