#include "server/domain/step_queue.h"

namespace potok::server {

void StepQueue::Add(const QueuePlace& place, const QueueOwner& owner) {
  Run& run = runs_[place.step.run];
  if (run.size == 0) run.owner = owner;
  run.demands.emplace(place.shape, place.demand);
  Lane& lane = run.levels[place.priority][place.shape];
  const bool is_shown = run.parked == Parked::kNot;
  const std::pair entry(place.since, place.step.index);
  const bool is_first = lane.empty() || entry < *lane.begin();
  if (is_shown && is_first) HideLane(place.step.run, run, place.priority, place.shape);
  if (lane.insert(entry).second) {
    ++run.size;
    ++size_;
    ++parked_[static_cast<std::size_t>(run.parked)];
    if (is_shown && !is_first) ++GroupOf(run, place.priority, place.shape).steps;
  }
  if (is_shown && is_first) ShowLane(place.step.run, run, place.priority, place.shape);
}

void StepQueue::Remove(const QueuePlace& place) {
  const auto found = runs_.find(place.step.run);
  if (found == runs_.end()) return;
  Run& run = found->second;
  const auto level = run.levels.find(place.priority);
  if (level == run.levels.end()) return;
  const auto lane = level->second.find(place.shape);
  if (lane == level->second.end()) return;
  const auto entry = lane->second.find({place.since, place.step.index});
  if (entry == lane->second.end()) return;
  const bool changes_front = run.parked == Parked::kNot && entry == lane->second.begin();
  if (changes_front) {
    HideLane(place.step.run, run, place.priority, place.shape);
  } else if (run.parked == Parked::kNot) {
    --GroupOf(run, place.priority, place.shape).steps;
  }
  lane->second.erase(entry);
  --run.size;
  --size_;
  --parked_[static_cast<std::size_t>(run.parked)];
  if (!lane->second.empty()) {
    if (changes_front) ShowLane(place.step.run, run, place.priority, place.shape);
    return;
  }
  level->second.erase(lane);
  if (level->second.empty()) run.levels.erase(level);
  if (run.size == 0) runs_.erase(found);
}

void StepQueue::Park(RunId id, Parked parked) {
  const auto found = runs_.find(id);
  if (found == runs_.end() || found->second.parked == parked) return;
  Run& run = found->second;
  if (run.parked == Parked::kNot) Hide(id, run);
  parked_[static_cast<std::size_t>(run.parked)] -= run.size;
  run.parked = parked;
  parked_[static_cast<std::size_t>(run.parked)] += run.size;
  if (run.parked == Parked::kNot) Show(id, run);
}

bool StepQueue::Contains(const QueuePlace& place) const {
  const auto run = runs_.find(place.step.run);
  if (run == runs_.end()) return false;
  const auto level = run->second.levels.find(place.priority);
  if (level == run->second.levels.end()) return false;
  const auto lane = level->second.find(place.shape);
  return lane != level->second.end() && lane->second.contains({place.since, place.step.index});
}

std::vector<QueuePlace> StepQueue::All() const {
  std::map<std::int32_t, std::vector<QueuePlace>, std::greater<>> by_priority;
  for (const auto& [id, run] : runs_) {
    for (const auto& [priority, lanes] : run.levels) {
      std::map<std::pair<absl::Time, std::uint32_t>, std::uint32_t> in_order;
      for (const auto& [shape, lane] : lanes) {
        for (const auto& entry : lane) in_order[entry] = shape;
      }
      std::vector<QueuePlace>& places = by_priority[priority];
      for (const auto& [entry, shape] : in_order) {
        places.push_back({{id, entry.second}, priority, shape, entry.first, run.demands.at(shape)});
      }
    }
  }
  std::vector<QueuePlace> all;
  for (const auto& [priority, places] : by_priority) {
    all.insert(all.end(), places.begin(), places.end());
  }
  return all;
}

void StepQueue::Show(RunId id, const Run& run) {
  for (const auto& [priority, lanes] : run.levels) {
    for (const auto& [shape, lane] : lanes) ShowLane(id, run, priority, shape);
  }
}

void StepQueue::Hide(RunId id, const Run& run) {
  for (const auto& [priority, lanes] : run.levels) {
    for (const auto& [shape, lane] : lanes) HideLane(id, run, priority, shape);
  }
}

StepQueue::Group& StepQueue::GroupOf(const Run& run, std::int32_t priority, std::uint32_t shape) {
  Users& users = levels_[priority].teams[run.owner.team];
  return users[run.owner.user][run.demands.at(shape)];
}

void StepQueue::ShowLane(RunId id, const Run& run, std::int32_t priority, std::uint32_t shape) {
  Group& group = GroupOf(run, priority, shape);
  const Lane& lane = run.levels.at(priority).at(shape);
  ++group.runs[id];
  group.fronts.insert({lane.begin()->first, id, shape});
  group.steps += lane.size();
}

// The run stays with its group for as long as another of its lanes does, and so do the others.
void StepQueue::HideLane(RunId id, const Run& run, std::int32_t priority, std::uint32_t shape) {
  const Lane& lane = run.levels.at(priority).at(shape);
  const auto level = levels_.find(priority);
  if (lane.empty() || level == levels_.end()) return;
  const auto team = level->second.teams.find(run.owner.team);
  if (team == level->second.teams.end()) return;
  const auto user = team->second.find(run.owner.user);
  if (user == team->second.end()) return;
  const auto group = user->second.find(run.demands.at(shape));
  if (group == user->second.end()) return;
  if (group->second.fronts.erase({lane.begin()->first, id, shape}) == 0) return;
  group->second.steps -= lane.size();
  const auto runs = group->second.runs.find(id);
  if (--runs->second > 0) return;
  group->second.runs.erase(runs);
  if (!group->second.runs.empty()) return;
  user->second.erase(group);
  if (!user->second.empty()) return;
  team->second.erase(user);
  if (!team->second.empty()) return;
  level->second.teams.erase(team);
  if (level->second.teams.empty()) levels_.erase(level);
}

}  // namespace potok::server
