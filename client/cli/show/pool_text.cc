#include "client/cli/show/pool_text.h"

#include "client/cli/show/lease_text.h"
#include "client/cli/show/object_values.h"
#include "client/cli/show/resources_object.h"
#include "client/cli/show/team_text.h"
#include "common/base/resources.h"
#include "fmt/format.h"
#include "fmt/ranges.h"

namespace potok::client {
namespace {

const char* NameOfOrigin(v1::PoolOrigin origin) {
  switch (origin) {
    case v1::POOL_ORIGIN_REGISTERED:
      return "registered";
    case v1::POOL_ORIGIN_BUILT_IN:
      return "built-in";
    case v1::POOL_ORIGIN_DECLARED:
      return "declared";
    default:
      return "unknown";
  }
}

double Thousandths(std::int32_t millis) {
  return static_cast<double>(millis) / 1000.0;
}

Value LimitsObject(const v1::PoolLimits& limits) {
  Object object;
  if (limits.has_running_steps()) object.emplace_back("running_steps", limits.running_steps());
  if (limits.has_cpu_millis()) object.emplace_back("cpus", Thousandths(limits.cpu_millis()));
  if (limits.has_memory_bytes()) object.emplace_back("memory_bytes", limits.memory_bytes());
  if (limits.has_gpu_millis()) object.emplace_back("gpus", Thousandths(limits.gpu_millis()));
  return Value(std::move(object));
}

Object PoolDocument(const v1::Pool& pool) {
  if (pool.document().empty()) return {};
  const absl::StatusOr<Value> document = ParseJson(pool.document());
  if (!document.ok() || document->AsObject() == nullptr) return {};
  return *document->AsObject();
}

const char* PreemptionText(const v1::Pool& pool) {
  return pool.preemption() == v1::POOL_PREEMPTION_GUARANTEED ? "guaranteed" : "off";
}

const char* PlacementText(const v1::Pool& pool) {
  return pool.placement() == v1::POOL_PLACEMENT_SPREAD ? "spread" : "pack";
}

std::string ImagesText(const v1::Pool& pool) {
  if (pool.images() == v1::POOL_IMAGES_CONTAINER) return "container";
  return pool.images() == v1::POOL_IMAGES_HOST ? "host" : "";
}

Value TimeOrNull(std::int64_t unix_us) {
  return unix_us == 0 ? Value() : Value(IsoTime(unix_us));
}

}  // namespace

std::string LimitsText(const v1::PoolLimits& limits) {
  std::vector<std::string> parts;
  if (limits.has_running_steps()) parts.push_back(fmt::format("{} steps", limits.running_steps()));
  if (limits.has_cpu_millis()) {
    parts.push_back(fmt::format("{:g} CPUs", Thousandths(limits.cpu_millis())));
  }
  if (limits.has_memory_bytes()) parts.push_back(FormatBytes(limits.memory_bytes()));
  if (limits.has_gpu_millis()) {
    parts.push_back(fmt::format("{} GPUs", FormatGpus(limits.gpu_millis())));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

Value PoolObject(const v1::Pool& pool) {
  Object object = {{"name", pool.name()}, {"provisioning_state", "Succeeded"}};
  for (Member& member : PoolDocument(pool)) object.push_back(std::move(member));
  Array machines;
  for (const std::string& machine : pool.machines()) machines.emplace_back(machine);
  object.emplace_back("origin", NameOfOrigin(pool.origin()));
  object.emplace_back("selector", pool.selector());
  object.emplace_back("limits", LimitsObject(pool.limits()));
  object.emplace_back("preemption", PreemptionText(pool));
  object.emplace_back("placement", PlacementText(pool));
  object.emplace_back("lease", pool.has_lease_ms() ? Value(LeaseText(pool.lease_ms())) : Value());
  object.emplace_back("images", TextOrNull(ImagesText(pool)));
  object.emplace_back("machines", std::move(machines));
  object.emplace_back("running_steps", pool.running_steps());
  object.emplace_back("used", ResourcesObject(pool.used()));
  object.emplace_back("teams", InPoolValue(pool.teams(), InPool::kTeam));
  object.emplace_back("created_at", TimeOrNull(pool.created_us()));
  object.emplace_back("modified_at", TimeOrNull(pool.modified_us()));
  object.emplace_back("modified_by", pool.by().empty() ? Value() : Value(pool.by()));
  return Value(std::move(object));
}

std::string PoolText(const v1::Pool& pool, const TableStyle& style) {
  std::string text = PoolTable({pool}, style);
  if (pool.has_lease_ms()) text += fmt::format("Lease: {}\n", LeaseText(pool.lease_ms()));
  const std::string images = ImagesText(pool);
  if (!images.empty()) text += fmt::format("Images: {}\n", images);
  return pool.teams().empty() ? text : text + InPoolTable(pool.teams(), InPool::kTeam, style);
}

std::string PoolTable(const std::vector<v1::Pool>& pools, const TableStyle& style) {
  std::vector<std::vector<std::string>> rows;
  rows.reserve(pools.size());
  for (const v1::Pool& pool : pools) {
    rows.push_back({pool.name(),
                    NameOfOrigin(pool.origin()),
                    pool.selector(),
                    LimitsText(pool.limits()),
                    PreemptionText(pool),
                    PlacementText(pool),
                    fmt::format("{}", pool.running_steps()),
                    fmt::format("{}", fmt::join(pool.machines(), ", "))});
  }
  return Table(
      {"POOL", "ORIGIN", "SELECTOR", "LIMITS", "PREEMPTION", "PLACEMENT", "STEPS", "MACHINES"},
      rows,
      style);
}

}  // namespace potok::client
