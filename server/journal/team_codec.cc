#include "server/journal/codec.h"
#include "server/journal/wire.h"

namespace potok::server {

namespace {

void ToWire(const PastUse& past, wire::PastUse* message) {
  message->set_memory_bytes(past.memory_bytes);
  message->set_cpu_millis(past.cpu_millis);
  message->set_gpu_millis(past.gpu_millis);
  message->set_at_us(absl::ToUnixMicros(past.at));
}

PastUse PastFromWire(const wire::PastUse& message) {
  return {message.memory_bytes(),
          message.cpu_millis(),
          message.gpu_millis(),
          absl::FromUnixMicros(message.at_us())};
}

void ToWire(const std::string& pool, const PoolShare& share, wire::PoolShare* message) {
  message->set_pool(pool);
  const Quota& quota = share.quota;
  if (quota.memory_bytes != kNoLimit) message->set_memory_bytes_max(quota.memory_bytes);
  if (quota.cpu_millis != kNoLimit) message->set_cpu_millis_max(quota.cpu_millis);
  if (quota.gpu_millis != kNoLimit) message->set_gpu_millis_max(quota.gpu_millis);
  if (quota.running_steps != kNoLimit) message->set_running_steps_max(quota.running_steps);
  message->set_memory_bytes_guaranteed(share.guaranteed.memory_bytes);
  message->set_cpu_millis_guaranteed(share.guaranteed.cpu_millis);
  message->set_gpu_millis_guaranteed(share.guaranteed.gpu_millis);
}

PoolShare ShareFromWire(const wire::PoolShare& message) {
  PoolShare share;
  Quota& quota = share.quota;
  if (message.has_memory_bytes_max()) quota.memory_bytes = message.memory_bytes_max();
  if (message.has_cpu_millis_max()) quota.cpu_millis = message.cpu_millis_max();
  if (message.has_gpu_millis_max()) quota.gpu_millis = message.gpu_millis_max();
  if (message.has_running_steps_max()) quota.running_steps = message.running_steps_max();
  share.guaranteed = {message.memory_bytes_guaranteed(),
                      message.cpu_millis_guaranteed(),
                      message.gpu_millis_guaranteed()};
  return share;
}

}  // namespace

void ToWire(const TeamChanged& team, wire::TeamChanged* message) {
  message->set_name(team.name);
  message->set_weight(team.weight);
  message->set_half_life_us(absl::ToInt64Microseconds(team.half_life));
  const Quota& quota = team.quota;
  if (quota.memory_bytes != kNoLimit) message->set_memory_bytes_max(quota.memory_bytes);
  if (quota.cpu_millis != kNoLimit) message->set_cpu_millis_max(quota.cpu_millis);
  if (quota.gpu_millis != kNoLimit) message->set_gpu_millis_max(quota.gpu_millis);
  if (quota.running_steps != kNoLimit) message->set_running_steps_max(quota.running_steps);
  if (team.user_running_steps != kNoLimit) {
    message->set_user_running_steps_max(team.user_running_steps);
  }
  message->set_memory_bytes_guaranteed(team.guaranteed.memory_bytes);
  message->set_cpu_millis_guaranteed(team.guaranteed.cpu_millis);
  message->set_gpu_millis_guaranteed(team.guaranteed.gpu_millis);
  for (const std::string& user : team.users) message->add_users(user);
  for (const auto& [pool, share] : team.pools) ToWire(pool, share, message->add_pools());
  message->set_removed(team.removed);
  message->set_at_us(absl::ToUnixMicros(team.at));
}

void FromWire(const wire::TeamChanged& message, TeamChanged* team) {
  team->name = message.name();
  team->weight = message.weight();
  team->half_life = absl::Microseconds(message.half_life_us());
  Quota& quota = team->quota;
  if (message.has_memory_bytes_max()) quota.memory_bytes = message.memory_bytes_max();
  if (message.has_cpu_millis_max()) quota.cpu_millis = message.cpu_millis_max();
  if (message.has_gpu_millis_max()) quota.gpu_millis = message.gpu_millis_max();
  if (message.has_running_steps_max()) quota.running_steps = message.running_steps_max();
  if (message.has_user_running_steps_max()) {
    team->user_running_steps = message.user_running_steps_max();
  }
  team->guaranteed = {message.memory_bytes_guaranteed(),
                      message.cpu_millis_guaranteed(),
                      message.gpu_millis_guaranteed()};
  team->users = {message.users().begin(), message.users().end()};
  for (const wire::PoolShare& share : message.pools()) {
    team->pools[share.pool()] = ShareFromWire(share);
  }
  team->removed = message.removed();
  team->at = absl::FromUnixMicros(message.at_us());
}

void ToWire(const TeamUsed& used, wire::TeamUsed* message) {
  message->set_team(used.team);
  message->set_user(used.user);
  ToWire(used.of_team, message->mutable_of_team());
  ToWire(used.of_user, message->mutable_of_user());
}

void FromWire(const wire::TeamUsed& message, TeamUsed* used) {
  used->team = message.team();
  used->user = message.user();
  used->of_team = PastFromWire(message.of_team());
  used->of_user = PastFromWire(message.of_user());
}

std::string EncodeTeamChanged(const TeamChanged& team) {
  wire::TeamChanged message;
  ToWire(team, &message);
  return message.SerializeAsString();
}

absl::StatusOr<TeamChanged> DecodeTeamChanged(const std::string& bytes) {
  wire::TeamChanged message;
  if (!message.ParseFromString(bytes)) return absl::DataLossError("the bytes are no team");
  TeamChanged team;
  FromWire(message, &team);
  return team;
}

std::string EncodeTeamUsed(const TeamUsed& used) {
  wire::TeamUsed message;
  ToWire(used, &message);
  return message.SerializeAsString();
}

absl::StatusOr<TeamUsed> DecodeTeamUsed(const std::string& bytes) {
  wire::TeamUsed message;
  if (!message.ParseFromString(bytes)) {
    return absl::DataLossError("the bytes are no use of a team");
  }
  TeamUsed used;
  FromWire(message, &used);
  return used;
}

}  // namespace potok::server
