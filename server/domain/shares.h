// What teams and users hold and have held, and whose turn it is by that
// (docs/decisions/0039-shares-of-teams.md). Pure; one thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "server/domain/step_queue.h"
#include "server/domain/team.h"

namespace potok::server {

struct State;
struct RunRecord;

// What a team or user holds, and what it had.
struct Use {
  Amounts held;             // derived: of steps on machines
  std::uint32_t steps = 0;  // derived: on machines
  PastUse past;
};

// What steps on machines hold.
struct Held {
  Amounts amounts;
  std::uint32_t steps = 0;
  bool operator==(const Held&) const = default;
};

struct TeamRecord {
  TeamChanged facts;
  Use use;
  // Derived: of `use`, what steps hold that ask for each pool; those without any are left out.
  std::map<std::string, Held> in_pools;
  std::map<std::string, Use> users;  // those that hold something or did
  std::size_t runs = 0;              // derived: those that have not ended
};

// The team in which the user is.
const std::string& TeamOf(const State& state, const std::string& user);

// What is held on average up to `now`, where nothing has begun or ended since `use.past.at`.
PastUse PastAt(const Use& use, absl::Duration half_life, absl::Time now);

// The largest part of any resource of `total` that is held now, 0 to 1 (more, where machines have
// gone under what is held).
double ShareOf(const Amounts& held, const Amounts& total);

// What the order between teams and users goes by: the mean of the share that is held, `more`
// included, and of the one that was.
double ScoreOf(const Use& use,
               const Amounts& more,
               absl::Duration half_life,
               const Amounts& total,
               absl::Time now);

// True while the team has reached nothing of what it is guaranteed; false if that is nothing.
bool IsBelowGuaranteed(const TeamChanged& team, const Amounts& held);
// Likewise of what is guaranteed to it in the pool, where it holds `more` besides what it does.
bool IsBelowGuaranteedIn(const TeamRecord& team, const std::string& pool, const Amounts& more);

// What the team holds in the pool.
Held HeldIn(const TeamRecord& team, const std::string& pool);
// What is guaranteed to it there; nothing, too, where nothing is said of the pool.
Amounts GuaranteedIn(const TeamChanged& team, const std::string& pool);

// Which limit keeps a step of these amounts from being placed, if any; `held` and `steps` are those
// of the team, `user_steps` those of its user.
enum class Limiting { kNothing, kTeamSteps, kUserSteps, kMemory, kCpus, kGpus };
Limiting LimitingOf(const TeamChanged& team,
                    const Amounts& held,
                    std::int64_t steps,
                    std::int64_t user_steps,
                    const Amounts& request);
// Likewise of what the team may hold in the pool of the demand, where it holds `more` besides what
// it does.
Limiting LimitingIn(const TeamRecord& team, const Held& more, const Demand& demand);

// A step of the run begins to hold a machine, or has ended; for Apply.
void CountHeld(State& state, const RunRecord& run, const Resources& request);
void CountReleased(State& state, const RunRecord& run, const Resources& request);
// The same of the pool that it asks for.
void CountHeldIn(State& state,
                 const RunRecord& run,
                 const std::string& pool,
                 const Resources& request);
void CountReleasedIn(State& state,
                     const RunRecord& run,
                     const std::string& pool,
                     const Resources& request);
void ApplyTeamChanged(State& state, const TeamChanged& changed);
void ApplyTeamUsed(State& state, const TeamUsed& used);
// The machine's capacity counts, or not any more, of those of which shares are shares.
void CountMachine(State& state, const Resources& capacity, int sign);

// The record of the use that counts for the run, or nothing if its team needs none: as of `now`.
std::optional<TeamUsed> UseToNote(const State& state, const RunRecord& run, absl::Time now);

// So many queued steps wait for their team to end something, and so many of users for theirs.
// Costs the teams that have limits, their users and the sizes that those ask for.
std::size_t CountWaitingForQuota(const State& state);

}  // namespace potok::server
