#include "server/domain/shares.h"

#include <algorithm>
#include <cmath>

#include "server/domain/state.h"

namespace potok::server {

namespace {

// The largest part of `total`; what is held of something of which there is nothing is all of it.
double LargestPart(double memory, double cpus, double gpus, const Amounts& total) {
  const auto part = [](double of, std::int64_t all) {
    if (of <= 0) return 0.0;
    return all > 0 ? of / static_cast<double>(all) : 1.0;
  };
  return std::max({part(memory, total.memory_bytes),
                   part(cpus, total.cpu_millis),
                   part(gpus, total.gpu_millis)});
}

bool IsBeyond(std::int64_t limit, std::int64_t held, std::int64_t request) {
  return limit != kNoLimit && request > 0 && held + request > limit;
}

TeamRecord& RecordOf(State& state, const std::string& name) {
  const auto [it, is_new] = state.teams.try_emplace(name);
  if (is_new) it->second.facts.name = name;
  return it->second;
}

void AddToUse(Use* use, const Amounts& amounts, bool is_held) {
  if (is_held) {
    use->held += amounts;
    ++use->steps;
  } else {
    use->held -= amounts;
    --use->steps;
  }
}

void CountStep(State& state, const RunRecord& run, const Resources& request, bool is_held) {
  TeamRecord& team = RecordOf(state, run.team);
  const Amounts amounts = AmountsOf(request);
  AddToUse(&team.use, amounts, is_held);
  const auto user = team.users.try_emplace(run.submitter).first;
  AddToUse(&user->second, amounts, is_held);
  // Who holds nothing and has no past is as one who was never here.
  const bool is_blank = user->second.steps == 0 && user->second.past == PastUse{};
  if (is_blank) team.users.erase(user);
}

// How many of the steps the team and its users may not have now.
std::size_t CountLimited(const TeamRecord& team, const StepQueue::Users& users) {
  const TeamChanged& facts = team.facts;
  const bool is_limited =
      facts.quota != Quota{} || facts.user_running_steps != kNoLimit || !facts.pools.empty();
  if (!is_limited) return 0;
  std::size_t count = 0;
  for (const auto& [user, groups] : users) {
    const auto use = team.users.find(user);
    const std::uint32_t steps = use == team.users.end() ? 0 : use->second.steps;
    for (const auto& [demand, group] : groups) {
      const Limiting why = LimitingOf(facts, team.use.held, team.use.steps, steps, demand.amounts);
      const bool may_have =
          why == Limiting::kNothing && LimitingIn(team, {}, demand) == Limiting::kNothing;
      if (!may_have) count += group.steps;
    }
  }
  return count;
}

bool IsBelow(const Amounts& guaranteed, const Amounts& held) {
  if (guaranteed == Amounts{}) return false;
  const auto is_below = [](std::int64_t has, std::int64_t least) {
    return least == 0 || has < least;
  };
  return is_below(held.memory_bytes, guaranteed.memory_bytes) &&
         is_below(held.cpu_millis, guaranteed.cpu_millis) &&
         is_below(held.gpu_millis, guaranteed.gpu_millis);
}

Limiting LimitingBy(const Quota& quota,
                    const Amounts& held,
                    std::int64_t steps,
                    const Amounts& request) {
  if (IsBeyond(quota.gpu_millis, held.gpu_millis, request.gpu_millis)) return Limiting::kGpus;
  if (IsBeyond(quota.memory_bytes, held.memory_bytes, request.memory_bytes)) {
    return Limiting::kMemory;
  }
  if (IsBeyond(quota.cpu_millis, held.cpu_millis, request.cpu_millis)) return Limiting::kCpus;
  return IsBeyond(quota.running_steps, steps, 1) ? Limiting::kTeamSteps : Limiting::kNothing;
}

}  // namespace

Amounts& Amounts::operator+=(const Amounts& other) {
  memory_bytes += other.memory_bytes;
  cpu_millis += other.cpu_millis;
  gpu_millis += other.gpu_millis;
  return *this;
}

Amounts& Amounts::operator-=(const Amounts& other) {
  memory_bytes -= other.memory_bytes;
  cpu_millis -= other.cpu_millis;
  gpu_millis -= other.gpu_millis;
  return *this;
}

std::string PoolCounted(const std::string& pool) {
  const bool is_default = pool.empty() || pool == "serverless" || pool == "local";
  return is_default ? "default" : pool;
}

Amounts AmountsOf(const Resources& resources) {
  return {resources.memory_bytes, resources.cpu_millis, resources.gpu_millis};
}

Amounts TimesOf(const Amounts& amounts, std::int64_t count) {
  return {amounts.memory_bytes * count, amounts.cpu_millis * count, amounts.gpu_millis * count};
}

const std::string& TeamOf(const State& state, const std::string& user) {
  static const std::string everybody = kDefaultTeam;
  const auto found = state.team_of_user.find(user);
  return found == state.team_of_user.end() ? everybody : found->second;
}

PastUse PastAt(const Use& use, absl::Duration half_life, absl::Time now) {
  PastUse past = use.past;
  past.at = std::max(past.at, now);
  // The part of what was that is left; where only the present counts that is nothing.
  const double left = half_life <= absl::ZeroDuration()
                          ? 0
                          : std::exp2(-absl::FDivDuration(past.at - use.past.at, half_life));
  const auto mean = [left](double was, std::int64_t held) {
    return static_cast<double>(held) * (1 - left) + was * left;
  };
  past.memory_bytes = mean(past.memory_bytes, use.held.memory_bytes);
  past.cpu_millis = mean(past.cpu_millis, use.held.cpu_millis);
  past.gpu_millis = mean(past.gpu_millis, use.held.gpu_millis);
  return past;
}

double ShareOf(const Amounts& held, const Amounts& total) {
  return LargestPart(static_cast<double>(held.memory_bytes),
                     static_cast<double>(held.cpu_millis),
                     static_cast<double>(held.gpu_millis),
                     total);
}

double ScoreOf(const Use& use,
               const Amounts& more,
               absl::Duration half_life,
               const Amounts& total,
               absl::Time now) {
  Amounts held = use.held;
  held += more;
  // Where the past does not count, what is held has always been.
  if (half_life <= absl::ZeroDuration()) return ShareOf(held, total);
  const PastUse past = PastAt(use, half_life, now);
  return LargestPart((static_cast<double>(held.memory_bytes) + past.memory_bytes) / 2,
                     (static_cast<double>(held.cpu_millis) + past.cpu_millis) / 2,
                     (static_cast<double>(held.gpu_millis) + past.gpu_millis) / 2,
                     total);
}

bool IsBelowGuaranteed(const TeamChanged& team, const Amounts& held) {
  return IsBelow(team.guaranteed, held);
}

bool IsBelowGuaranteedIn(const TeamRecord& team, const std::string& pool, const Amounts& more) {
  Amounts held = HeldIn(team, pool).amounts;
  held += more;
  return IsBelow(GuaranteedIn(team.facts, pool), held);
}

Held HeldIn(const TeamRecord& team, const std::string& pool) {
  const auto found = team.in_pools.find(PoolCounted(pool));
  return found == team.in_pools.end() ? Held{} : found->second;
}

Amounts GuaranteedIn(const TeamChanged& team, const std::string& pool) {
  const auto found = team.pools.find(PoolCounted(pool));
  return found == team.pools.end() ? Amounts{} : found->second.guaranteed;
}

Limiting LimitingOf(const TeamChanged& team,
                    const Amounts& held,
                    std::int64_t steps,
                    std::int64_t user_steps,
                    const Amounts& request) {
  const Limiting by_quota = LimitingBy(team.quota, held, steps, request);
  if (by_quota != Limiting::kNothing) return by_quota;
  if (IsBeyond(team.user_running_steps, user_steps, 1)) return Limiting::kUserSteps;
  return Limiting::kNothing;
}

Limiting LimitingIn(const TeamRecord& team, const Held& more, const Demand& demand) {
  const auto share = team.facts.pools.find(demand.pool);
  if (share == team.facts.pools.end()) return Limiting::kNothing;
  Held held = HeldIn(team, demand.pool);
  held.amounts += more.amounts;
  return LimitingBy(
      share->second.quota, held.amounts, std::int64_t{held.steps} + more.steps, demand.amounts);
}

void CountHeldIn(State& state,
                 const RunRecord& run,
                 const std::string& pool,
                 const Resources& request) {
  Held& held = RecordOf(state, run.team).in_pools[PoolCounted(pool)];
  held.amounts += AmountsOf(request);
  ++held.steps;
}

void CountReleasedIn(State& state,
                     const RunRecord& run,
                     const std::string& pool,
                     const Resources& request) {
  TeamRecord& team = RecordOf(state, run.team);
  const auto held = team.in_pools.find(PoolCounted(pool));
  if (held == team.in_pools.end()) return;
  held->second.amounts -= AmountsOf(request);
  if (--held->second.steps == 0) team.in_pools.erase(held);
}

void CountHeld(State& state, const RunRecord& run, const Resources& request) {
  CountStep(state, run, request, true);
}

void CountReleased(State& state, const RunRecord& run, const Resources& request) {
  CountStep(state, run, request, false);
}

void ApplyTeamChanged(State& state, const TeamChanged& changed) {
  TeamRecord& team = RecordOf(state, changed.name);
  for (const std::string& user : team.facts.users) {
    const auto found = state.team_of_user.find(user);
    if (found != state.team_of_user.end() && found->second == changed.name) {
      state.team_of_user.erase(found);
    }
  }
  if (changed.removed) {
    team.facts = TeamChanged();
    team.facts.name = changed.name;
    if (team.runs == 0) state.teams.erase(changed.name);
    return;
  }
  team.facts = changed;
  for (const std::string& user : changed.users) state.team_of_user[user] = changed.name;
}

void ApplyTeamUsed(State& state, const TeamUsed& used) {
  TeamRecord& team = RecordOf(state, used.team);
  team.use.past = used.of_team;
  team.users[used.user].past = used.of_user;
}

void CountMachine(State& state, const Resources& capacity, int sign) {
  if (sign > 0) {
    state.living += AmountsOf(capacity);
  } else {
    state.living -= AmountsOf(capacity);
  }
}

std::optional<TeamUsed> UseToNote(const State& state, const RunRecord& run, absl::Time now) {
  // As the journal keeps it.
  now = absl::FromUnixMicros(absl::ToUnixMicros(now));
  const auto found = state.teams.find(run.team);
  if (found == state.teams.end()) return std::nullopt;
  const TeamRecord& team = found->second;
  const absl::Duration half_life = team.facts.half_life;
  if (half_life <= absl::ZeroDuration()) return std::nullopt;
  const auto user = team.users.find(run.submitter);
  const Use of_user = user == team.users.end() ? Use{} : user->second;
  if (team.use.past.at == now && of_user.past.at == now) return std::nullopt;
  return TeamUsed{
      run.team, run.submitter, PastAt(team.use, half_life, now), PastAt(of_user, half_life, now)};
}

std::size_t CountWaitingForQuota(const State& state) {
  std::size_t count = 0;
  for (const auto& [priority, level] : state.queued.levels()) {
    for (const auto& [name, users] : level.teams) {
      const auto team = state.teams.find(name);
      if (team != state.teams.end()) count += CountLimited(team->second, users);
    }
  }
  return count;
}

}  // namespace potok::server
