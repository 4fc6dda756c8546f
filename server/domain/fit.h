// Which steps a machine can hold: pools, labels, capacity. Pure; placement and its explanations
// share it.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "server/domain/decide.h"
#include "server/domain/plan.h"
#include "server/domain/state.h"

namespace potok::server {

// The names of pools that the machines have.
class Pools {
 public:
  Pools(const State& state, const DecideOptions& options);

  // The pool that a step's pool means: itself, or empty for the default pool.
  std::string Resolve(const std::string& pool) const;
  // True if the machine is in the (resolved) pool.
  bool Holds(const MachineChanged& machine, const std::string& pool) const;

 private:
  std::set<std::string> names_;
  bool unknown_is_default_ = false;
};

bool CarriesLabels(const MachineChanged& machine, const std::map<std::string, std::string>& labels);
// True if the machine, were it empty, could hold the shape. Says nothing of pools.
bool CouldHold(const MachineChanged& machine, const Shape& shape);

// What no placement holds; below zero in what a changed machine has less of than is held.
Resources FreeOf(const MachineRecord& machine);
// Indices of GPUs that nobody holds, ascending.
std::vector<std::int32_t> FreeGpusOf(const MachineRecord& machine);

// How much is missing of each resource; zero where the request fits.
Resources LackOf(const Resources& request, const Resources& free);

}  // namespace potok::server
