// The machines of a pool as a step sees them, and the one that comes nearest to holding it, for
// people. Pure. Looks at every machine.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "server/domain/fit.h"
#include "server/domain/pools.h"
#include "server/domain/state.h"

namespace potok::server {

std::string Plural(std::size_t count, const char* noun);  // "1 step", "2 steps"

// A machine that is there or may come back.
bool IsKnown(const MachineRecord& machine);

// The machines of a pool, the one that comes nearest to holding a request, and what it lacks.
struct Survey {
  std::size_t in_pool = 0;
  std::size_t with_labels = 0;
  std::size_t enough = 0;        // of those: that lack nothing
  std::size_t members = 0;       // that find room on all of them together
  std::size_t with_runtime = 0;  // of these
  const MachineRecord* nearest = nullptr;
  std::vector<GpuRoom> gpus;  // of the nearest
  Resources has;
  Resources lack;
  // Of the nearest. Among equals one with GPUs, though of others, says more than one with none.
  std::pair<LackRank, bool> rank;
};

enum class Against { kCapacity, kFree };

// What the shape would find on the machines of its pool, of what they have or of what is free.
Survey Look(const State& state, const Pools& pools, const Shape& shape, Against against);

// The first thing that lacks on the nearest, which lacks something: "needs 8 GiB memory, 4 GiB is
// free"; `word` is "free" or "there".
std::string Missing(const Survey& survey, const Shape& shape, const char* word);

// Where that is: "on gpu-3 (the nearest of 4 machines)".
std::string NearestOf(const Survey& survey);

}  // namespace potok::server
