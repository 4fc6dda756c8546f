#include "server/domain/fit.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include "common/pipeline/gpu_model.h"
#include "fmt/format.h"
#include "fmt/ranges.h"

namespace potok::server {

namespace {

std::int64_t MemoryOf(const GpuRoom& gpu) {
  return gpu.facts == nullptr ? 0 : gpu.facts->memory_bytes;
}

// Of those that suit the shape as many as it needs, the ones with the most room.
std::vector<const GpuRoom*> MostRoom(const std::vector<GpuRoom>& gpus, const Shape& shape) {
  std::vector<const GpuRoom*> most;
  for (const GpuRoom& gpu : gpus) {
    if (SuitsShape(gpu, shape)) most.push_back(&gpu);
  }
  std::sort(most.begin(), most.end(), [](const GpuRoom* a, const GpuRoom* b) {
    return std::tuple(-a->free_millis, a->index) < std::tuple(-b->free_millis, b->index);
  });
  const auto count = static_cast<std::size_t>(std::max(GpuCountOf(shape.request), 0));
  if (most.size() > count) most.resize(count);
  return most;
}

}  // namespace

std::map<std::string, std::string> LabelsOf(const MachineChanged& machine) {
  std::map<std::string, std::string> labels = machine.labels;
  const Resources& capacity = machine.capacity;
  labels.try_emplace("name", machine.name);
  labels.try_emplace("memory", std::to_string(capacity.memory_bytes));
  labels.try_emplace("cpus", fmt::format("{:g}", capacity.cpu_millis / 1000.0));
  labels.try_emplace("disk", std::to_string(capacity.disk_bytes));
  labels.try_emplace("gpu.count", FormatGpus(capacity.gpu_millis));
  std::set<std::string> models;
  std::int64_t memory = std::numeric_limits<std::int64_t>::max();
  for (const GpuRoom& gpu : AllGpusOf(machine)) {
    if (gpu.facts == nullptr) continue;
    models.insert(gpu.facts->model);
    memory = std::min(memory, gpu.facts->memory_bytes);
  }
  if (models.empty()) return labels;
  labels.try_emplace(kGpuModelLabel, fmt::format("{}", fmt::join(models, kGpuModelJoint)));
  labels.try_emplace("gpu.memory", std::to_string(memory));
  return labels;
}

bool CarriesLabels(const MachineRecord& machine, const Shape& shape) {
  const bool carries =
      std::all_of(shape.labels.begin(), shape.labels.end(), [&](const auto& label) {
        const auto it = machine.labels.find(label.first);
        return it != machine.labels.end() && it->second == label.second;
      });
  return carries && shape.expression.Matches(machine.labels);
}

std::set<std::string> RuntimesOf(const Shape& shape, const Pools& pools) {
  const PoolImages images = shape.has_image ? pools.ImagesIn(shape.pool) : PoolImages::kAsAgents;
  if (images == PoolImages::kContainer) return {"container"};
  // Where images run on the machine itself, only what asks for the container gets one.
  const bool may_be_sandbox = shape.runtimes.contains("sandbox");
  return images == PoolImages::kHost && may_be_sandbox ? std::set<std::string>{"sandbox"}
                                                       : shape.runtimes;
}

bool HasRuntime(const MachineChanged& machine, const Shape& shape, const Pools& pools) {
  // Of most shapes it is known without a look at the pool.
  if (!shape.has_image && shape.runtimes.empty()) return true;
  const std::set<std::string> runtimes = RuntimesOf(shape, pools);
  return runtimes.empty() || std::ranges::any_of(machine.runtimes, [&](const std::string& runtime) {
           return runtimes.contains(runtime);
         });
}

bool CouldHold(const MachineRecord& machine, const Shape& shape, const Pools& pools) {
  return shape.request.FitsInto(machine.facts.capacity) && CarriesLabels(machine, shape) &&
         HasRuntime(machine.facts, shape, pools) &&
         PickGpus(AllGpusOf(machine.facts), shape).has_value();
}

bool TakesSteps(const MachineRecord& machine) {
  return machine.session != 0 && machine.facts.liveness == Liveness::kReady &&
         !IsCordoned(machine.facts) && !machine.facts.quarantine.has_value();
}

Resources FreeOf(const MachineRecord& machine) {
  Resources free = machine.facts.capacity;
  free -= machine.reserved;
  free -= machine.promised;
  return free;
}

std::vector<GpuRoom> AllGpusOf(const MachineChanged& machine) {
  std::vector<GpuRoom> gpus;
  const auto offered =
      static_cast<std::size_t>(std::max(machine.capacity.gpu_millis / kMillisOfGpu, 0));
  // A machine may say how many GPUs it has without describing them.
  if (machine.gpus.empty()) {
    for (std::size_t i = 0; i < offered; ++i) {
      gpus.push_back({static_cast<std::int32_t>(i), nullptr, kMillisOfGpu});
    }
    return gpus;
  }
  for (const GpuInfo& gpu : machine.gpus) gpus.push_back({gpu.index, &gpu, kMillisOfGpu});
  std::sort(gpus.begin(), gpus.end(), [](const GpuRoom& a, const GpuRoom& b) {
    return a.index < b.index;
  });
  if (gpus.size() > offered) gpus.resize(offered);
  return gpus;
}

std::vector<GpuRoom> GpusOf(const MachineRecord& machine) {
  std::vector<GpuRoom> gpus = AllGpusOf(machine.facts);
  for (GpuRoom& gpu : gpus) {
    const auto held = machine.gpus_held.find(gpu.index);
    if (held != machine.gpus_held.end()) gpu.free_millis -= held->second;
    const auto promised = machine.gpus_promised.find(gpu.index);
    if (promised != machine.gpus_promised.end()) gpu.free_millis -= promised->second;
  }
  return gpus;
}

std::int32_t MillisOfEach(const Resources& request) {
  const bool is_share = request.gpu_millis > 0 && request.gpu_millis < kMillisOfGpu;
  return is_share ? request.gpu_millis : kMillisOfGpu;
}

std::int32_t GpuCountOf(const Resources& request) {
  const bool is_share = request.gpu_millis > 0 && request.gpu_millis < kMillisOfGpu;
  return is_share ? 1 : request.gpu_millis / kMillisOfGpu;
}

bool SuitsShape(const GpuRoom& gpu, const Shape& shape) {
  if (shape.gpu_models.empty() && shape.gpu_memory_bytes <= 0) return true;
  return gpu.facts != nullptr && gpu.facts->memory_bytes >= shape.gpu_memory_bytes &&
         (shape.gpu_models.empty() || IsOneOfGpuModels(gpu.facts->model, shape.gpu_models));
}

std::optional<std::vector<std::int32_t>> PickGpus(const std::vector<GpuRoom>& gpus,
                                                  const Shape& shape) {
  const auto count = static_cast<std::size_t>(std::max(GpuCountOf(shape.request), 0));
  std::vector<std::int32_t> picked;
  if (count == 0) return picked;
  const std::int32_t millis = MillisOfEach(shape.request);
  using Rank = std::tuple<std::int32_t, std::int64_t, std::int32_t>;
  std::vector<Rank> ranks;
  for (const GpuRoom& gpu : gpus) {
    if (gpu.free_millis < millis || !SuitsShape(gpu, shape)) continue;
    ranks.emplace_back(gpu.free_millis, MemoryOf(gpu), gpu.index);
  }
  if (ranks.size() < count) return std::nullopt;
  std::sort(ranks.begin(), ranks.end());
  for (std::size_t i = 0; i < count; ++i) picked.push_back(std::get<2>(ranks[i]));
  std::sort(picked.begin(), picked.end());
  return picked;
}

std::vector<std::int32_t> NearestGpus(const std::vector<GpuRoom>& gpus, const Shape& shape) {
  std::vector<std::int32_t> nearest;
  for (const GpuRoom* gpu : MostRoom(gpus, shape)) nearest.push_back(gpu->index);
  return nearest;
}

std::size_t TimesFits(Resources free,
                      std::vector<GpuRoom> gpus,
                      const Shape& shape,
                      std::size_t most) {
  std::size_t times = 0;
  while (times < most && shape.request.FitsInto(free)) {
    const auto picked = PickGpus(gpus, shape);
    if (!picked.has_value()) break;
    TakeRoom(*picked, MillisOfEach(shape.request), &gpus);
    free -= shape.request;
    ++times;
  }
  return times;
}

std::int32_t TakeRoom(const std::vector<std::int32_t>& indices,
                      std::int32_t millis,
                      std::vector<GpuRoom>* gpus) {
  std::int32_t taken = 0;
  for (GpuRoom& gpu : *gpus) {
    if (std::find(indices.begin(), indices.end(), gpu.index) == indices.end()) continue;
    const std::int32_t part = std::clamp(gpu.free_millis, 0, millis);
    gpu.free_millis -= part;
    taken += part;
  }
  return taken;
}

LackRank LackRankOf(const Resources& lack) {
  std::int64_t named = 0;
  for (const auto& [name, count] : lack.named) named += count;
  return {lack.gpu_millis, lack.memory_bytes, lack.cpu_millis, lack.disk_bytes, named};
}

std::int32_t GpuLackOf(const std::vector<GpuRoom>& gpus, const Shape& shape) {
  const std::int32_t millis = MillisOfEach(shape.request);
  std::int32_t lack = GpuCountOf(shape.request) * millis;
  for (const GpuRoom* gpu : MostRoom(gpus, shape)) {
    lack -= std::clamp(gpu->free_millis, 0, millis);
  }
  return std::max(lack, 0);
}

}  // namespace potok::server
