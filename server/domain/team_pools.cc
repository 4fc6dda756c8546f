#include "server/domain/team_pools.h"

#include <algorithm>
#include <iterator>

#include "fmt/format.h"

namespace potok::server {

namespace {

constexpr std::size_t kPoolsOfTeamMax = 1000;

template <class T>
void SetIfGiven(const std::optional<T>& given, T* value) {
  if (given.has_value()) *value = *given;
}

void EditShare(const PoolShareEdit& edit, PoolShare* share) {
  SetIfGiven(edit.memory_bytes_max, &share->quota.memory_bytes);
  SetIfGiven(edit.cpu_millis_max, &share->quota.cpu_millis);
  SetIfGiven(edit.gpu_millis_max, &share->quota.gpu_millis);
  SetIfGiven(edit.running_steps_max, &share->quota.running_steps);
  SetIfGiven(edit.memory_bytes_guaranteed, &share->guaranteed.memory_bytes);
  SetIfGiven(edit.cpu_millis_guaranteed, &share->guaranteed.cpu_millis);
  SetIfGiven(edit.gpu_millis_guaranteed, &share->guaranteed.gpu_millis);
}

// One resource of a team in a pool.
struct InPool {
  const char* name;
  std::int64_t limit;
  std::int64_t of_team;  // its limit over all pools
  std::int64_t guaranteed;
  double unit;  // that is one for people
};

std::vector<InPool> AmountsIn(const TeamChanged& team, const PoolShare& share) {
  constexpr double kGib = 1024.0 * 1024 * 1024;
  const Quota& quota = share.quota;
  const Amounts& least = share.guaranteed;
  return {{"GiB of memory", quota.memory_bytes, team.quota.memory_bytes, least.memory_bytes, kGib},
          {"CPUs", quota.cpu_millis, team.quota.cpu_millis, least.cpu_millis, 1000},
          {"GPUs", quota.gpu_millis, team.quota.gpu_millis, least.gpu_millis, 1000}};
}

absl::Status CheckRange(const std::string& team,
                        const std::string& pool,
                        const char* name,
                        std::int64_t limit,
                        std::int64_t guaranteed,
                        std::int64_t most) {
  if (limit >= kNoLimit && limit <= most && guaranteed >= 0 && guaranteed <= most) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      fmt::format("what team {} may have in pool {}: {} may be 0 or more, within reason; the team "
                  "was not changed",
                  team,
                  pool,
                  name));
}

absl::Status CheckShare(const TeamChanged& team, const std::string& pool, const PoolShare& share) {
  const absl::Status steps =
      CheckRange(team.name, pool, "running steps", share.quota.running_steps, 0, kNamedMax);
  if (!steps.ok()) return steps;
  for (const InPool& one : AmountsIn(team, share)) {
    const absl::Status checked =
        CheckRange(team.name, pool, one.name, one.limit, one.guaranteed, kBytesMax);
    if (!checked.ok()) return checked;
    const bool is_beyond_pool = one.limit != kNoLimit && one.guaranteed > one.limit;
    const bool is_beyond_all = one.of_team != kNoLimit && one.guaranteed > one.of_team;
    if (!is_beyond_pool && !is_beyond_all) continue;
    return absl::InvalidArgumentError(fmt::format(
        "team {} would be guaranteed {:g} {} in pool {}, which is more than its limit of {:g}{}; "
        "raise that or lower --pool-guaranteed",
        team.name,
        static_cast<double>(one.guaranteed) / one.unit,
        one.name,
        pool,
        static_cast<double>(is_beyond_pool ? one.limit : one.of_team) / one.unit,
        is_beyond_pool ? " there" : " over all pools"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status EditPools(const Pools& pools,
                       const std::vector<PoolShareEdit>& edits,
                       TeamChanged* team) {
  for (const PoolShareEdit& edit : edits) {
    const std::string pool = PoolCounted(edit.pool);
    EditShare(edit, &team->pools[pool]);
    if (team->pools[pool] == PoolShare{}) {
      team->pools.erase(pool);
    } else if (!pools.Knows(pool)) {
      return absl::NotFoundError(NoSuchPool(pools, edit.pool));
    }
  }
  if (team->pools.size() > kPoolsOfTeamMax) {
    return absl::InvalidArgumentError(
        fmt::format("team {} would have a say in {} pools; at most {} go",
                    team->name,
                    team->pools.size(),
                    kPoolsOfTeamMax));
  }
  // Those too that were not edited: the limit over all pools may have been lowered.
  for (const auto& [pool, share] : team->pools) {
    const absl::Status checked = CheckShare(*team, pool, share);
    if (!checked.ok()) return checked;
  }
  return absl::OkStatus();
}

}  // namespace potok::server
