#include "server/rpc/teams_service.h"

#include <algorithm>
#include <future>
#include <memory>
#include <utility>

#include "absl/time/clock.h"
#include "common/base/status_macros.h"
#include "common/rpc/status.h"
#include "fmt/format.h"
#include "server/rpc/team_convert.h"

namespace potok::server {

namespace {

constexpr absl::Duration kTeamAnswerWait = absl::Seconds(30);

// Of what was held on average; nothing where the past does not count.
double PastShareOf(const Use& use, absl::Duration half_life, const State& state, absl::Time now) {
  if (half_life <= absl::ZeroDuration()) return 0;
  const PastUse past = PastAt(use, half_life, now);
  return ShareOf({static_cast<std::int64_t>(past.memory_bytes),
                  static_cast<std::int64_t>(past.cpu_millis),
                  static_cast<std::int64_t>(past.gpu_millis)},
                 state.living);
}

std::int64_t QueuedStepsOf(const State& state, const std::string& team) {
  std::size_t count = 0;
  for (const auto& [priority, level] : state.queued.levels()) {
    const auto found = level.teams.find(team);
    if (found == level.teams.end()) continue;
    for (const auto& [user, groups] : found->second) {
      for (const auto& [request, group] : groups) count += group.steps;
    }
  }
  return static_cast<std::int64_t>(count);
}

void LimitsToProto(const TeamChanged& facts, v1::Team* out) {
  const Quota& quota = facts.quota;
  if (quota.memory_bytes != kNoLimit) out->set_memory_bytes_max(quota.memory_bytes);
  if (quota.cpu_millis != kNoLimit) out->set_cpu_millis_max(quota.cpu_millis);
  if (quota.gpu_millis != kNoLimit) out->set_gpu_millis_max(quota.gpu_millis);
  if (quota.running_steps != kNoLimit) out->set_running_steps_max(quota.running_steps);
  if (facts.user_running_steps != kNoLimit) {
    out->set_user_running_steps_max(facts.user_running_steps);
  }
  AmountsToProto(facts.guaranteed, out->mutable_guaranteed());
}

v1::Team TeamToProto(const TeamRecord& team, const State& state, absl::Time now) {
  v1::Team out;
  const TeamChanged& facts = team.facts;
  out.set_name(facts.name);
  out.set_weight(facts.weight);
  out.set_half_life_us(absl::ToInt64Microseconds(facts.half_life));
  LimitsToProto(facts, &out);
  for (const std::string& user : facts.users) out.add_users(user);
  AmountsToProto(team.use.held, out.mutable_held());
  out.set_running_steps(team.use.steps);
  out.set_queued_steps(QueuedStepsOf(state, facts.name));
  out.set_runs(static_cast<std::int64_t>(team.runs));
  out.set_share(ShareOf(team.use.held, state.living));
  out.set_past_share(PastShareOf(team.use, facts.half_life, state, now));
  AmountsToProto(state.living, out.mutable_machines());
  for (const std::string& pool : PoolsOf(team)) *out.add_pools() = InPoolToProto(team, pool);
  for (const auto& [name, use] : team.users) {
    v1::UserOfTeam& user = *out.add_active();
    user.set_name(name);
    AmountsToProto(use.held, user.mutable_held());
    user.set_running_steps(use.steps);
    user.set_share(ShareOf(use.held, state.living));
    user.set_past_share(PastShareOf(use, facts.half_life, state, now));
  }
  return out;
}

std::vector<v1::Team> TeamsToProto(const State& state, absl::Time now) {
  std::vector<v1::Team> teams;
  teams.reserve(state.teams.size() + 1);
  for (const auto& [name, team] : state.teams) teams.push_back(TeamToProto(team, state, now));
  if (!state.teams.contains(kDefaultTeam)) {
    TeamRecord everybody;
    everybody.facts.name = kDefaultTeam;
    teams.push_back(TeamToProto(everybody, state, now));
    std::ranges::sort(teams, {}, [](const v1::Team& team) { return team.name(); });
  }
  return teams;
}

// What may be said of a team over all pools and in one of them, as far as it is said.
template <class Request, class Edit>
void ReadQuota(const Request& request, Edit& edit) {
  if (request.has_memory_bytes_max()) edit.memory_bytes_max = request.memory_bytes_max();
  if (request.has_cpu_millis_max()) edit.cpu_millis_max = request.cpu_millis_max();
  if (request.has_gpu_millis_max()) edit.gpu_millis_max = request.gpu_millis_max();
  if (request.has_running_steps_max()) edit.running_steps_max = request.running_steps_max();
  if (request.has_memory_bytes_guaranteed()) {
    edit.memory_bytes_guaranteed = request.memory_bytes_guaranteed();
  }
  if (request.has_cpu_millis_guaranteed()) {
    edit.cpu_millis_guaranteed = request.cpu_millis_guaranteed();
  }
  if (request.has_gpu_millis_guaranteed()) {
    edit.gpu_millis_guaranteed = request.gpu_millis_guaranteed();
  }
}

PoolShareEdit PoolEditOf(const v1::EditTeamInPool& request) {
  PoolShareEdit edit;
  edit.pool = request.pool();
  ReadQuota(request, edit);
  return edit;
}

TeamEdit EditOf(const v1::EditTeamRequest& request) {
  TeamEdit edit;
  if (request.has_weight()) edit.weight = request.weight();
  if (request.has_half_life_us()) edit.half_life = absl::Microseconds(request.half_life_us());
  ReadQuota(request, edit);
  if (request.has_user_running_steps_max()) {
    edit.user_running_steps_max = request.user_running_steps_max();
  }
  edit.add_users = {request.add_users().begin(), request.add_users().end()};
  for (const v1::EditTeamInPool& pool : request.pools()) edit.pools.push_back(PoolEditOf(pool));
  edit.remove_users = {request.remove_users().begin(), request.remove_users().end()};
  return edit;
}

}  // namespace

absl::StatusOr<std::vector<v1::Team>> TeamsService::Teams() {
  auto promise = std::make_shared<std::promise<std::vector<v1::Team>>>();
  std::future<std::vector<v1::Team>> answer = promise->get_future();
  const bool asked = scheduler_.Ask([promise, now = absl::Now()](const State& state) {
    promise->set_value(TeamsToProto(state, now));
  });
  if (!asked || answer.wait_for(std::chrono::seconds(10)) != std::future_status::ready) {
    return absl::UnavailableError(
        "the scheduler does not answer (its database may be away, or the server is stopping); try "
        "again");
  }
  return answer.get();
}

absl::StatusOr<v1::Team> TeamsService::Find(const std::string& name) {
  POTOK_ASSIGN_OR_RETURN(std::vector<v1::Team> teams, Teams());
  const auto found =
      std::ranges::find_if(teams, [&](const v1::Team& team) { return team.name() == name; });
  if (found != teams.end()) return std::move(*found);
  return absl::NotFoundError(
      fmt::format("there is no team '{}'; potok team list shows those that are", name));
}

absl::Status TeamsService::Order(TeamEdited edited) {
  Replies::Pending pending = replies_.Expect();
  edited.reply = pending.token;
  if (!scheduler_.Post(std::move(edited))) {
    return absl::ResourceExhaustedError(
        "the server has too much to do; try again in a few seconds");
  }
  return replies_.Wait(std::move(pending), kTeamAnswerWait).status();
}

grpc::Status TeamsService::List(grpc::ServerContext* /*context*/,
                                const v1::ListTeamsRequest* /*request*/,
                                v1::ListTeamsResponse* response) {
  auto teams = Teams();
  if (!teams.ok()) return ToGrpc(teams.status());
  for (v1::Team& team : *teams) *response->add_teams() = std::move(team);
  return grpc::Status::OK;
}

grpc::Status TeamsService::Get(grpc::ServerContext* /*context*/,
                               const v1::GetTeamRequest* request,
                               v1::Team* response) {
  auto team = Find(request->name());
  if (!team.ok()) return ToGrpc(team.status());
  *response = *std::move(team);
  return grpc::Status::OK;
}

grpc::Status TeamsService::Create(grpc::ServerContext* context,
                                  const v1::EditTeamRequest* request,
                                  v1::Team* response) {
  const absl::Status done =
      Order({0, TeamEdited::Kind::kCreate, request->name(), EditOf(*request)});
  if (!done.ok()) return ToGrpc(done);
  v1::GetTeamRequest get;
  get.set_name(request->name());
  return Get(context, &get, response);
}

grpc::Status TeamsService::Update(grpc::ServerContext* context,
                                  const v1::EditTeamRequest* request,
                                  v1::Team* response) {
  const absl::Status done =
      Order({0, TeamEdited::Kind::kUpdate, request->name(), EditOf(*request)});
  if (!done.ok()) return ToGrpc(done);
  v1::GetTeamRequest get;
  get.set_name(request->name());
  return Get(context, &get, response);
}

grpc::Status TeamsService::Delete(grpc::ServerContext* /*context*/,
                                  const v1::DeleteTeamRequest* request,
                                  v1::DeleteTeamResponse* /*response*/) {
  return ToGrpc(Order({0, TeamEdited::Kind::kDelete, request->name(), {}}));
}

}  // namespace potok::server
