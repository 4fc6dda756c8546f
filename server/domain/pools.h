// Pools: which machines a step's compute means, and what its steps may hold together. Pure.
//
// A machine is in a pool that its agent declares. A registered pool with a selector holds besides
// every machine whose labels match it. Without a selector, and if no agent declares it, it is the
// default pool under a name (and limits) of its own. cpu-cluster and gpu-cluster are there without
// being registered, as long as no agent declares them: the default pool, and those of its machines
// that have GPUs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "server/domain/decide.h"
#include "server/domain/plan.h"
#include "server/domain/state.h"

namespace potok::server {

inline constexpr const char* kDefaultPool = "default";
inline constexpr const char* kCpuCluster = "cpu-cluster";
inline constexpr const char* kGpuCluster = "gpu-cluster";
inline constexpr const char* kServerless = "serverless";

// How much more the steps of a pool may take; none: any amount.
struct PoolRoom {
  std::optional<std::int64_t> steps;
  std::optional<std::int64_t> cpu_millis;
  std::optional<std::int64_t> memory_bytes;
  std::optional<std::int64_t> gpu_millis;

  // Of so many such requests together.
  bool Fits(const Resources& request, std::int64_t members = 1) const;
  // Takes them off; what would be below zero is zero.
  void Take(const Resources& request, std::int64_t members = 1);
};
// Of a pool whose steps hold `use`.
PoolRoom RoomOf(const PoolLimits& limits, const PoolUse& use);

// True if its agent declares no pool or the default one; and if it has GPUs besides.
bool IsInDefaultPool(const MachineChanged& machine);
bool IsDefaultWithGpus(const MachineChanged& machine);

// The pools that there are at one moment. The state outlives it and does not change meanwhile.
class Pools {
 public:
  Pools(const State& state, const DecideOptions& options);

  // The pool that a step's pool means: itself, or empty for the default pool.
  std::string Resolve(const std::string& pool) const;
  // True if the machine is in the (resolved) pool.
  bool Holds(const MachineRecord& machine, const std::string& pool) const;
  // What is registered of it; of names that mean the default pool, what is of that, unless they are
  // registered themselves. Null: nothing is.
  const PoolChanged* Registered(const std::string& pool) const;
  // True if it is registered, declared by an agent, or always there.
  bool Knows(const std::string& pool) const;
  bool IsDeclared(const std::string& pool) const;
  // All of them, in order; the default pool only if something is registered of it.
  std::vector<std::string> Names() const;
  // How much more the steps of the pool may take; and if these held `less` of what they do.
  PoolRoom RoomIn(const std::string& pool) const { return RoomIn(pool, PoolUse{}); }
  PoolRoom RoomIn(const std::string& pool, const PoolUse& less) const;
  // The longest lease of the pools that hold the machine; `otherwise` if none of them says one.
  absl::Duration LeaseOf(const MachineRecord& machine, absl::Duration otherwise) const;
  // Where images of steps run that ask for the pool.
  PoolImages ImagesIn(const std::string& pool) const;
  // What all steps hold that ask for it. Of the default pool: under any name.
  PoolUse UseOf(const std::string& pool) const;

 private:
  const State& state_;
  bool unknown_is_default_ = false;
};

// "there is no pool 'gpu-clster'; did you mean 'gpu-cluster'?", with the names there are.
std::string NoSuchPool(const Pools& pools, const std::string& name);

}  // namespace potok::server
