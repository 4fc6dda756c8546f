// Which steps a machine can hold: labels, GPUs, capacity. Pure; placement and its explanations
// share it.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "server/domain/decide.h"
#include "server/domain/plan.h"
#include "server/domain/pools.h"
#include "server/domain/state.h"

namespace potok::server {

// The labels that a machine was given, as people edited them, and beside them what it is: name,
// memory, cpus, disk, gpu.count, gpu.model, gpu.memory. A label that it was given wins.
std::map<std::string, std::string> LabelsOf(const MachineChanged& machine);
// True if it carries the shape's labels, and its expression over labels holds.
bool CarriesLabels(const MachineRecord& machine, const Shape& shape);
// Which runtimes the machine must have one of, by the shape and by what its pool says of images;
// empty: any machine will do.
std::set<std::string> RuntimesOf(const Shape& shape, const Pools& pools);
// True if the machine has one of them, or there are none.
bool HasRuntime(const MachineChanged& machine, const Shape& shape, const Pools& pools);
// True if the machine, were it empty, could hold the shape. Whether it is in the pool is not looked
// at.
bool CouldHold(const MachineRecord& machine, const Shape& shape, const Pools& pools);

// True if new steps may be placed on it now: it is connected, answers, and neither a person nor the
// server keeps them off.
bool TakesSteps(const MachineRecord& machine);

// What no placement holds, and is promised to no step; below zero in what a changed machine has
// less of than is held, and in what is promised and not free yet. How the GPUs' thousandths lie is
// said by GpusOf.
Resources FreeOf(const MachineRecord& machine);

// A GPU that a machine offers.
struct GpuRoom {
  std::int32_t index = 0;
  const GpuInfo* facts = nullptr;  // null: the machine says only that it is there
  std::int32_t free_millis = 0;
};
// Ascending by index. Those described beyond what it offers are not ours to give, and left out.
std::vector<GpuRoom> GpusOf(const MachineRecord& machine);
// The same as if nothing were held.
std::vector<GpuRoom> AllGpusOf(const MachineChanged& machine);

// How many thousandths a request holds of each GPU that its placement names, and how many GPUs it
// needs.
std::int32_t MillisOfEach(const Resources& request);
std::int32_t GpuCountOf(const Resources& request);
// True if the shape asks for a GPU of this kind, however much of it is free.
bool SuitsShape(const GpuRoom& gpu, const Shape& shape);

// Indices of GPUs with room for the shape, ascending, or nothing. A share goes to the GPU that has
// the least room that is enough; whole ones are wholly free. Among equals the one with the least
// memory is taken, then the lowest index: what is large is kept for who asks for it.
std::optional<std::vector<std::int32_t>> PickGpus(const std::vector<GpuRoom>& gpus,
                                                  const Shape& shape);
// The GPUs that come nearest to having room for it, as many as it needs if so many suit.
std::vector<std::int32_t> NearestGpus(const std::vector<GpuRoom>& gpus, const Shape& shape);
// How many thousandths are missing until PickGpus finds some; 0 where it does.
std::int32_t GpuLackOf(const std::vector<GpuRoom>& gpus, const Shape& shape);

// Takes so many thousandths of each of these GPUs, or what is left; returns how many these are.
std::int32_t TakeRoom(const std::vector<std::int32_t>& indices,
                      std::int32_t millis,
                      std::vector<GpuRoom>* gpus);

// How many times the request finds room in what is free, at most `most`.
std::size_t TimesFits(Resources free,
                      std::vector<GpuRoom> gpus,
                      const Shape& shape,
                      std::size_t most);

// What lacks, the worst first: machines are compared by it for which is the nearest.
using LackRank = std::array<std::int64_t, 5>;
LackRank LackRankOf(const Resources& lack);

}  // namespace potok::server
