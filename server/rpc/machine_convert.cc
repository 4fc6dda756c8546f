// Machines as the API shows them.
#include <algorithm>

#include "common/rpc/pipeline_convert.h"
#include "common/rpc/usage_convert.h"
#include "server/rpc/convert.h"

namespace potok::server {

namespace {

// What people and the server said of it.
void RemarksToProto(const MachineChanged& facts, v1::Machine* out) {
  if (facts.cordon.has_value()) {
    v1::Cordon& cordon = *out->mutable_cordon();
    cordon.set_state(static_cast<v1::CordonState>(static_cast<int>(facts.cordon->state) + 1));
    if (facts.cordon->deadline != absl::InfiniteFuture()) {
      cordon.set_deadline_us(absl::ToUnixMicros(facts.cordon->deadline));
    }
    cordon.set_by(facts.cordon->by);
    cordon.set_reason(facts.cordon->reason);
    cordon.set_at_us(absl::ToUnixMicros(facts.cordon->at));
  }
  for (const auto& [name, edit] : facts.label_edits) {
    v1::LabelEdit& to = *out->add_label_edits();
    to.set_name(name);
    to.set_removed(!edit.value.has_value());
    to.set_value(edit.value.value_or(""));
    to.set_by(edit.by);
    to.set_reason(edit.reason);
    to.set_at_us(absl::ToUnixMicros(edit.at));
  }
  out->mutable_agent_labels()->insert(facts.agent_labels.begin(), facts.agent_labels.end());
  if (!facts.quarantine.has_value()) return;
  out->mutable_quarantine()->set_until_us(absl::ToUnixMicros(facts.quarantine->until));
  out->mutable_quarantine()->set_reason(facts.quarantine->reason);
  out->mutable_quarantine()->set_at_us(absl::ToUnixMicros(facts.quarantine->at));
}

v1::Machine MachineToProto(const MachineRecord& machine,
                           const State& state,
                           const LiveUsage& usage) {
  const MachineChanged& facts = machine.facts;
  v1::Machine out;
  RemarksToProto(facts, &out);
  out.set_name(facts.name);
  out.set_liveness(static_cast<v1::Liveness>(static_cast<int>(facts.liveness) + 1));
  *out.mutable_capacity() = potok::ToProto(facts.capacity);
  *out.mutable_reserved() = potok::ToProto(machine.reserved);
  for (const GpuInfo& gpu : facts.gpus) {
    const auto held = machine.gpus_held.find(gpu.index);
    v1::Gpu& to = *out.add_gpus();
    to.set_index(gpu.index);
    to.set_model(gpu.model);
    to.set_memory_bytes(gpu.memory_bytes);
    to.set_uuid(gpu.uuid);
    if (held != machine.gpus_held.end()) to.set_reserved_millis(held->second);
  }
  out.mutable_labels()->insert(facts.labels.begin(), facts.labels.end());
  for (const std::string& pool : facts.pools) out.add_pools(pool);
  out.set_first_seen_us(absl::ToUnixMicros(facts.first_seen));
  out.set_last_heard_us(absl::ToUnixMicros(machine.last_heard));
  out.set_agent_version(facts.agent_version);
  out.set_isolation(facts.isolation);
  for (const std::string& runtime : facts.runtimes) out.add_runtimes(runtime);
  if (facts.lease.has_value()) out.set_lease_ms(LeaseMs(*facts.lease));
  out.set_held_artifacts(static_cast<std::int32_t>(state.holdings.CountOn(facts.id)));
  out.set_held_bytes(state.holdings.BytesOn(facts.id));
  const bool silent = facts.liveness != Liveness::kReady;
  for (const AttemptKey& key : machine.holding) {
    const auto run = state.runs.find(key.run);
    if (run == state.runs.end()) continue;
    const Step& step = run->second.plan->definition(key.index);
    v1::StepOnMachine& to = *out.add_steps();
    to.set_run(run->second.name);
    to.set_step(run->second.plan->NameOf(key.index));
    to.set_attempt(static_cast<std::int32_t>(key.attempt));
    to.set_status(StatusOf(run->second.steps[key.index].state(), silent));
    *to.mutable_resources() = potok::ToProto(step.resources);
    to.mutable_resources()->set_memory_bytes(RequestOf(run->second, key.index).memory_bytes);
    to.set_leaving(std::holds_alternative<Leaving>(run->second.steps[key.index].state()));
    const Placement* placement = PlacementOf(run->second.steps[key.index].state());
    if (placement != nullptr) {
      to.mutable_gpu_indices()->Assign(placement->gpus.begin(), placement->gpus.end());
    }
    const auto used = usage.find(key);
    if (used != usage.end()) *to.mutable_usage() = potok::ToProto(used->second);
  }
  return out;
}

}  // namespace

std::vector<v1::Machine> MachinesToProto(const State& state,
                                         const Pools& pools,
                                         const LiveUsage& usage) {
  const std::vector<std::string> names = pools.Names();
  std::vector<v1::Machine> machines;
  machines.reserve(state.machines.size());
  for (const auto& [id, machine] : state.machines) {
    machines.push_back(MachineToProto(machine, state, usage));
    for (const std::string& pool : names) {
      const bool declared =
          std::ranges::find(machine.facts.pools, pool) != machine.facts.pools.end();
      if (!declared && pools.Holds(machine, pools.Resolve(pool)))
        machines.back().add_selected_by(pool);
    }
  }
  return machines;
}

}  // namespace potok::server
