// What people say of teams, and what is stored of their use.
#include <algorithm>
#include <cmath>
#include <utility>

#include "fmt/format.h"
#include "server/domain/pools.h"
#include "server/domain/team_pools.h"
#include "server/domain/turn.h"

namespace potok::server {

namespace {

constexpr double kWeightMin = 0.001;
constexpr double kWeightMax = 1000;
constexpr absl::Duration kHalfLifeMax = absl::Hours(24 * 3650);
constexpr std::size_t kTeamsMax = 10'000;
constexpr std::size_t kUsersMax = 10'000;  // of a team
constexpr std::size_t kNameMax = 63;
constexpr std::size_t kUserNameMax = 256;

bool IsTeamName(const std::string& name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  };
  return !name.empty() && name.size() <= kNameMax && name[0] != '-' && name[0] != '.' &&
         std::all_of(name.begin(), name.end(), fits);
}

// "1.5 CPUs", "16 GPUs": of an amount of one resource.
struct Named {
  const char* name;
  const char* option;  // what of the command line sets it, without --max- and --guaranteed-
  std::int64_t limit;
  std::int64_t guaranteed;
  double unit;  // that is one for people
};

std::vector<Named> AmountsWithNames(const TeamChanged& team) {
  const double gib = 1024.0 * 1024 * 1024;
  const Amounts& least = team.guaranteed;
  return {{"GiB of memory", "memory", team.quota.memory_bytes, least.memory_bytes, gib},
          {"CPUs", "cpus", team.quota.cpu_millis, least.cpu_millis, 1000},
          {"GPUs", "gpus", team.quota.gpu_millis, least.gpu_millis, 1000}};
}

absl::Status CheckWeight(const TeamChanged& team) {
  // Not a number is in no range.
  if (!(team.weight >= kWeightMin && team.weight <= kWeightMax)) {
    return absl::InvalidArgumentError(
        fmt::format("weight: {} is none for team {}; write a number from {} to {}",
                    team.weight,
                    team.name,
                    kWeightMin,
                    kWeightMax));
  }
  if (team.half_life < absl::ZeroDuration() || team.half_life > kHalfLifeMax) {
    return absl::InvalidArgumentError(fmt::format(
        "half-life: {} is none for team {}; write a time from 0 (only what is in use counts) to "
        "10 years, such as 7d",
        absl::FormatDuration(team.half_life),
        team.name));
  }
  return absl::OkStatus();
}

absl::Status CheckLimits(const TeamChanged& team) {
  for (const Named& one : AmountsWithNames(team)) {
    if (one.limit < kNoLimit || one.limit > kBytesMax || one.guaranteed < 0 ||
        one.guaranteed > kBytesMax) {
      return absl::InvalidArgumentError(
          fmt::format("the limits of team {}: {} may be 0 or more (--max-{} none: no limit)",
                      team.name,
                      one.name,
                      one.option));
    }
    if (one.limit == kNoLimit || one.guaranteed <= one.limit) continue;
    return absl::InvalidArgumentError(fmt::format(
        "team {} would be guaranteed {:g} {}, which is more than its limit of {:g}; raise "
        "--max-{} or lower --guaranteed-{}",
        team.name,
        static_cast<double>(one.guaranteed) / one.unit,
        one.name,
        static_cast<double>(one.limit) / one.unit,
        one.option,
        one.option));
  }
  for (const std::int64_t steps : {team.quota.running_steps, team.user_running_steps}) {
    if (steps >= kNoLimit && steps <= kNamedMax) continue;
    return absl::InvalidArgumentError(
        fmt::format("the limits of team {}: {} is no number of running steps; write 0 or more, or "
                    "none for no limit",
                    team.name,
                    steps));
  }
  return absl::OkStatus();
}

absl::Status CheckUsers(const State& state, const TeamChanged& team) {
  if (team.name == kDefaultTeam && !team.users.empty()) {
    return absl::InvalidArgumentError(
        fmt::format("everybody who is in no other team is in team {}; to put {} there, take it "
                    "out of the team that it is in",
                    team.name,
                    *team.users.begin()));
  }
  if (team.users.size() > kUsersMax) {
    return absl::InvalidArgumentError(fmt::format(
        "team {} would have {} users; at most {} go", team.name, team.users.size(), kUsersMax));
  }
  for (const std::string& user : team.users) {
    if (user.empty() || user.size() > kUserNameMax) {
      return absl::InvalidArgumentError(
          fmt::format("team {}: the name of a user has 1 to {} bytes", team.name, kUserNameMax));
    }
    const std::string& other = TeamOf(state, user);
    if (other == kDefaultTeam || other == team.name) continue;
    return absl::FailedPreconditionError(
        fmt::format("{0} is in team {1} and cannot be in team {2} too; first run: potok team "
                    "update -n {1} --remove-user {0}",
                    user,
                    other,
                    team.name));
  }
  return absl::OkStatus();
}

template <class T>
void SetGiven(const std::optional<T>& given, T* value) {
  if (given.has_value()) *value = *given;
}

absl::Status Edit(const TeamEdit& edit, TeamChanged* team) {
  SetGiven(edit.weight, &team->weight);
  SetGiven(edit.half_life, &team->half_life);
  SetGiven(edit.memory_bytes_max, &team->quota.memory_bytes);
  SetGiven(edit.cpu_millis_max, &team->quota.cpu_millis);
  SetGiven(edit.gpu_millis_max, &team->quota.gpu_millis);
  SetGiven(edit.running_steps_max, &team->quota.running_steps);
  SetGiven(edit.user_running_steps_max, &team->user_running_steps);
  SetGiven(edit.memory_bytes_guaranteed, &team->guaranteed.memory_bytes);
  SetGiven(edit.cpu_millis_guaranteed, &team->guaranteed.cpu_millis);
  SetGiven(edit.gpu_millis_guaranteed, &team->guaranteed.gpu_millis);
  for (const std::string& user : edit.remove_users) {
    if (team->users.erase(user) > 0) continue;
    return absl::NotFoundError(
        fmt::format("{} is not in team {}, so it was not changed; see: potok team show -n {}",
                    user,
                    team->name,
                    team->name));
  }
  team->users.insert(edit.add_users.begin(), edit.add_users.end());
  return absl::OkStatus();
}

bool IsMade(const State& state, const std::string& name) {
  return name == kDefaultTeam || state.teams.contains(name);
}

TeamChanged TeamFactsOf(const State& state, const std::string& name) {
  const auto found = state.teams.find(name);
  if (found != state.teams.end()) return found->second.facts;
  TeamChanged fresh;
  fresh.name = name;
  return fresh;
}

absl::Status CheckKind(const State& state, const TeamEdited& edited) {
  const bool is_made = IsMade(state, edited.name);
  if (edited.kind == TeamEdited::Kind::kCreate) {
    if (!IsTeamName(edited.name)) {
      return absl::InvalidArgumentError(
          fmt::format("'{}' cannot name a team; write 1 to {} of A-Z, a-z, 0-9, '_', '-' and '.', "
                      "beginning with a letter, digit or '_'",
                      edited.name,
                      kNameMax));
    }
    if (is_made) {
      return absl::AlreadyExistsError(fmt::format(
          "there is a team {0}; to change it run: potok team update -n {0}", edited.name));
    }
    if (state.teams.size() < kTeamsMax) return absl::OkStatus();
    return absl::FailedPreconditionError(fmt::format(
        "there are {} teams already; remove one with potok team delete", state.teams.size()));
  }
  if (is_made) return absl::OkStatus();
  return absl::NotFoundError(
      fmt::format("there is no team '{}'; potok team list shows those that are", edited.name));
}

absl::Status CheckRemoval(const State& state, const TeamChanged& team) {
  if (team.name == kDefaultTeam) {
    return absl::FailedPreconditionError(
        fmt::format("team {} is for everybody who is in no other and cannot be removed; potok team "
                    "update changes its limits",
                    team.name));
  }
  const auto found = state.teams.find(team.name);
  const std::size_t runs = found == state.teams.end() ? 0 : found->second.runs;
  if (runs == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(
      fmt::format("team {} has {} run{} that {} not ended; wait for {} or cancel {}",
                  team.name,
                  runs,
                  runs == 1 ? "" : "s",
                  runs == 1 ? "has" : "have",
                  runs == 1 ? "it" : "them",
                  runs == 1 ? "it" : "them"));
}

// The team as it is to be; an error changes nothing.
absl::StatusOr<TeamChanged> Edited(const Turn& turn, const TeamEdited& edited) {
  if (const absl::Status checked = CheckKind(turn.state, edited); !checked.ok()) return checked;
  TeamChanged team = TeamFactsOf(turn.state, edited.name);
  team.at = turn.now;
  if (edited.kind == TeamEdited::Kind::kDelete) {
    if (const absl::Status checked = CheckRemoval(turn.state, team); !checked.ok()) return checked;
    team.removed = true;
    return team;
  }
  if (const absl::Status done = Edit(edited.edit, &team); !done.ok()) return done;
  const absl::Status in_pools =
      EditPools(Pools(turn.state, turn.options), edited.edit.pools, &team);
  if (absl::IsNotFound(in_pools)) {
    const bool is_new = edited.kind == TeamEdited::Kind::kCreate;
    return absl::NotFoundError(fmt::format("{}; the team was not {}",
                                           std::string(in_pools.message()),
                                           is_new ? "created" : "changed"));
  }
  if (!in_pools.ok()) return in_pools;
  if (const absl::Status checked = CheckWeight(team); !checked.ok()) return checked;
  if (const absl::Status checked = CheckLimits(team); !checked.ok()) return checked;
  if (const absl::Status checked = CheckUsers(turn.state, team); !checked.ok()) return checked;
  return team;
}

// What was used until now counts by the old half-life, what follows by the new one.
void NoteAll(Turn& turn, const TeamRecord& team) {
  const absl::Time now = absl::FromUnixMicros(absl::ToUnixMicros(turn.now));
  const absl::Duration half_life = team.facts.half_life;
  std::vector<TeamUsed> all;
  for (const auto& [user, use] : team.users) {
    all.push_back(
        {team.facts.name, user, PastAt(team.use, half_life, now), PastAt(use, half_life, now)});
  }
  for (TeamUsed& used : all) Emit(turn, std::move(used));
}

}  // namespace

void EditTeam(Turn& turn, const TeamEdited& edited) {
  absl::StatusOr<TeamChanged> team = Edited(turn, edited);
  const absl::Status answer = team.status();
  if (team.ok()) {
    const auto known = turn.state.teams.find(edited.name);
    const bool counts_anew = known != turn.state.teams.end() && !team->removed &&
                             known->second.facts.half_life != team->half_life;
    if (counts_anew) NoteAll(turn, known->second);
    Emit(turn, *std::move(team));
  }
  turn.decision.effects.emplace_back(Answer{edited.reply, answer, edited.name});
}

void NoteUse(Turn& turn, const StepMoved& moved) {
  const auto found = turn.state.runs.find(moved.step.run);
  if (found == turn.state.runs.end() || moved.step.index >= found->second.steps.size()) return;
  const bool held = PlacementOf(found->second.steps[moved.step.index].state()) != nullptr;
  if (held == (PlacementOf(moved.state) != nullptr)) return;
  std::optional<TeamUsed> used = UseToNote(turn.state, found->second, turn.now);
  if (used.has_value()) Emit(turn, *std::move(used));
}

}  // namespace potok::server
