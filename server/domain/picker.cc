#include "server/domain/picker.h"

#include <algorithm>
#include <utility>

namespace potok::server {

bool RanksBefore(std::int32_t priority_a,
                 absl::Time since_a,
                 std::int32_t priority_b,
                 absl::Time since_b) {
  return kAgingPerPoint * (std::int64_t{priority_a} - priority_b) > since_a - since_b;
}

LevelPicker::LevelPicker(const State& state,
                         std::int32_t priority,
                         const PickedOver& over,
                         absl::Time now)
    : state_(state),
      priority_(priority),
      over_(over),
      now_(now),
      level_(state.queued.levels().at(priority)) {
  for (const auto& [name, users] : level_.teams) {
    const TeamRecord& team = state_.teams.at(name);
    AddCursor({&team, &users, nullptr, {}, {}});
    for (const auto& [pool, share] : team.facts.pools) {
      if (share.guaranteed != Amounts{}) AddCursor({&team, &users, &pool, {}, {}});
    }
  }
}

void LevelPicker::AddCursor(TeamCursor cursor) {
  teams_.push_back(std::move(cursor));
  order_.insert(TurnOf(teams_.back(), 0, teams_.size() - 1));
}

// Turns only grow later in a pass, since nobody holds less: what is first by a turn that is out of
// date, and is first by the true one too, is first.
std::optional<QueuePlace> LevelPicker::First() {
  while (!order_.empty()) {
    const Precedence turn = *order_.begin();
    TeamCursor& team = teams_[std::get<std::size_t>(turn)];
    const std::optional<QueuePlace> first = FirstOf(team);
    if (!first.has_value()) {
      order_.erase(order_.begin());
      continue;
    }
    const Precedence now = TurnOf(team, first->step.run, std::get<std::size_t>(turn));
    if (now == turn) return first;
    order_.erase(order_.begin());
    order_.insert(now);
  }
  return std::nullopt;
}

void LevelPicker::OpenTeam(TeamCursor& team) const {
  team.is_open = true;
  for (const auto& [name, groups] : *team.queued) {
    const auto use = team.record->users.find(name);
    UserCursor user{&name, use == team.record->users.end() ? nullptr : &use->second, {}};
    for (const auto& [demand, group] : groups) {
      const bool is_of_it = team.pool != nullptr
                                ? demand.pool == *team.pool
                                : GuaranteedIn(team.record->facts, demand.pool) == Amounts{};
      if (!is_of_it) continue;
      user.groups.push_back({&demand, group.runs.begin(), group.runs.end(), {}});
      Fill(user.groups.back());
    }
    if (user.groups.empty()) continue;
    team.users.push_back(std::move(user));
    team.order.insert(TurnOf(team, team.users.back(), 0, team.users.size() - 1));
  }
}

std::optional<QueuePlace> LevelPicker::FirstOf(TeamCursor& team) const {
  if (!team.is_open) OpenTeam(team);
  while (!team.order.empty()) {
    const Precedence turn = *team.order.begin();
    UserCursor& user = team.users[std::get<std::size_t>(turn)];
    const std::optional<QueuePlace> first = FirstOf(team, user);
    if (!first.has_value()) {
      team.order.erase(team.order.begin());
      continue;
    }
    const Precedence now = TurnOf(team, user, first->step.run, std::get<std::size_t>(turn));
    if (now == turn) return first;
    team.order.erase(team.order.begin());
    team.order.insert(now);
  }
  return std::nullopt;
}

std::optional<QueuePlace> LevelPicker::FirstOf(const TeamCursor& team, UserCursor& user) const {
  // What they may not have now they may not have later in the pass.
  std::erase_if(user.groups, [&](GroupCursor& group) {
    return !MayHave(*team.record, *user.name, *group.demand) || !Settle(group);
  });
  std::optional<QueuePlace> first;
  for (const GroupCursor& group : user.groups) {
    const auto lane = std::min_element(
        group.lanes.begin(), group.lanes.end(), [](const LaneCursor& a, const LaneCursor& b) {
          return *a.next < *b.next;
        });
    const QueuePlace place{{group.run->first, lane->next->second},
                           priority_,
                           lane->shape,
                           lane->next->first,
                           *group.demand};
    const auto order = [](const QueuePlace& one) {
      return std::tuple(one.step.run, one.since, one.step.index);
    };
    if (!first.has_value() || order(place) < order(*first)) first = place;
  }
  return first;
}

LevelPicker::Precedence LevelPicker::TurnOf(const TeamCursor& team,
                                            RunId run,
                                            std::size_t number) const {
  const TeamRecord& record = *team.record;
  const Amounts more = PlacedOf(record).amounts;
  Amounts held = record.use.held;
  held += more;
  const double score = ScoreOf(record.use, more, record.facts.half_life, state_.living, now_);
  const bool is_below =
      IsBelowGuaranteed(record.facts, held) ||
      (team.pool != nullptr &&
       IsBelowGuaranteedIn(record, *team.pool, PlacedIn(record, *team.pool).amounts));
  return {!is_below, score / record.facts.weight, run, number};
}

LevelPicker::Precedence LevelPicker::TurnOf(const TeamCursor& team,
                                            const UserCursor& user,
                                            RunId run,
                                            std::size_t number) const {
  const Amounts more = PlacedOf(*team.record, *user.name).amounts;
  const absl::Duration half_life = team.record->facts.half_life;
  const Use& use = user.use == nullptr ? Use{} : *user.use;
  return {true, ScoreOf(use, more, half_life, state_.living, now_), run, number};
}

PlacedNow LevelPicker::PlacedOf(const TeamRecord& team) const {
  const auto found = over_.teams.find(team.facts.name);
  return found == over_.teams.end() ? PlacedNow{} : found->second.all;
}

PlacedNow LevelPicker::PlacedOf(const TeamRecord& team, const std::string& user) const {
  const auto found = over_.teams.find(team.facts.name);
  if (found == over_.teams.end()) return {};
  const auto placed = found->second.users.find(user);
  return placed == found->second.users.end() ? PlacedNow{} : placed->second;
}

Held LevelPicker::PlacedIn(const TeamRecord& team, const std::string& pool) const {
  const auto found = over_.teams.find(team.facts.name);
  if (found == over_.teams.end()) return {};
  const auto placed = found->second.pools.find(pool);
  return placed == found->second.pools.end() ? Held{} : placed->second;
}

bool LevelPicker::MayHave(const TeamRecord& team,
                          const std::string& user,
                          const Demand& demand) const {
  if (LimitingIn(team, PlacedIn(team, demand.pool), demand) != Limiting::kNothing) return false;
  const PlacedNow of_team = PlacedOf(team);
  const PlacedNow of_user = PlacedOf(team, user);
  Amounts held = team.use.held;
  held += of_team.amounts;
  const auto use = team.users.find(user);
  const std::int64_t steps = use == team.users.end() ? 0 : use->second.steps;
  return LimitingOf(team.facts,
                    held,
                    std::int64_t{team.use.steps} + of_team.steps,
                    steps + of_user.steps,
                    demand.amounts) == Limiting::kNothing;
}

std::optional<QueuePlace> LevelPicker::Oldest() {
  OpenFronts();
  while (!fronts_.empty()) {
    const auto [since, run, shape, index, number] = *fronts_.begin();
    FrontCursor& group = groups_[number];
    if (!MayHave(*group.team, *group.user, *group.demand)) {
      fronts_.erase(fronts_.begin());
      continue;  // and none of its other lanes is opened any more
    }
    const bool is_refused = over_.refused.contains({run, shape}) || over_.full.contains(run);
    if (!is_refused && !over_.taken.contains({run, index})) {
      return QueuePlace{{run, index}, priority_, shape, since, *group.demand};
    }
    fronts_.erase(fronts_.begin());
    OpenFront(number);
    if (is_refused) continue;
    const StepQueue::Lane& lane = LaneOf(run, shape);
    const auto next = lane.upper_bound({since, index});
    if (next != lane.end()) fronts_.insert({next->first, run, shape, next->second, number});
  }
  return std::nullopt;
}

// Of each group the first lane; the others follow one by one as those before them go, since none
// of them can have an older step.
void LevelPicker::OpenFronts() {
  if (fronts_are_open_) return;
  fronts_are_open_ = true;
  for (const auto& [name, users] : level_.teams) {
    const TeamRecord* team = &state_.teams.at(name);
    for (const auto& [user, groups] : users) {
      for (const auto& [demand, group] : groups) {
        groups_.push_back({team, &user, &demand, group.fronts.begin(), group.fronts.end()});
        OpenFront(groups_.size() - 1);
      }
    }
  }
}

void LevelPicker::OpenFront(std::size_t group) {
  FrontCursor& cursor = groups_[group];
  if (cursor.next == cursor.end) return;
  const auto& [since, run, shape] = *cursor.next;
  fronts_.insert({since, run, shape, LaneOf(run, shape).begin()->second, group});
  ++cursor.next;
}

const StepQueue::Lane& LevelPicker::LaneOf(RunId run, std::uint32_t shape) const {
  return state_.queued.runs().at(run).levels.at(priority_).at(shape);
}

void LevelPicker::Fill(GroupCursor& group) const {
  group.lanes.clear();
  if (group.run == group.end) return;
  const StepQueue::Run& run = state_.queued.runs().at(group.run->first);
  for (const auto& [shape, lane] : run.levels.at(priority_)) {
    if (run.demands.at(shape) != *group.demand) continue;
    group.lanes.push_back({shape, lane.begin(), lane.end()});
  }
}

bool LevelPicker::Settle(GroupCursor& group) const {
  while (group.run != group.end) {
    const RunId run = group.run->first;
    if (over_.full.contains(run)) group.lanes.clear();
    std::erase_if(group.lanes, [&](LaneCursor& lane) {
      if (over_.refused.contains({run, lane.shape})) return true;
      while (lane.next != lane.end && over_.taken.contains({run, lane.next->second})) ++lane.next;
      return lane.next == lane.end;
    });
    if (!group.lanes.empty()) return true;
    ++group.run;
    Fill(group);
  }
  return false;
}

Picker::Picker(const State& state, absl::Time now) : state_(state) {
  for (const auto& [priority, level] : state.queued.levels()) {
    levels_.emplace_back(state, priority, over_, now);
  }
}

void Picker::Take(std::uint32_t first, std::uint32_t count) {
  const RunRecord& run = state_.runs.at(next_->step.run);
  for (std::uint32_t i = first; i < first + count; ++i) over_.taken.insert({run.id, i});
  TeamPlacedNow& team = over_.teams[run.team];
  for (PlacedNow* placed : {&team.all, &team.users[run.submitter]}) {
    placed->amounts += TimesOf(next_->demand.amounts, count);
    placed->steps += count;
  }
  Held& in_pool = team.pools[next_->demand.pool];
  in_pool.amounts += TimesOf(next_->demand.amounts, count);
  in_pool.steps += count;
  const std::uint32_t limit = LimitOf(run);
  if (limit == 0) return;
  over_.placed[run.id] += count;
  if (run.placed + over_.placed[run.id] >= limit) over_.full.insert(run.id);
}

bool Picker::MayTake(std::uint32_t count) {
  const RunRecord& run = state_.runs.at(next_->step.run);
  const std::uint32_t limit = LimitOf(run);
  if (limit > 0 && run.placed + over_.placed[run.id] + count > limit) {
    over_.full.insert(run.id);
    return false;
  }
  // Of a single step its level has seen to that.
  if (count == 1 || TeamMayHave(run, count)) return true;
  Refuse();
  return false;
}

bool Picker::TeamMayHave(const RunRecord& run, std::uint32_t count) {
  const TeamRecord& team = state_.teams.at(run.team);
  TeamPlacedNow& placed = over_.teams[run.team];
  Amounts held = team.use.held;
  held += placed.all.amounts;
  held += TimesOf(next_->demand.amounts, count - 1);
  Held in_pool = placed.pools[next_->demand.pool];
  in_pool.amounts += TimesOf(next_->demand.amounts, count - 1);
  in_pool.steps += count - 1;
  if (LimitingIn(team, in_pool, next_->demand) != Limiting::kNothing) return false;
  const auto user = team.users.find(run.submitter);
  const std::int64_t user_steps = user == team.users.end() ? 0 : user->second.steps;
  return LimitingOf(team.facts,
                    held,
                    std::int64_t{team.use.steps} + placed.all.steps + count - 1,
                    user_steps + placed.users[run.submitter].steps + count - 1,
                    next_->demand.amounts) == Limiting::kNothing;
}

std::optional<QueuePlace> Picker::Next() {
  next_.reset();
  while (!levels_.empty() && !next_.has_value()) {
    next_ = levels_.front().First();
    if (!next_.has_value()) levels_.pop_front();
  }
  if (!next_.has_value() || levels_.size() == 1) return next_;
  std::optional<QueuePlace> oldest = levels_.front().Oldest();
  for (auto level = levels_.begin() + 1; level != levels_.end(); ++level) {
    const std::optional<QueuePlace> other = level->Oldest();
    const bool is_before =
        other.has_value() &&
        RanksBefore(other->priority, other->since, oldest->priority, oldest->since);
    if (!is_before) continue;
    oldest = other;
    next_ = other;
  }
  return next_;
}

}  // namespace potok::server
