// Invariants of the queue.
#include <map>

#include "fmt/format.h"
#include "server/domain/invariants.h"
#include "server/domain/order.h"

namespace potok::server {

namespace {

// How many steps of the run are queued; and that those on machines are counted and within the
// limit.
std::size_t CountQueued(const RunRecord& run, Problems* problems) {
  std::size_t queued = 0;
  std::uint32_t placed = 0;
  for (const StepRecord& step : run.steps) {
    if (std::holds_alternative<Queued>(step.state())) ++queued;
    if (PlacementOf(step.state()) != nullptr) ++placed;
  }
  if (placed != run.placed || (LimitOf(run) > 0 && placed > LimitOf(run))) {
    problems->push_back(
        fmt::format("run {}: {} steps hold machines, counted {}", run.id, placed, run.placed));
  }
  return queued;
}

std::size_t CountFronts(const StepQueue::Level& level) {
  std::size_t count = 0;
  for (const auto& [team, users] : level.teams) {
    for (const auto& [user, groups] : users) {
      for (const auto& [request, group] : groups) count += group.fronts.size();
    }
  }
  return count;
}

}  // namespace

// That each queued step is there is known: nothing else is, and what is parked is not to be seen.
void CheckQueue(const State& state, Problems* problems) {
  std::size_t queued = 0;
  std::map<std::int32_t, std::size_t> fronts;  // by priority
  for (const auto& [id, run] : state.runs) {
    queued += CountQueued(run, problems);
    const auto in_queue = state.queued.runs().find(id);
    if (in_queue == state.queued.runs().end()) continue;
    if (in_queue->second.parked != ParkedOf(run) ||
        in_queue->second.owner != QueueOwner{run.team, run.submitter}) {
      problems->push_back(fmt::format("run {}: is queued otherwise than it is", id));
    }
    if (in_queue->second.parked != Parked::kNot) continue;
    for (const auto& [priority, lanes] : in_queue->second.levels) fronts[priority] += lanes.size();
  }
  bool is_shown = fronts.size() == state.queued.levels().size();
  for (const auto& [priority, level] : state.queued.levels()) {
    is_shown = is_shown && CountFronts(level) == fronts[priority];
  }
  if (queued != state.queued.size() || !is_shown) {
    problems->push_back(fmt::format(
        "{} steps are queued, {} in the queue, which shows others", queued, state.queued.size()));
  }
}

}  // namespace potok::server
