#include "client/cli/show/machine_object.h"

#include <string>
#include <utility>

#include "client/cli/show/lease_text.h"
#include "client/cli/show/object_values.h"
#include "client/cli/show/resources_object.h"
#include "client/cli/text/table.h"
#include "client/potok_client/run_state.h"

namespace potok::client {

namespace {

Value CordonObject(const v1::Machine& machine) {
  if (!machine.has_cordon()) return Value();
  const v1::Cordon& cordon = machine.cordon();
  const char* state = "none";
  if (cordon.state() == v1::CORDON_STATE_CORDONED) state = "cordoned";
  if (cordon.state() == v1::CORDON_STATE_DRAINING) state = "draining";
  return Value(Object{{"state", state},
                      {"deadline", TextOrNull(IsoTime(cordon.deadline_us()))},
                      {"by", cordon.by()},
                      {"reason", cordon.reason()},
                      {"at", TextOrNull(IsoTime(cordon.at_us()))}});
}

Value QuarantineObject(const v1::Machine& machine) {
  if (!machine.has_quarantine()) return Value();
  return Value(Object{{"until", TextOrNull(IsoTime(machine.quarantine().until_us()))},
                      {"reason", machine.quarantine().reason()},
                      {"at", TextOrNull(IsoTime(machine.quarantine().at_us()))}});
}

Array LabelEditObjects(const v1::Machine& machine) {
  Array edits;
  for (const v1::LabelEdit& edit : machine.label_edits()) {
    edits.emplace_back(Object{{"name", edit.name()},
                              {"value", edit.removed() ? Value() : Value(edit.value())},
                              {"by", edit.by()},
                              {"reason", edit.reason()},
                              {"at", TextOrNull(IsoTime(edit.at_us()))}});
  }
  return edits;
}

}  // namespace

Value MachineObject(const v1::Machine& machine) {
  Array gpus;
  for (const v1::Gpu& gpu : machine.gpus()) {
    gpus.emplace_back(Object{{"index", gpu.index()},
                             {"model", gpu.model()},
                             {"memory_bytes", gpu.memory_bytes()},
                             {"uuid", gpu.uuid()},
                             {"reserved_millis", gpu.reserved_millis()}});
  }
  Array pools;
  for (const std::string& pool : machine.pools()) pools.emplace_back(pool);
  Array selected_by;
  for (const std::string& pool : machine.selected_by()) selected_by.emplace_back(pool);
  Array runtimes;
  for (const std::string& runtime : machine.runtimes()) runtimes.emplace_back(runtime);
  Array steps;
  for (const v1::StepOnMachine& step : machine.steps()) {
    Array indices;
    for (const std::int32_t index : step.gpu_indices()) indices.emplace_back(index);
    steps.emplace_back(Object{{"run", step.run()},
                              {"step", step.step()},
                              {"attempt", step.attempt()},
                              {"status", NameOf(step.status())},
                              {"leaving", step.leaving()},
                              {"resources", ResourcesObject(step.resources())},
                              {"gpu_indices", std::move(indices)},
                              {"usage", step.has_usage() ? UsageObject(step.usage()) : Value()}});
  }
  return Value(
      Object{{"name", machine.name()},
             {"state", NameOf(machine.liveness())},
             {"capacity", ResourcesObject(machine.capacity())},
             {"reserved", ResourcesObject(machine.reserved())},
             {"gpus", std::move(gpus)},
             {"labels", SortedTexts(machine.labels())},
             {"agent_labels", SortedTexts(machine.agent_labels())},
             {"label_edits", LabelEditObjects(machine)},
             {"cordon", CordonObject(machine)},
             {"quarantine", QuarantineObject(machine)},
             {"pools", std::move(pools)},
             {"selected_by", std::move(selected_by)},
             {"isolation", machine.isolation()},
             {"runtimes", std::move(runtimes)},
             {"lease", machine.has_lease_ms() ? Value(LeaseText(machine.lease_ms())) : Value()},
             {"held_artifacts", machine.held_artifacts()},
             {"held_bytes", machine.held_bytes()},
             {"agent_version", machine.agent_version()},
             {"first_seen_at", TextOrNull(IsoTime(machine.first_seen_us()))},
             {"last_heard_at", TextOrNull(IsoTime(machine.last_heard_us()))},
             {"steps", std::move(steps)}});
}

}  // namespace potok::client
