// Which machine a step goes to: the placement engine, kept in step with the machines of a state.
// Pure; one thread, also for const calls.
//
// Derived from the state. Whoever changes a machine says so (Touch), and a placement pass looks
// only at those. What a shape demands besides CPU, memory and GPUs (a pool, labels, a runtime, a
// disk, named resources) is worked out once for each machine, until that machine or the pools
// change. Judged by what runs and what waits, so that a server that starts judges alike.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "server/domain/free_shares.h"
#include "server/domain/placement/engine.h"
#include "server/domain/plan.h"
#include "server/domain/step_state.h"

namespace potok::server {

struct GpuRoom;
struct MachineRecord;
class Pools;
struct State;
struct WantedFiles;

// Where a step goes.
struct Spot {
  Placement placement;
  bool for_inputs = false;  // it would go elsewhere, were it not for the inputs that are there
};

class Vacancies {
 public:
  Vacancies() = default;
  // A copy knows nothing yet, and finds it all again when it is asked.
  Vacancies(const Vacancies& /*other*/) {}
  Vacancies& operator=(const Vacancies& /*other*/) { return *this = Vacancies(); }
  Vacancies(Vacancies&&) = default;
  Vacancies& operator=(Vacancies&&) = default;
  ~Vacancies() = default;

  // What is free on it, or whether it takes steps, may have changed.
  void Touch(MachineId machine) { touched_.insert(machine); }
  // What it is may have changed.
  void TouchFacts(MachineId machine) { facts_touched_.insert(machine); }
  // Which pools there are may have changed.
  void TouchAll() { all_touched_ = true; }

  // Makes all that was touched as the state has it. At the beginning of a pass.
  void CatchUp(const State& state, const Pools& pools);

  // True if no machine that takes steps has a CPU free.
  bool empty() const { return open_ == 0; }
  // Where one such step goes: by decision 34, as far as CPU, memory, GPUs of one kind, pool and
  // labels go, and what the machine has in all of the rest; to where its files are by decision 46,
  // if it runs at most as long as `lasts`. In a pool that spreads: to the machine with the largest
  // free share that holds it, wherever its files are. Nothing: no machine that is not set aside
  // holds it. Takes nothing.
  std::optional<Spot> Choose(const Shape& shape,
                             const State& state,
                             const Pools& pools,
                             const WantedFiles& files,
                             absl::Duration lasts);
  // So much is free on it for the rest of the pass. Whoever says it touches the machine in the end.
  void Put(MachineId machine, const Resources& free, const std::vector<GpuRoom>& gpus);
  // It is not chosen until it is put back.
  void SetAside(MachineId machine);
  void PutBack(MachineId machine);
  // Those with GPUs of several kinds, on which a step with several GPUs may find room that Choose
  // does not see.
  const std::set<MachineId>& mixed() const { return mixed_; }

 private:
  struct Row {
    placing::MachineNumber number = 0;
    std::vector<placing::DemandId> meets;  // ascending
    bool takes_steps = false;
    bool is_open = false;  // it takes steps, and has a CPU free
    bool is_aside = false;
    std::vector<std::string> spread_pools;  // that it is in, resolved
    FreeShares::Capacity capacity;
  };

  Row& RowOf(MachineId machine);
  void RenewFacts(MachineId id,
                  const MachineRecord& machine,
                  const State& state,
                  const Pools& pools);
  void RenewRoom(MachineId id, const MachineRecord& machine);
  void Show(const Row& row);
  void CountWanted(const State& state, const Pools& pools);
  placing::ShapeId IdOf(const Shape& shape, const State& state, const Pools& pools);
  placing::DemandId DemandOf(const Shape& shape, const State& state, const Pools& pools);
  Spot ChooseEmptiest(placing::ShapeId id,
                      bool asks_for_gpus,
                      const FreeShares& of,
                      const placing::Choice& any);
  Spot SpotOf(placing::Choice choice) const;
  std::optional<placing::Choice> ChooseNear(placing::ShapeId id,
                                            const placing::Choice& usual,
                                            const Shape& shape,
                                            const State& state,
                                            const WantedFiles& files,
                                            absl::Duration lasts);

  placing::Engine engine_{placing::Policy()};
  std::map<MachineId, Row> rows_;
  std::vector<MachineId> machines_;  // by the engine's numbers
  std::set<MachineId> mixed_;
  std::map<std::string, FreeShares> shares_;  // of pools that spread, resolved
  std::size_t open_ = 0;
  // What is demanded, by shapes that ask for nothing else; their numbers as in Row::meets.
  std::map<Shape, placing::DemandId> demands_;
  std::map<Shape, placing::ShapeId> shapes_;
  std::set<MachineId> touched_;
  std::set<MachineId> facts_touched_;
  bool all_touched_ = true;
  std::uint64_t next_count_ = 0;  // by the engine's events
};

}  // namespace potok::server
