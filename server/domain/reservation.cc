#include "server/domain/reservation.h"

#include <algorithm>
#include <variant>
#include <vector>

#include "common/base/overloaded.h"

namespace potok::server {

namespace {

absl::Time EndOfAttempt(const RunRecord& run, std::uint32_t index, absl::Time now) {
  const StepRecord& step = run.steps[index];
  return std::visit(Overloaded{
                        [&](const Running&) { return LatestEnd(run, index, step.since); },
                        [&](const Assigned&) { return LatestEnd(run, index, now); },
                        [&](const auto&) { return now; },
                    },
                    step.state());
}

// An attempt that ends, and what it gives back.
struct GivenBack {
  absl::Time at;
  Resources request;
  const Placement* placement = nullptr;
};

void GiveBack(const GivenBack& end, Opening* opening) {
  opening->at = end.at;
  opening->free += end.request;
  if (end.placement == nullptr) return;
  for (GpuRoom& gpu : opening->gpus) {
    const std::vector<std::int32_t>& held = end.placement->gpus;
    if (std::find(held.begin(), held.end(), gpu.index) == held.end()) continue;
    gpu.free_millis += MillisOfEach(end.request);
  }
}

bool HasRoom(const Opening& opening, const Shape& shape) {
  return shape.request.FitsInto(opening.free) && PickGpus(opening.gpus, shape).has_value();
}

}  // namespace

absl::Time LatestEnd(const RunRecord& run, std::uint32_t index, absl::Time now) {
  const std::int64_t limit = run.plan->definition(index).timeout_seconds;
  return limit > 0 ? now + absl::Seconds(limit) : absl::InfiniteFuture();
}

bool EndsInTime(const RunRecord& run, std::uint32_t index) {
  return run.plan != nullptr &&
         EndOfAttempt(run, index, absl::UnixEpoch()) != absl::InfiniteFuture();
}

Opening OpeningFor(const State& state,
                   const MachineRecord& machine,
                   const Resources& free,
                   const std::vector<GpuRoom>& gpus,
                   const Shape& shape,
                   absl::Time now) {
  std::vector<GivenBack> ends;
  for (const AttemptKey& key : machine.timed) {
    const auto found = state.runs.find(key.run);
    if (found == state.runs.end() || found->second.plan == nullptr) continue;
    const RunRecord& run = found->second;
    const absl::Time end = std::max(EndOfAttempt(run, key.index, now), now);
    if (end == absl::InfiniteFuture()) continue;
    ends.push_back({end, RequestOf(run, key.index), PlacementOf(run.steps[key.index].state())});
  }
  std::sort(
      ends.begin(), ends.end(), [](const GivenBack& a, const GivenBack& b) { return a.at < b.at; });
  Opening opening{now, free, gpus};
  for (const GivenBack& end : ends) {
    if (end.at > opening.at && HasRoom(opening, shape)) return opening;
    GiveBack(end, &opening);
  }
  return HasRoom(opening, shape) ? opening : Opening{};
}

}  // namespace potok::server
