#include "server/domain/reservation.h"

#include <algorithm>
#include <utility>
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
                    step.state);
}

}  // namespace

absl::Time LatestEnd(const RunRecord& run, std::uint32_t index, absl::Time now) {
  const std::int64_t limit = run.plan->step(index).timeout_seconds;
  return limit > 0 ? now + absl::Seconds(limit) : absl::InfiniteFuture();
}

Opening OpeningFor(const State& state,
                   const MachineRecord& machine,
                   const Resources& free,
                   const Resources& request,
                   absl::Time now) {
  std::vector<std::pair<absl::Time, const Resources*>> ends;
  for (const AttemptKey& key : machine.holding) {
    const auto run = state.runs.find(key.run);
    if (run == state.runs.end() || run->second.plan == nullptr) continue;
    const absl::Time end = std::max(EndOfAttempt(run->second, key.index, now), now);
    if (end == absl::InfiniteFuture()) continue;
    ends.emplace_back(end, &run->second.plan->shape_of(key.index).request);
  }
  std::sort(
      ends.begin(), ends.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  Opening opening{now, free};
  for (const auto& [end, given_back] : ends) {
    if (end > opening.at && request.FitsInto(opening.free)) return opening;
    opening.free += *given_back;
    opening.at = end;
  }
  return request.FitsInto(opening.free) ? opening : Opening{};
}

}  // namespace potok::server
