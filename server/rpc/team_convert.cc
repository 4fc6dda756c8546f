#include "server/rpc/team_convert.h"

namespace potok::server {

void AmountsToProto(const Amounts& amounts, v1::Amounts* out) {
  out->set_memory_bytes(amounts.memory_bytes);
  out->set_cpu_millis(amounts.cpu_millis);
  out->set_gpu_millis(amounts.gpu_millis);
}

std::set<std::string> PoolsOf(const TeamRecord& team) {
  std::set<std::string> pools;
  for (const auto& [pool, share] : team.facts.pools) pools.insert(pool);
  for (const auto& [pool, held] : team.in_pools) pools.insert(pool);
  return pools;
}

v1::TeamInPool InPoolToProto(const TeamRecord& team, const std::string& pool) {
  v1::TeamInPool out;
  out.set_team(team.facts.name);
  out.set_pool(PoolCounted(pool));
  const auto found = team.facts.pools.find(PoolCounted(pool));
  const Quota quota = found == team.facts.pools.end() ? Quota{} : found->second.quota;
  if (quota.memory_bytes != kNoLimit) out.set_memory_bytes_max(quota.memory_bytes);
  if (quota.cpu_millis != kNoLimit) out.set_cpu_millis_max(quota.cpu_millis);
  if (quota.gpu_millis != kNoLimit) out.set_gpu_millis_max(quota.gpu_millis);
  if (quota.running_steps != kNoLimit) out.set_running_steps_max(quota.running_steps);
  AmountsToProto(GuaranteedIn(team.facts, pool), out.mutable_guaranteed());
  const Held held = HeldIn(team, pool);
  AmountsToProto(held.amounts, out.mutable_held());
  out.set_running_steps(held.steps);
  return out;
}

}  // namespace potok::server
