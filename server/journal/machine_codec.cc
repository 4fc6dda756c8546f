// Machines and pools as messages.
#include <utility>

#include "common/base/status_macros.h"
#include "fmt/format.h"
#include "server/journal/codec.h"
#include "server/journal/wire.h"

namespace potok::server {

namespace {

// Beside the overloads of this file, which would hide them.
using server::FromWire;
using server::ToWire;

absl::Status FromWire(wire::Liveness message, Liveness* liveness) {
  for (const Liveness known :
       {Liveness::kReady, Liveness::kNotResponding, Liveness::kLost, Liveness::kGone}) {
    if (NumberOf(known) == message) {
      *liveness = known;
      return absl::OkStatus();
    }
  }
  return absl::DataLossError(fmt::format("liveness {} is not known", static_cast<int>(message)));
}

void ToWire(const Resources& resources, wire::Resources* message) {
  message->set_memory_bytes(resources.memory_bytes);
  message->set_cpu_millis(resources.cpu_millis);
  message->set_gpu_millis(resources.gpu_millis);
  message->set_disk_bytes(resources.disk_bytes);
  for (const auto& [name, count] : resources.named) {
    wire::Count* added = message->add_named();
    added->set_name(name);
    added->set_count(count);
  }
}

Resources FromWire(const wire::Resources& message) {
  Resources resources;
  resources.memory_bytes = message.memory_bytes();
  resources.cpu_millis = message.cpu_millis();
  resources.gpu_millis = message.gpu_millis();
  // Before there were shares only whole ones were counted.
  if (resources.gpu_millis == 0) resources.gpu_millis = MillisOfGpus(message.gpus());
  resources.disk_bytes = message.disk_bytes();
  for (const wire::Count& count : message.named()) resources.named[count.name()] = count.count();
  return resources;
}

void ToWire(const Cordon& cordon, wire::Cordon* message) {
  message->set_state(static_cast<wire::CordonState>(cordon.state));
  if (cordon.deadline != absl::InfiniteFuture()) {
    message->set_deadline_us(absl::ToUnixMicros(cordon.deadline));
  }
  message->set_by(cordon.by);
  message->set_reason(cordon.reason);
  message->set_at_us(absl::ToUnixMicros(cordon.at));
}

absl::Status FromWire(const wire::Cordon& message, Cordon* cordon) {
  if (!wire::CordonState_IsValid(message.state())) {
    return absl::DataLossError(
        fmt::format("state of a cordon {} is not known", static_cast<int>(message.state())));
  }
  cordon->state = static_cast<CordonState>(message.state());
  if (message.deadline_us() != 0) cordon->deadline = absl::FromUnixMicros(message.deadline_us());
  cordon->by = message.by();
  cordon->reason = message.reason();
  cordon->at = absl::FromUnixMicros(message.at_us());
  return absl::OkStatus();
}

void ToWire(const std::string& name, const LabelEdit& edit, wire::LabelEdit* message) {
  message->set_name(name);
  message->set_removed(!edit.value.has_value());
  message->set_value(edit.value.value_or(""));
  message->set_by(edit.by);
  message->set_reason(edit.reason);
  message->set_at_us(absl::ToUnixMicros(edit.at));
}

LabelEdit FromWire(const wire::LabelEdit& message) {
  LabelEdit edit;
  if (!message.removed()) edit.value = message.value();
  edit.by = message.by();
  edit.reason = message.reason();
  edit.at = absl::FromUnixMicros(message.at_us());
  return edit;
}

// For ever is 0.
std::int64_t LeaseToWire(absl::Duration lease) {
  return lease == absl::InfiniteDuration() ? 0 : absl::ToInt64Microseconds(lease);
}
absl::Duration LeaseFromWire(std::int64_t lease_us) {
  return lease_us <= 0 ? absl::InfiniteDuration() : absl::Microseconds(lease_us);
}

// What people and the server said of a machine.
void RemarksToWire(const MachineChanged& machine, wire::MachineChanged* message) {
  if (machine.cordon.has_value()) ToWire(*machine.cordon, message->mutable_cordon());
  for (const auto& [name, edit] : machine.label_edits) {
    ToWire(name, edit, message->add_label_edits());
  }
  if (!machine.label_edits.empty()) ToWire(machine.agent_labels, message->mutable_agent_labels());
  if (!machine.quarantine.has_value()) return;
  message->mutable_quarantine()->set_until_us(absl::ToUnixMicros(machine.quarantine->until));
  message->mutable_quarantine()->set_reason(machine.quarantine->reason);
  message->mutable_quarantine()->set_at_us(absl::ToUnixMicros(machine.quarantine->at));
}

// After the labels.
absl::Status RemarksFromWire(const wire::MachineChanged& message, MachineChanged* machine) {
  if (message.has_cordon()) {
    POTOK_RETURN_IF_ERROR(FromWire(message.cordon(), &machine->cordon.emplace()));
  }
  for (const wire::LabelEdit& edit : message.label_edits()) {
    machine->label_edits[edit.name()] = FromWire(edit);
  }
  machine->agent_labels =
      machine->label_edits.empty() ? machine->labels : FromWire(message.agent_labels());
  if (message.has_quarantine()) {
    machine->quarantine = Quarantine{absl::FromUnixMicros(message.quarantine().until_us()),
                                     message.quarantine().reason(),
                                     absl::FromUnixMicros(message.quarantine().at_us())};
  }
  return absl::OkStatus();
}

}  // namespace

void ToWire(const std::map<std::string, std::string>& map, Pairs* pairs) {
  for (const auto& [key, value] : map) {
    wire::Pair* pair = pairs->Add();
    pair->set_key(key);
    pair->set_value(value);
  }
}

std::map<std::string, std::string> FromWire(const Pairs& pairs) {
  std::map<std::string, std::string> map;
  for (const wire::Pair& pair : pairs) map[pair.key()] = pair.value();
  return map;
}

int NumberOf(Liveness liveness) {
  switch (liveness) {
    case Liveness::kReady:
      return wire::LIVENESS_READY;
    case Liveness::kNotResponding:
      return wire::LIVENESS_NOT_RESPONDING;
    case Liveness::kLost:
      return wire::LIVENESS_LOST;
    case Liveness::kGone:
      return wire::LIVENESS_GONE;
  }
  return wire::LIVENESS_UNSPECIFIED;
}

void ToWire(const MachineChanged& machine, wire::MachineChanged* message) {
  message->set_id(machine.id);
  message->set_name(machine.name);
  message->set_state_id(machine.state_id);
  message->set_boot_id(machine.boot_id);
  message->set_agent_version(machine.agent_version);
  message->set_isolation(machine.isolation);
  ToWire(machine.capacity, message->mutable_capacity());
  for (const GpuInfo& gpu : machine.gpus) {
    wire::Gpu* added = message->add_gpus();
    added->set_index(gpu.index);
    added->set_model(gpu.model);
    added->set_memory_bytes(gpu.memory_bytes);
    added->set_uuid(gpu.uuid);
  }
  ToWire(machine.labels, message->mutable_labels());
  for (const std::string& pool : machine.pools) message->add_pools(pool);
  for (const std::string& runtime : machine.runtimes) message->add_runtimes(runtime);
  message->set_liveness(static_cast<wire::Liveness>(NumberOf(machine.liveness)));
  message->set_first_seen_us(absl::ToUnixMicros(machine.first_seen));
  message->set_at_us(absl::ToUnixMicros(machine.at));
  if (machine.lease.has_value()) message->set_lease_us(LeaseToWire(*machine.lease));
  RemarksToWire(machine, message);
}

absl::Status FromWire(const wire::MachineChanged& message, MachineChanged* machine) {
  machine->id = message.id();
  machine->name = message.name();
  machine->state_id = message.state_id();
  machine->boot_id = message.boot_id();
  machine->agent_version = message.agent_version();
  machine->isolation = message.isolation();
  machine->capacity = FromWire(message.capacity());
  for (const wire::Gpu& gpu : message.gpus()) {
    machine->gpus.push_back({gpu.index(), gpu.model(), gpu.memory_bytes(), gpu.uuid()});
  }
  machine->labels = FromWire(message.labels());
  machine->pools = {message.pools().begin(), message.pools().end()};
  machine->runtimes = {message.runtimes().begin(), message.runtimes().end()};
  machine->first_seen = absl::FromUnixMicros(message.first_seen_us());
  machine->at = absl::FromUnixMicros(message.at_us());
  if (message.has_lease_us()) machine->lease = LeaseFromWire(message.lease_us());
  POTOK_RETURN_IF_ERROR(RemarksFromWire(message, machine));
  return FromWire(message.liveness(), &machine->liveness);
}

void ToWire(const PoolChanged& pool, wire::PoolChanged* message) {
  message->set_name(pool.name);
  message->set_deleted(pool.deleted);
  message->set_selector(pool.selector);
  wire::PoolLimits& limits = *message->mutable_limits();
  if (pool.limits.running_steps) limits.set_running_steps(*pool.limits.running_steps);
  if (pool.limits.cpu_millis) limits.set_cpu_millis(*pool.limits.cpu_millis);
  if (pool.limits.memory_bytes) limits.set_memory_bytes(*pool.limits.memory_bytes);
  if (pool.limits.gpu_millis) limits.set_gpu_millis(*pool.limits.gpu_millis);
  message->set_document(pool.document);
  message->set_by(pool.by);
  message->set_created_us(absl::ToUnixMicros(pool.created));
  message->set_at_us(absl::ToUnixMicros(pool.at));
  message->set_preemption(pool.preemption);
  message->set_low_priority(pool.low_priority);
  message->set_spread(pool.spread);
  if (pool.lease.has_value()) message->set_lease_us(LeaseToWire(*pool.lease));
  // Spelled out here, as all that must be read for ever.
  if (pool.images == PoolImages::kContainer) message->set_images("container");
  if (pool.images == PoolImages::kHost) message->set_images("host");
}

PoolChanged FromWire(const wire::PoolChanged& message) {
  PoolChanged pool;
  pool.name = message.name();
  pool.deleted = message.deleted();
  pool.selector = message.selector();
  const wire::PoolLimits& limits = message.limits();
  if (limits.has_running_steps()) pool.limits.running_steps = limits.running_steps();
  if (limits.has_cpu_millis()) pool.limits.cpu_millis = limits.cpu_millis();
  if (limits.has_memory_bytes()) pool.limits.memory_bytes = limits.memory_bytes();
  if (limits.has_gpu_millis()) pool.limits.gpu_millis = limits.gpu_millis();
  pool.document = message.document();
  pool.by = message.by();
  pool.created = absl::FromUnixMicros(message.created_us());
  pool.at = absl::FromUnixMicros(message.at_us());
  pool.preemption = message.preemption();
  pool.low_priority = message.low_priority();
  pool.spread = message.spread();
  if (message.has_lease_us()) pool.lease = LeaseFromWire(message.lease_us());
  if (message.images() == "container") pool.images = PoolImages::kContainer;
  if (message.images() == "host") pool.images = PoolImages::kHost;
  return pool;
}

}  // namespace potok::server
