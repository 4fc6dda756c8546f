#include "server/rpc/pools_service.h"

#include <algorithm>
#include <future>
#include <utility>

#include "common/base/status_macros.h"
#include "common/pipeline/label_expression.h"
#include "common/rpc/pipeline_convert.h"
#include "common/rpc/status.h"
#include "fmt/format.h"
#include "server/domain/pools.h"
#include "server/rpc/convert.h"
#include "server/rpc/team_convert.h"

namespace potok::server {

namespace {

constexpr std::size_t kPoolNameMax = 63;
constexpr std::size_t kDocumentMax = std::size_t{64} << 10;  // bytes
constexpr std::size_t kPutterMax = 255;                      // bytes
// Shorter ones would end steps for a short silence, and longer ones are for ever to whoever waits.
constexpr absl::Duration kLeaseMin = absl::Minutes(1);
constexpr absl::Duration kLeaseMax = absl::Hours(30 * 24);
constexpr absl::Duration kPutWait = absl::Seconds(30);
constexpr const char* kReservedNames[] = {kServerless, "local"};

bool IsOfPoolName(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == '-';
}

absl::Status CheckPoolName(const std::string& name) {
  const bool fits = !name.empty() && name.size() <= kPoolNameMax && name.front() != '-' &&
                    name.front() != '.' && name.front() != '_' &&
                    std::ranges::all_of(name, IsOfPoolName);
  if (!fits) {
    return absl::InvalidArgumentError(fmt::format(
        "'{}' is no name for a pool: use 1 to {} letters, digits, '_', '.' and '-', and begin with "
        "a letter or digit",
        name.substr(0, 100),
        kPoolNameMax));
  }
  if (std::ranges::find(kReservedNames, name) == std::end(kReservedNames)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("'{}' always means the default pool; choose another name, or '{}' to say "
                  "something of that pool",
                  name,
                  kDefaultPool));
}

// A limit as it was said; INVALID_ARGUMENT if it is below zero.
template <class Number>
absl::Status ReadLimit(bool is_set, Number value, const char* what, std::optional<Number>* limit) {
  if (!is_set) return absl::OkStatus();
  if (value < 0) {
    return absl::InvalidArgumentError(fmt::format("limits.{} is {}; give 0 or more", what, value));
  }
  *limit = value;
  return absl::OkStatus();
}

absl::StatusOr<PoolLimits> LimitsOf(const v1::PoolLimits& limits) {
  PoolLimits out;
  POTOK_RETURN_IF_ERROR(ReadLimit(
      limits.has_running_steps(), limits.running_steps(), "running_steps", &out.running_steps));
  POTOK_RETURN_IF_ERROR(
      ReadLimit(limits.has_cpu_millis(), limits.cpu_millis(), "cpus", &out.cpu_millis));
  POTOK_RETURN_IF_ERROR(
      ReadLimit(limits.has_memory_bytes(), limits.memory_bytes(), "memory", &out.memory_bytes));
  POTOK_RETURN_IF_ERROR(
      ReadLimit(limits.has_gpu_millis(), limits.gpu_millis(), "gpus", &out.gpu_millis));
  return out;
}

// 0 is for ever.
absl::StatusOr<absl::Duration> LeaseOf(std::int64_t lease_ms) {
  if (lease_ms == 0) return absl::InfiniteDuration();
  const absl::Duration lease = absl::Milliseconds(lease_ms);
  if (lease >= kLeaseMin && lease <= kLeaseMax) return lease;
  return absl::InvalidArgumentError(
      fmt::format("lease_ms is {}; give {} (1 minute) to {} (30 days), or 0 for ever",
                  lease_ms,
                  absl::ToInt64Milliseconds(kLeaseMin),
                  absl::ToInt64Milliseconds(kLeaseMax)));
}

// As it reads best.
absl::StatusOr<std::string> SelectorOf(const v1::PutPoolRequest& request) {
  const absl::StatusOr<LabelExpression> selector = LabelExpression::Parse(request.selector());
  if (selector.ok()) return selector->text();
  return absl::InvalidArgumentError(
      fmt::format("the selector of pool '{}' is no expression over labels: {}",
                  request.name(),
                  std::string(selector.status().message())));
}

PoolImages ImagesFromProto(v1::PoolImages images) {
  if (images == v1::POOL_IMAGES_CONTAINER) return PoolImages::kContainer;
  return images == v1::POOL_IMAGES_HOST ? PoolImages::kHost : PoolImages::kAsAgents;
}
v1::PoolImages ImagesToProto(PoolImages images) {
  if (images == PoolImages::kContainer) return v1::POOL_IMAGES_CONTAINER;
  return images == PoolImages::kHost ? v1::POOL_IMAGES_HOST : v1::POOL_IMAGES_UNSPECIFIED;
}

absl::StatusOr<PoolPut> EventOf(const v1::PutPoolRequest& request) {
  POTOK_RETURN_IF_ERROR(CheckPoolName(request.name()));
  if (request.document().size() > kDocumentMax || request.by().size() > kPutterMax) {
    return absl::InvalidArgumentError(
        fmt::format("pool '{}': its document takes up to {} bytes", request.name(), kDocumentMax));
  }
  PoolPut event;
  event.name = request.name();
  POTOK_ASSIGN_OR_RETURN(event.selector, SelectorOf(request));
  if (event.name == kDefaultPool && !event.selector.empty()) {
    return absl::InvalidArgumentError(
        "the default pool has the machines that are in no pool of their own, so it takes no "
        "selector; leave it out, or choose another name");
  }
  POTOK_ASSIGN_OR_RETURN(event.limits, LimitsOf(request.limits()));
  event.document = request.document();
  event.by = request.by();
  event.must_exist = request.must_exist();
  event.preemption = request.preemption() == v1::POOL_PREEMPTION_GUARANTEED;
  event.low_priority = request.low_priority();
  event.spread = request.placement() == v1::POOL_PLACEMENT_SPREAD;
  if (request.has_lease_ms()) {
    POTOK_ASSIGN_OR_RETURN(event.lease, LeaseOf(request.lease_ms()));
  }
  event.images = ImagesFromProto(request.images());
  return event;
}

void FillRegistered(const PoolChanged& pool, v1::Pool* out) {
  out->set_selector(pool.selector);
  v1::PoolLimits& limits = *out->mutable_limits();
  if (pool.limits.running_steps) limits.set_running_steps(*pool.limits.running_steps);
  if (pool.limits.cpu_millis) limits.set_cpu_millis(*pool.limits.cpu_millis);
  if (pool.limits.memory_bytes) limits.set_memory_bytes(*pool.limits.memory_bytes);
  if (pool.limits.gpu_millis) limits.set_gpu_millis(*pool.limits.gpu_millis);
  out->set_document(pool.document);
  out->set_by(pool.by);
  out->set_created_us(absl::ToUnixMicros(pool.created));
  out->set_modified_us(absl::ToUnixMicros(pool.at));
  out->set_preemption(pool.preemption ? v1::POOL_PREEMPTION_GUARANTEED : v1::POOL_PREEMPTION_OFF);
  out->set_low_priority(pool.low_priority);
  out->set_placement(pool.spread ? v1::POOL_PLACEMENT_SPREAD : v1::POOL_PLACEMENT_PACK);
  if (pool.lease.has_value()) out->set_lease_ms(LeaseMs(*pool.lease));
  out->set_images(ImagesToProto(pool.images));
}

v1::Pool PoolMessage(const State& state, const Pools& pools, const std::string& name) {
  v1::Pool out;
  out.set_name(name);
  out.set_origin(v1::POOL_ORIGIN_BUILT_IN);
  out.set_preemption(v1::POOL_PREEMPTION_OFF);
  out.set_placement(v1::POOL_PLACEMENT_PACK);
  if (pools.IsDeclared(name)) out.set_origin(v1::POOL_ORIGIN_DECLARED);
  const PoolChanged* registered = pools.Registered(name);
  // Of the default pool it is not said under its other names.
  if (registered != nullptr && registered->name == name) {
    out.set_origin(v1::POOL_ORIGIN_REGISTERED);
    FillRegistered(*registered, &out);
  }
  const std::string resolved = pools.Resolve(name);
  for (const auto& [id, machine] : state.machines) {
    const bool gone = machine.facts.liveness == Liveness::kGone || machine.facts.name.empty();
    if (!gone && pools.Holds(machine, resolved)) out.add_machines(machine.facts.name);
  }
  for (const auto& [team_name, team] : state.teams) {
    if (PoolsOf(team).contains(PoolCounted(name))) *out.add_teams() = InPoolToProto(team, name);
  }
  const auto own = state.pool_use.find(name == kServerless ? "" : name);
  PoolUse use = own == state.pool_use.end() ? PoolUse{} : own->second;
  if (name == kDefaultPool) use = pools.UseOf(name);
  if (use.steps == 0) return out;
  out.set_running_steps(use.steps);
  *out.mutable_used() = potok::ToProto(use.resources);
  return out;
}

absl::StatusOr<std::vector<v1::Pool>> PoolsOf(const State& state,
                                              const DecideOptions& options,
                                              const std::string& name) {
  const Pools pools(state, options);
  const std::vector<std::string> names = pools.Names();
  if (!name.empty() && std::ranges::find(names, name) == names.end()) {
    return absl::NotFoundError(NoSuchPool(pools, name));
  }
  std::vector<v1::Pool> out;
  for (const std::string& one : names) {
    if (name.empty() || one == name) out.push_back(PoolMessage(state, pools, one));
  }
  return out;
}

}  // namespace

absl::StatusOr<std::vector<v1::Pool>> PoolsService::AskPools(const std::string& name) {
  auto promise = std::make_shared<std::promise<absl::StatusOr<std::vector<v1::Pool>>>>();
  auto answer = promise->get_future();
  const bool asked = scheduler_.Ask([promise, name, options = options_](const State& state) {
    promise->set_value(PoolsOf(state, options, name));
  });
  if (!asked || answer.wait_for(std::chrono::seconds(10)) != std::future_status::ready) {
    return absl::UnavailableError(
        "the scheduler does not answer (its database may be away, or the server is stopping); try "
        "again");
  }
  return answer.get();
}

absl::StatusOr<std::string> PoolsService::Decide(Event event, Replies::Pending pending) {
  if (!scheduler_.Post(std::move(event))) {
    return absl::ResourceExhaustedError(
        "the server has too much to do; try again in a few seconds");
  }
  return replies_.Wait(std::move(pending), kPutWait);
}

grpc::Status PoolsService::Put(grpc::ServerContext* /*context*/,
                               const v1::PutPoolRequest* request,
                               v1::PutPoolResponse* response) {
  auto event = EventOf(*request);
  if (!event.ok()) return ToGrpc(event.status());
  Replies::Pending pending = replies_.Expect();
  event->reply = pending.token;
  const auto decided = Decide(*std::move(event), std::move(pending));
  if (!decided.ok()) return ToGrpc(decided.status());
  auto pools = AskPools(request->name());
  if (!pools.ok()) return ToGrpc(pools.status());
  *response->mutable_pool() = std::move(pools->front());
  response->set_created(*decided == "created");
  return grpc::Status::OK;
}

grpc::Status PoolsService::Get(grpc::ServerContext* /*context*/,
                               const v1::GetPoolRequest* request,
                               v1::Pool* response) {
  if (request->name().empty()) {
    return ToGrpc(absl::InvalidArgumentError("name is that of a pool; List says which there are"));
  }
  auto pools = AskPools(request->name());
  if (!pools.ok()) return ToGrpc(pools.status());
  *response = std::move(pools->front());
  return grpc::Status::OK;
}

grpc::Status PoolsService::List(grpc::ServerContext* /*context*/,
                                const v1::ListPoolsRequest* /*request*/,
                                v1::ListPoolsResponse* response) {
  auto pools = AskPools("");
  if (!pools.ok()) return ToGrpc(pools.status());
  for (v1::Pool& pool : *pools) *response->add_pools() = std::move(pool);
  return grpc::Status::OK;
}

grpc::Status PoolsService::Delete(grpc::ServerContext* /*context*/,
                                  const v1::DeletePoolRequest* request,
                                  v1::DeletePoolResponse* /*response*/) {
  Replies::Pending pending = replies_.Expect();
  PoolDeleted event{pending.token, request->name()};
  return ToGrpc(Decide(std::move(event), std::move(pending)).status());
}

}  // namespace potok::server
