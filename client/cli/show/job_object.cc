#include "client/cli/show/job_object.h"

#include "client/cli/text/table.h"
#include "client/potok_client/run_state.h"
#include "common/base/resources.h"
#include "common/rpc/pipeline_convert.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

Value TextOrNull(const std::string& text) {
  return text.empty() ? Value() : Value(text);
}

template <class TextMap>
Value SortedTexts(const TextMap& map) {
  const std::map<std::string, std::string> sorted(map.begin(), map.end());
  Object object;
  for (const auto& [key, text] : sorted) object.emplace_back(key, text);
  return Value(std::move(object));
}

// The words of the YAML: "VALUE_TYPE_URI_FOLDER" is "uri_folder".
std::string Word(const std::string& enum_name, const std::string& prefix) {
  std::string word = enum_name.substr(std::min(prefix.size(), enum_name.size()));
  for (char& c : word) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return word;
}

std::string TypeName(v1::ValueType type) {
  return Word(v1::ValueType_Name(type), "VALUE_TYPE_");
}

Value ModeName(v1::Mode mode, const char* by_default) {
  if (mode == v1::MODE_UNSPECIFIED) return Value(by_default);
  return Value(Word(v1::Mode_Name(mode), "MODE_"));
}

std::string PathOf(const v1::Artifact& artifact) {
  return fmt::format("sha256:{}/{}", artifact.digest().hash(), artifact.digest().size_bytes());
}

// Primitives as they are written, data as {mode, path, type}.
Value InputObject(const v1::Input& input) {
  const v1::Binding& binding = input.value();
  if (binding.value_case() == v1::Binding::kText) return Value(binding.text());
  std::string path;
  if (binding.value_case() == v1::Binding::kArtifact) path = PathOf(binding.artifact());
  if (binding.value_case() == v1::Binding::kUri) path = binding.uri();
  if (path.empty()) return Value();
  return Value(Object{{"mode", ModeName(input.mode(), "ro_mount")},
                      {"path", path},
                      {"type", TypeName(input.type())}});
}

template <class Inputs>
Value InputsObject(const Inputs& inputs) {
  Object object;
  for (const v1::Input& input : inputs) object.emplace_back(input.name(), InputObject(input));
  return Value(std::move(object));
}

template <class Outputs, class Values>
Value OutputsObject(const Outputs& declared, const Values& values) {
  Object object;
  for (const v1::Output& output : declared) {
    Object member = {{"mode", ModeName(output.mode(), "rw_mount")},
                     {"path", TextOrNull(output.path())},
                     {"type", TypeName(output.type())}};
    for (const v1::OutputValue& value : values) {
      if (value.name() != output.name()) continue;
      if (value.has_artifact()) {
        member[1].second = value.path().empty() ? PathOf(value.artifact()) : value.path();
        member.emplace_back("size_bytes", value.artifact().total_bytes());
      } else if (value.value_case() == v1::OutputValue::kText) {
        member.emplace_back("value", value.text());
      }
    }
    object.emplace_back(output.name(), std::move(member));
  }
  return Value(std::move(object));
}

Object ResourceMembers(const v1::Resources& resources) {
  const std::int32_t millis = GpuMillisOf(resources);
  const bool is_whole = millis % kMillisOfGpu == 0;
  const std::map<std::string, std::int64_t> counts(resources.named().begin(),
                                                   resources.named().end());
  Object named;
  for (const auto& [name, count] : counts) named.emplace_back(name, count);
  return {{"memory_bytes", resources.memory_bytes()},
          {"cpu_millis", resources.cpu_millis()},
          {"gpus", is_whole ? Value(millis / kMillisOfGpu) : Value(millis / 1000.0)},
          {"disk_bytes", resources.disk_bytes()},
          {"named", std::move(named)}};
}

}  // namespace

Value ResourcesObject(const v1::Resources& resources) {
  return Value(ResourceMembers(resources));
}

namespace {

// All that a step asks of its machine.
Value RequestObject(const v1::Step& step) {
  Object members = ResourceMembers(step.resources());
  Array models;
  for (const std::string& model : step.gpu_models()) models.emplace_back(model);
  members.emplace_back("gpu_models", std::move(models));
  members.emplace_back("gpu_memory_bytes", step.gpu_memory_bytes());
  members.emplace_back("labels",
                       step.label_expression().empty() ? SortedTexts(step.labels())
                                                       : Value(step.label_expression()));
  return Value(std::move(members));
}

// What is not known is null.
Value UsageObject(const v1::Usage& usage) {
  const auto bytes = [](std::int64_t count) { return count == 0 ? Value() : Value(count); };
  return Value(Object{
      {"peak_memory_bytes", bytes(usage.peak_memory_bytes())},
      {"memory_bytes", bytes(usage.memory_bytes())},
      {"cpu_seconds", static_cast<double>(usage.cpu_us()) / 1e6},
      {"wall_seconds", static_cast<double>(usage.wall_us()) / 1e6},
      {"read_bytes", usage.has_read_bytes() ? Value(usage.read_bytes()) : Value()},
      {"written_bytes", usage.has_written_bytes() ? Value(usage.written_bytes()) : Value()},
      {"gpu_utilization", usage.has_gpu_utilization() ? Value(usage.gpu_utilization()) : Value()},
      {"gpu_peak_memory_bytes", bytes(usage.gpu_peak_memory_bytes())},
      {"child_out_of_memory", usage.child_out_of_memory()}});
}

// What the step's latest attempt asked for and used.
void AddUsage(const v1::StepStatus& step, Object* members) {
  Array notes;
  for (const std::string& note : step.resource_notes()) notes.emplace_back(note);
  members->emplace_back("requested",
                        step.has_requested() ? ResourcesObject(step.requested()) : Value());
  members->emplace_back("usage", step.has_usage() ? UsageObject(step.usage()) : Value());
  members->emplace_back("resource_notes", std::move(notes));
}

// What happened to a step.
Object StateMembers(const v1::StepStatus& step) {
  Object members = {{"status", NameOf(step.status())},
                    {"reason", TextOrNull(step.reason())},
                    {"waiting_for", TextOrNull(step.waiting_for())},
                    {"machine", TextOrNull(step.machine())},
                    {"runtime", TextOrNull(step.runtime())},
                    {"attempt", step.attempt()},
                    {"exit_code", step.has_exit_code() ? Value(step.exit_code()) : Value()},
                    {"reused_from", TextOrNull(step.reused_from())},
                    {"saved_seconds", static_cast<double>(step.saved_us()) / 1e6},
                    {"queued_at", TextOrNull(IsoTime(step.queued_us()))},
                    {"started_at", TextOrNull(IsoTime(step.started_us()))},
                    {"ended_at", TextOrNull(IsoTime(step.ended_us()))}};
  AddUsage(step, &members);
  return members;
}

// What was asked of a step.
Object SpecMembers(const v1::Step& spec, const v1::StepStatus* step) {
  static const google::protobuf::RepeatedPtrField<v1::OutputValue> kNone;
  return {
      {"type", "command"},
      {"component", TextOrNull(spec.component())},
      {"command", spec.command()},
      {"compute", TextOrNull(spec.compute())},
      {"environment",
       TextOrNull(spec.environment().empty() ? spec.environment_definition() : spec.environment())},
      {"environment_variables", SortedTexts(spec.environment_variables())},
      {"inputs", InputsObject(spec.inputs())},
      {"outputs", OutputsObject(spec.outputs(), step == nullptr ? kNone : step->outputs())},
      {"resources", RequestObject(spec)}};
}

Value JobsObject(const v1::Run& run) {
  std::map<std::string, const v1::Step*> specs;
  for (const v1::Step& spec : run.spec().steps()) specs[spec.name()] = &spec;
  Object jobs;
  for (const v1::StepStatus& step : run.steps()) {
    Object job = StateMembers(step);
    if (const auto spec = specs.find(step.name()); spec != specs.end()) {
      for (Member& member : SpecMembers(*spec->second, &step)) job.push_back(std::move(member));
    }
    jobs.emplace_back(step.name(), std::move(job));
  }
  return Value(std::move(jobs));
}

Value SettingsObject(const v1::Settings& settings) {
  const bool go_on =
      !settings.has_continue_on_step_failure() || settings.continue_on_step_failure();
  return Value(Object{{"continue_on_step_failure", go_on},
                      {"default_compute", TextOrNull(settings.default_compute())},
                      {"default_datastore", TextOrNull(settings.default_datastore())},
                      {"force_rerun", settings.force_rerun()}});
}

Value CreationContext(const v1::Run& run) {
  return Value(Object{{"created_at", IsoTime(run.created_us())},
                      {"created_by", run.submitter()},
                      {"created_by_type", "User"}});
}

Value Services(const std::string& name, const std::string& runs_at) {
  return Value(Object{
      {"Studio",
       Object{{"endpoint", runs_at + "/" + name}, {"status", Value()}, {"type", "Studio"}}}});
}

// A standalone job's inputs and outputs are its step's; the step's other members come after the
// job's own.
void AddStepMember(Member member, Object* job) {
  if (member.first == "type") return;
  if (member.first != "inputs" && member.first != "outputs") {
    job->push_back(std::move(member));
    return;
  }
  for (Member& known : *job) {
    if (known.first == member.first) known.second = std::move(member.second);
  }
}

// Where people put it in the order; nothing of a run that they left alone.
void AddOrder(const v1::Run& run, Object* job) {
  Array after;
  for (const v1::RunDependency& one : run.after()) {
    after.emplace_back(Object{{"run", one.run()}, {"only_if_completed", one.only_if_completed()}});
  }
  if (!after.empty()) job->emplace_back("after", std::move(after));
  if (run.has_hold()) {
    job->emplace_back("hold",
                      Object{{"by", run.hold().by()},
                             {"reason", TextOrNull(run.hold().reason())},
                             {"since", IsoTime(run.hold().since_us())}});
  }
  if (run.has_moved_priority()) job->emplace_back("moved_priority", run.moved_priority());
  if (run.has_moved_compute()) job->emplace_back("moved_compute", run.moved_compute());
}

}  // namespace

Value JobObject(const v1::Run& run, const std::string& runs_at) {
  Object job = {{"name", run.name()},
                {"display_name", run.display_name()},
                {"experiment_name", run.experiment_name()},
                {"description", TextOrNull(run.description())},
                {"status", NameOf(run.status())},
                {"reason", TextOrNull(run.reason())},
                {"type", run.is_pipeline() ? "pipeline" : "command"},
                {"tags", SortedTexts(run.tags())},
                {"properties", SortedTexts(run.properties())},
                {"inputs", InputsObject(run.spec().inputs())},
                {"outputs", OutputsObject(run.spec().outputs(), run.outputs())}};
  if (run.is_pipeline()) {
    job.emplace_back("compute", TextOrNull(run.spec().settings().default_compute()));
    job.emplace_back("jobs", JobsObject(run));
    job.emplace_back("settings", SettingsObject(run.spec().settings()));
  } else if (run.spec().steps_size() == 1) {
    const v1::StepStatus* step = run.steps_size() == 1 ? &run.steps(0) : nullptr;
    for (Member& member : SpecMembers(run.spec().steps(0), step)) {
      AddStepMember(std::move(member), &job);
    }
    if (step != nullptr) {
      job.emplace_back("machine", TextOrNull(step->machine()));
      job.emplace_back("runtime", TextOrNull(step->runtime()));
      job.emplace_back("exit_code", step->has_exit_code() ? Value(step->exit_code()) : Value());
      AddUsage(*step, &job);
    }
  }
  job.emplace_back("services", Services(run.name(), runs_at));
  job.emplace_back("creation_context", CreationContext(run));
  job.emplace_back("started_at", TextOrNull(IsoTime(run.started_us())));
  job.emplace_back("ended_at", TextOrNull(IsoTime(run.ended_us())));
  if (run.forgotten_us() != 0) {
    job.emplace_back("outputs_deleted_at", TextOrNull(IsoTime(run.forgotten_us())));
  }
  job.emplace_back("parent_job_name", Value());
  job.emplace_back("archived", run.archived());
  AddOrder(run, &job);
  return Value(std::move(job));
}

Value JobListItem(const v1::Run& run, const std::string& runs_at) {
  Object item = {{"name", run.name()},
                 {"display_name", run.display_name()},
                 {"experiment_name", run.experiment_name()},
                 {"status", NameOf(run.status())},
                 {"reason", TextOrNull(run.reason())},
                 {"type", run.is_pipeline() ? "pipeline" : "command"},
                 {"tags", SortedTexts(run.tags())},
                 {"properties", SortedTexts(run.properties())},
                 {"archived", run.archived()},
                 {"steps",
                  Object{{"total", run.steps_total()},
                         {"completed", run.steps_completed()},
                         {"failed", run.steps_failed()},
                         {"canceled", run.steps_canceled()},
                         {"running", run.steps_running()}}},
                 {"services", Services(run.name(), runs_at)},
                 {"creation_context", CreationContext(run)},
                 {"started_at", TextOrNull(IsoTime(run.started_us()))},
                 {"ended_at", TextOrNull(IsoTime(run.ended_us()))},
                 {"parent_job_name", Value()}};
  AddOrder(run, &item);
  return Value(std::move(item));
}

std::string ChildJobName(const std::string& run, const std::string& step) {
  return run + "_" + step;
}

Array ChildJobs(const v1::Run& run, const std::string& runs_at) {
  std::map<std::string, const v1::Step*> specs;
  for (const v1::Step& spec : run.spec().steps()) specs[spec.name()] = &spec;
  Array jobs;
  for (const v1::StepStatus& step : run.steps()) {
    const std::string name = ChildJobName(run.name(), step.name());
    Object job = {
        {"name", name}, {"display_name", step.name()}, {"experiment_name", run.experiment_name()}};
    for (Member& member : StateMembers(step)) job.push_back(std::move(member));
    if (const auto spec = specs.find(step.name()); spec != specs.end()) {
      for (Member& member : SpecMembers(*spec->second, &step)) job.push_back(std::move(member));
    }
    job.emplace_back("tags", Object{});
    job.emplace_back("properties", Object{});
    job.emplace_back("services", Services(name, runs_at));
    job.emplace_back("creation_context", CreationContext(run));
    job.emplace_back("parent_job_name", run.name());
    jobs.emplace_back(std::move(job));
  }
  return jobs;
}

std::string RunsAt(const std::string& address, const std::string& web) {
  if (!web.empty()) return (web.back() == '/' ? web.substr(0, web.size() - 1) : web) + "/runs";
  const bool is_unix = address.rfind("unix:", 0) == 0;
  return (is_unix ? "potok+" + address : "potok://" + address) + "/runs";
}

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
  return Value(Object{{"name", machine.name()},
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
                      {"agent_version", machine.agent_version()},
                      {"first_seen_at", TextOrNull(IsoTime(machine.first_seen_us()))},
                      {"last_heard_at", TextOrNull(IsoTime(machine.last_heard_us()))},
                      {"steps", std::move(steps)}});
}

}  // namespace potok::client
