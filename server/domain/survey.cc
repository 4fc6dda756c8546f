#include "server/domain/survey.h"

#include <algorithm>
#include <set>

#include "fmt/format.h"
#include "fmt/ranges.h"

namespace potok::server {

namespace {

// "2 GPUs of A100 or H100 with 40 GiB"
std::string WantedGpus(const Shape& shape) {
  std::string text = fmt::format("{} GPU{}",
                                 FormatGpus(shape.request.gpu_millis),
                                 shape.request.gpu_millis == kMillisOfGpu ? "" : "s");
  if (!shape.gpu_models.empty()) {
    text += fmt::format(" of {}", fmt::join(shape.gpu_models, " or "));
  }
  if (shape.gpu_memory_bytes > 0) text += " with " + FormatBytes(shape.gpu_memory_bytes);
  return text;
}

// " (there are T4 with 15 GiB)": why GPUs that are there do not count; empty where all would.
std::string GpusThatDoNotSuit(const Survey& survey, const Shape& shape) {
  std::set<std::string> others;
  for (const GpuRoom& gpu : survey.gpus) {
    if (SuitsShape(gpu, shape)) continue;
    others.insert(gpu.facts == nullptr
                      ? std::string("GPUs of an unknown model")
                      : fmt::format("{} with {}",
                                    gpu.facts->model.empty() ? "GPUs" : gpu.facts->model,
                                    FormatBytes(gpu.facts->memory_bytes)));
  }
  return others.empty() ? "" : fmt::format(" (there are {})", fmt::join(others, ", "));
}

// "needs 2 GPUs, 1 is free"
std::string MissingGpus(const Survey& survey, const Shape& shape, const char* word) {
  const std::int32_t millis = MillisOfEach(shape.request);
  std::int32_t count = 0;
  std::int32_t most = 0;
  for (const GpuRoom& gpu : survey.gpus) {
    if (!SuitsShape(gpu, shape)) continue;
    most = std::max(most, gpu.free_millis);
    if (gpu.free_millis >= millis) ++count;
  }
  const std::string others = GpusThatDoNotSuit(survey, shape);
  if (millis < kMillisOfGpu && most > 0) {
    return fmt::format(
        "needs {}, at most {} of one is {}{}", WantedGpus(shape), FormatGpus(most), word, others);
  }
  return fmt::format(
      "needs {}, {} {} {}{}", WantedGpus(shape), count, count == 1 ? "is" : "are", word, others);
}

std::string MissingBytes(const char* what, std::int64_t needs, std::int64_t has, const char* word) {
  return fmt::format("needs {} {}, {} is {}",
                     FormatBytes(needs),
                     what,
                     FormatBytes(std::max<std::int64_t>(has, 0)),
                     word);
}

}  // namespace

std::string Plural(std::size_t count, const char* noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

bool IsKnown(const MachineRecord& machine) {
  return machine.facts.liveness != Liveness::kGone && !machine.facts.name.empty();
}

Survey Look(const State& state, const Pools& pools, const Shape& shape, Against against) {
  Survey survey;
  const std::string pool = pools.Resolve(shape.pool);
  for (const auto& [id, machine] : state.machines) {
    if (!IsKnown(machine) || !pools.Holds(machine, pool)) continue;
    ++survey.in_pool;
    if (!CarriesLabels(machine, shape)) continue;
    ++survey.with_labels;
    if (!HasRuntime(machine.facts, shape, pools)) continue;
    ++survey.with_runtime;
    const bool is_free = against == Against::kFree;
    if (is_free && !(CouldHold(machine, shape, pools) && TakesSteps(machine))) continue;
    const Resources has = is_free ? FreeOf(machine) : machine.facts.capacity;
    std::vector<GpuRoom> gpus = is_free ? GpusOf(machine) : AllGpusOf(machine.facts);
    Resources lack = LackOf(shape.request, has);
    lack.gpu_millis = std::max(lack.gpu_millis, GpuLackOf(gpus, shape));
    if (lack == Resources{}) ++survey.enough;
    survey.members += TimesFits(has, gpus, shape, static_cast<std::size_t>(shape.machines));
    const std::pair rank(LackRankOf(lack), lack.gpu_millis > 0 && gpus.empty());
    if (survey.nearest != nullptr && survey.rank <= rank) continue;
    survey.rank = rank;
    survey.nearest = &machine;
    survey.gpus = std::move(gpus);
    survey.has = has;
    survey.lack = lack;
  }
  return survey;
}

std::string Missing(const Survey& survey, const Shape& shape, const char* word) {
  const Resources& request = shape.request;
  const Resources& lack = survey.lack;
  const Resources& has = survey.has;
  if (lack.gpu_millis > 0) return MissingGpus(survey, shape, word);
  if (lack.memory_bytes > 0) {
    return MissingBytes("memory", request.memory_bytes, has.memory_bytes, word);
  }
  if (lack.cpu_millis > 0) {
    const std::int32_t cpus = std::max(has.cpu_millis, 0);
    return fmt::format("needs {:g} CPU{}, {:g} {} {}",
                       request.cpu_millis / 1000.0,
                       request.cpu_millis == 1000 ? "" : "s",
                       cpus / 1000.0,
                       cpus == 1000 ? "is" : "are",
                       word);
  }
  if (lack.disk_bytes > 0) return MissingBytes("disk", request.disk_bytes, has.disk_bytes, word);
  const std::string& name = lack.named.begin()->first;
  const std::int64_t count = std::max<std::int64_t>(NamedOf(has, name), 0);
  return fmt::format("needs {} {}, {} {} {}",
                     NamedOf(request, name),
                     name,
                     count,
                     count == 1 ? "is" : "are",
                     word);
}

std::string NearestOf(const Survey& survey) {
  if (survey.with_runtime == 1) return fmt::format("on {}", survey.nearest->facts.name);
  return fmt::format(
      "on {} (the nearest of {} machines)", survey.nearest->facts.name, survey.with_runtime);
}

}  // namespace potok::server
