#include "server/domain/explain_team.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

#include "common/pipeline/control.h"
#include "fmt/format.h"

namespace potok::server {

namespace {

std::string Bytes(std::int64_t bytes) {
  return FormatBytes(std::max<std::int64_t>(bytes, 0));
}
std::string Millis(std::int64_t millis) {
  return fmt::format("{:g}", static_cast<double>(millis) / 1000);
}

const TeamRecord* FindTeam(const State& state, const std::string& name) {
  const auto found = state.teams.find(name);
  return found == state.teams.end() ? nullptr : &found->second;
}

std::uint32_t StepsOf(const TeamRecord& team, const std::string& user) {
  const auto found = team.users.find(user);
  return found == team.users.end() ? 0 : found->second.steps;
}

// Of the resource that is limited: its name, what is held, what may be, what is asked for.
struct Limited {
  const char* what;
  std::string held;
  std::string limit;
  std::string wanted;
};

Limited LimitedOf(const Quota& quota,
                  const Held& all,
                  const Amounts& request,
                  std::int64_t members,
                  Limiting limiting) {
  const Amounts& held = all.amounts;
  switch (limiting) {
    case Limiting::kGpus:
      return {
          "GPUs", Millis(held.gpu_millis), Millis(quota.gpu_millis), Millis(request.gpu_millis)};
    case Limiting::kCpus:
      return {
          "CPUs", Millis(held.cpu_millis), Millis(quota.cpu_millis), Millis(request.cpu_millis)};
    case Limiting::kMemory:
      return {"memory",
              Bytes(held.memory_bytes),
              Bytes(quota.memory_bytes),
              Bytes(request.memory_bytes)};
    default:
      return {"running steps",
              std::to_string(all.steps),
              std::to_string(quota.running_steps),
              std::to_string(members)};
  }
}

// "1st", "22nd", "113th"
std::string Ordinal(std::size_t number) {
  const bool is_teen = number % 100 >= 11 && number % 100 <= 13;
  const std::size_t last = is_teen ? 0 : number % 10;
  const char* ending = last == 1 ? "st" : last == 2 ? "nd" : last == 3 ? "rd" : "th";
  return fmt::format("{}{}", number, ending);
}

using TeamRank = std::tuple<bool, double, RunId>;

RunId OldestOf(const StepQueue::Groups& groups) {
  RunId oldest = 0;
  for (const auto& [request, group] : groups) {
    const RunId run = group.runs.begin()->first;
    if (oldest == 0 || run < oldest) oldest = run;
  }
  return oldest;
}

// Whether it waits in a pool in which it is below what is guaranteed to it.
bool IsBelowWhereItWaits(const TeamRecord& team, const StepQueue::Users& users) {
  return std::ranges::any_of(team.facts.pools, [&](const auto& pool) {
    if (!IsBelowGuaranteedIn(team, pool.first, {})) return false;
    return std::ranges::any_of(users, [&](const auto& user) {
      return std::ranges::any_of(user.second,
                                 [&](const auto& group) { return group.first.pool == pool.first; });
    });
  });
}

TeamRank RankOfTeam(const State& state,
                    const TeamRecord& team,
                    const StepQueue::Users& users,
                    absl::Time now) {
  RunId oldest = 0;
  for (const auto& [name, groups] : users) {
    const RunId run = OldestOf(groups);
    if (oldest == 0 || run < oldest) oldest = run;
  }
  const double score = ScoreOf(team.use, {}, team.facts.half_life, state.living, now);
  const bool is_below =
      IsBelowGuaranteed(team.facts, team.use.held) || IsBelowWhereItWaits(team, users);
  return {!is_below, score / team.facts.weight, oldest};
}

std::size_t PlaceOfTeam(const State& state,
                        const StepQueue::Level& level,
                        const std::string& own,
                        absl::Time now) {
  const TeamRank rank = RankOfTeam(state, state.teams.at(own), level.teams.at(own), now);
  std::size_t place = 1;
  for (const auto& [name, users] : level.teams) {
    if (name != own && RankOfTeam(state, state.teams.at(name), users, now) < rank) ++place;
  }
  return place;
}

std::size_t PlaceOfUser(const State& state,
                        const TeamRecord& team,
                        const StepQueue::Users& users,
                        const std::string& own,
                        absl::Time now) {
  const auto rank = [&](const std::string& name) {
    const auto use = team.users.find(name);
    const Use& has = use == team.users.end() ? Use{} : use->second;
    return std::pair(ScoreOf(has, {}, team.facts.half_life, state.living, now),
                     OldestOf(users.at(name)));
  };
  const auto own_rank = rank(own);
  const auto before = std::count_if(users.begin(), users.end(), [&](const auto& entry) {
    return entry.first != own && rank(entry.first) < own_rank;
  });
  return static_cast<std::size_t>(before) + 1;
}

std::string WordsForTeam(const State& state, const TeamRecord& team, absl::Time now) {
  std::string words = fmt::format("team {} (weight {:g}, holds {:.1f}% of the machines",
                                  team.facts.name,
                                  team.facts.weight,
                                  100 * ShareOf(team.use.held, state.living));
  if (team.facts.half_life > absl::ZeroDuration()) {
    // The score is the mean of both.
    const double score = ScoreOf(team.use, {}, team.facts.half_life, state.living, now);
    words += fmt::format(", {:.1f}% with its past", 100 * score);
  }
  return words + ")";
}

// What the step asks for beyond the quota over all pools, or in its pool; "" if it may have it.
std::string BeyondQuotaOf(const TeamChanged& team, const Step& step, const std::string& compute) {
  const Shape shape = ShapeOf(compute, step);
  const Amounts one = AmountsOf(shape.request);
  const std::int64_t others = shape.machines - 1;
  const Amounts request = TimesOf(one, shape.machines);
  const Limiting limiting = LimitingOf(team, TimesOf(one, others), others, others, one);
  if (limiting == Limiting::kUserSteps) {
    return fmt::format(
        "team {} lets none of its users run a step (potok team update -n {} "
        "--max-running-steps-per-user)",
        team.name,
        team.name);
  }
  if (limiting != Limiting::kNothing) {
    const Limited limited = LimitedOf(team.quota, {}, request, shape.machines, limiting);
    return fmt::format(
        "needs {} {}, and the quota of team {} is {}; ask for less, or see potok team update -n {} "
        "--help",
        limited.wanted,
        limited.what,
        team.name,
        limited.limit,
        team.name);
  }
  TeamRecord unused;
  unused.facts = team;
  const std::string pool = PoolCounted(shape.pool);
  const Held members{TimesOf(one, others), static_cast<std::uint32_t>(others)};
  const Limiting in_pool = LimitingIn(unused, members, {one, pool});
  if (in_pool == Limiting::kNothing) return "";
  const Limited limited =
      LimitedOf(team.pools.at(pool).quota, {}, request, shape.machines, in_pool);
  return fmt::format(
      "needs {} {} in pool {}, and the quota of team {} there is {}; ask for less, or see potok "
      "team update -n {} --help",
      limited.wanted,
      limited.what,
      pool,
      team.name,
      limited.limit,
      team.name);
}

// How the step of that name, or one of its body, asks for more than the quota; "" if none does.
std::string BeyondQuota(const TeamChanged& team,
                        const Step& step,
                        const std::string& name,
                        const std::string& around,
                        const std::optional<std::string>& moved_to) {
  const std::string& own = step.compute.empty() ? around : step.compute;
  const std::string& compute = moved_to.has_value() ? *moved_to : own;
  if (!IsControl(step) || IsGang(step)) {
    const std::string beyond = BeyondQuotaOf(team, step, compute);
    return beyond.empty() ? "" : fmt::format("jobs.{}: {}", name, beyond);
  }
  for (const Step& of_body : step.control->body) {
    std::string beyond = BeyondQuota(team, of_body, of_body.name, compute, moved_to);
    if (!beyond.empty()) return beyond;
  }
  return "";
}

// Whether there may be something that it may never have.
bool IsLimited(const TeamChanged& team) {
  return team.quota != Quota{} || team.user_running_steps != kNoLimit || !team.pools.empty();
}

// What keeps members of a step waiting in its pool.
std::string ExplainQuotaIn(const TeamRecord& team, const Demand& demand, std::int64_t members) {
  const Held others{TimesOf(demand.amounts, members - 1), static_cast<std::uint32_t>(members - 1)};
  const Limiting limiting = LimitingIn(team, others, demand);
  if (limiting == Limiting::kNothing) return "";
  const Limited limited = LimitedOf(team.facts.pools.at(demand.pool).quota,
                                    HeldIn(team, demand.pool),
                                    TimesOf(demand.amounts, members),
                                    members,
                                    limiting);
  return fmt::format("its quota: team {} holds {} of its {} {} in pool {}, and this needs {}",
                     team.facts.name,
                     limited.held,
                     limited.limit,
                     limited.what,
                     demand.pool,
                     limited.wanted);
}

}  // namespace

std::string ExplainQuota(const State& state, const RunRecord& run, std::uint32_t index) {
  const TeamRecord* team = FindTeam(state, run.team);
  if (team == nullptr || run.plan == nullptr) return "";
  const Demand demand = PlaceOf(run, index).demand;
  const Amounts& one = demand.amounts;
  // All members of a step on several machines begin together.
  const std::int64_t others = run.plan->shape_of(index).machines - 1;
  const Amounts request = TimesOf(one, others + 1);
  Amounts held = team->use.held;
  held += TimesOf(one, others);
  const std::uint32_t user_steps = StepsOf(*team, run.submitter);
  const Limiting limiting =
      LimitingOf(team->facts, held, team->use.steps + others, user_steps + others, one);
  if (limiting == Limiting::kNothing) return ExplainQuotaIn(*team, demand, others + 1);
  if (limiting == Limiting::kUserSteps) {
    return fmt::format(
        "another step of {} to end: {} hold machines, as many as team {} allows "
        "each of its users",
        run.submitter.empty() ? "its user" : run.submitter,
        user_steps,
        run.team);
  }
  const Limited limited = LimitedOf(
      team->facts.quota, {team->use.held, team->use.steps}, request, others + 1, limiting);
  return fmt::format("its quota: team {} has {} of {} {} of its quota in use, and this needs {}",
                     run.team,
                     limited.held,
                     limited.limit,
                     limited.what,
                     limited.wanted);
}

std::string ExplainTurn(const State& state, const StepKey& step, absl::Time now) {
  const auto found = state.runs.find(step.run);
  if (found == state.runs.end() || step.index >= found->second.steps.size()) return "";
  const RunRecord& run = found->second;
  const QueuePlace place = PlaceOf(run, step.index);
  const TeamRecord* team = FindTeam(state, run.team);
  if (team == nullptr || !state.queued.Contains(place) || ParkedOf(run) != Parked::kNot) return "";
  const StepQueue::Level& level = state.queued.levels().at(place.priority);
  const StepQueue::Users& users = level.teams.at(run.team);
  std::string line;
  if (level.teams.size() > 1) {
    line = fmt::format("{} is {} of {} teams that wait with priority {}",
                       WordsForTeam(state, *team, now),
                       Ordinal(PlaceOfTeam(state, level, run.team, now)),
                       level.teams.size(),
                       place.priority);
  }
  if (users.size() > 1) {
    line += fmt::format("{}{} is {} of {} users of team {} that wait",
                        line.empty() ? "" : "; ",
                        run.submitter.empty() ? "who submitted it" : run.submitter,
                        Ordinal(PlaceOfUser(state, *team, users, run.submitter, now)),
                        users.size(),
                        run.team);
  }
  return line;
}

absl::Status CheckQuota(const State& state, const Plan& plan, const std::string& submitter) {
  const TeamRecord* team = FindTeam(state, TeamOf(state, submitter));
  if (team == nullptr || !IsLimited(team->facts)) return absl::OkStatus();
  std::set<const Step*> seen;  // steps of one definition ask for the same
  for (std::uint32_t i = 0; i < plan.submitted(); ++i) {
    const Step& step = plan.definition(i);
    if (!seen.insert(&step).second) continue;
    const std::string beyond = BeyondQuota(
        team->facts, step, plan.NameOf(i), plan.spec().settings.default_compute, std::nullopt);
    if (!beyond.empty()) return absl::FailedPreconditionError(beyond);
  }
  return absl::OkStatus();
}

absl::Status CheckQuotaIn(const State& state, const RunRecord& run, const std::string& pool) {
  const TeamRecord* team = FindTeam(state, run.team);
  if (team == nullptr || run.plan == nullptr || !IsLimited(team->facts)) return absl::OkStatus();
  std::set<const Step*> seen;
  for (std::uint32_t i = 0; i < run.plan->submitted(); ++i) {
    const Step& step = run.plan->definition(i);
    if (IsTerminal(run.steps[i].state()) || !seen.insert(&step).second) continue;
    const std::string beyond = BeyondQuota(team->facts, step, run.plan->NameOf(i), "", pool);
    if (!beyond.empty()) return absl::FailedPreconditionError(beyond);
  }
  return absl::OkStatus();
}

}  // namespace potok::server
