// When a machine will have room for a step, as far as time limits say. Pure.
#pragma once

#include <vector>

#include "absl/time/time.h"
#include "common/base/resources.h"
#include "server/domain/fit.h"
#include "server/domain/state.h"

namespace potok::server {

// From when on at the latest, and what is free then.
struct Opening {
  absl::Time at = absl::InfiniteFuture();  // infinite: nobody knows
  Resources free;
  std::vector<GpuRoom> gpus;  // how the free thousandths of GPUs lie then
};

// Of a machine of which `free` is free now, its GPUs as in `gpus`. An attempt that runs ends with
// its step's `timeout`; one that has not begun has all of that before it; one that stores its
// outputs or stops ends at once, as far as is known. Without a timeout it never ends.
Opening OpeningFor(const State& state,
                   const MachineRecord& machine,
                   const Resources& free,
                   const std::vector<GpuRoom>& gpus,
                   const Shape& shape,
                   absl::Time now);

// True if it is known by when the step's attempt, which is on a machine, ends.
bool EndsInTime(const RunRecord& run, std::uint32_t index);

// When a step that is placed now ends at the latest; infinite if it has no `timeout`.
absl::Time LatestEnd(const RunRecord& run, std::uint32_t index, absl::Time now);

}  // namespace potok::server
