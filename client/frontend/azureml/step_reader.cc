#include "client/frontend/azureml/step_reader.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "client/frontend/azureml/component.h"
#include "client/frontend/azureml/control_flow.h"
#include "client/frontend/azureml/definition.h"
#include "client/frontend/azureml/inline_pipeline.h"
#include "client/frontend/azureml/nested.h"
#include "client/frontend/azureml/node_ports.h"
#include "client/frontend/azureml/node_type.h"
#include "client/frontend/azureml/opaque.h"
#include "client/frontend/azureml/parallel.h"
#include "client/frontend/azureml/policy.h"
#include "client/frontend/azureml/reference.h"
#include "client/frontend/azureml/sweep.h"
#include "client/frontend/azureml/type_inference.h"
#include "fmt/format.h"

namespace potok::client {

namespace {

// Keys of dumped nodes that say what happened to them, and such that mean nothing here.
const std::vector<std::string>& IgnoredKeys() {
  static const std::vector<std::string> keys = {"$schema",
                                                "type",
                                                "id",
                                                "status",
                                                "creation_context",
                                                "comment",
                                                "properties",
                                                "parent_job_name",
                                                "name"};
  return keys;
}

bool IsControlFlow(NodeKind kind) {
  return kind == NodeKind::kIfElse || kind == NodeKind::kDoWhile || kind == NodeKind::kParallelFor;
}

// One node that is a step, with what its parts have in common.
class NodeReader {
 public:
  NodeReader(const YamlEntry& entry, const Origin& origin, Reading* reading)
      : entry_(entry),
        reading_(reading),
        name_(reading->scope->FullName(entry.key)),
        fields_(entry.value,
                fmt::format("node '{}'", entry.key),
                &reading->reporter,
                ResolverOf(reading)),
        context_{reading,
                 origin,
                 fields_.what(),
                 "jobs." + name_ + ".",
                 IsInline() ? Severity::kError : Severity::kWarning,
                 true} {}

  // Adds the step to the scope. False if it cannot be one.
  bool Read() {
    if (entry_.value->IsNull()) {
      reading_->reporter.Error(
          entry_.at, fmt::format("{} is empty; write a command or a component", fields_.what()));
    }
    if (fields_.map() == nullptr || !ReadKind() || !ReadDefinition()) {
      reading_->scope->ForgetPorts();
      return false;
    }
    step_.name = entry_.key;
    ReadCommon();
    reading_->sources.AddStep(name_, &entry_, use_ ? use_->source.map : nullptr);
    reading_->scope->steps.push_back(std::move(step_));
    return true;
  }

 private:
  bool IsInline() const { return entry_.value->Find("component") == nullptr; }

  // What it is: by its own type and its component's.
  bool ReadKind() {
    type_ = fields_.Word("type");
    kind_ = KindOfType(type_);
    if (kind_ == NodeKind::kUnknown) {
      reading_->reporter.Error(
          fields_.At("type"),
          fmt::format("{} is of type '{}'; write {}", fields_.what(), type_, kNodeTypes));
      return false;
    }
    const YamlNode* component = fields_.Value("component");
    if (component == nullptr) return true;
    const auto source = FindComponent(*component, context_.origin, fields_.what(), reading_);
    if (!source) return false;
    use_ = ComponentUse{*source, fields_.what(), component->at};
    if (source->is_elsewhere) {
      kind_ = NodeKind::kOpaque;
      return true;
    }
    return ReadKindOfComponent();
  }

  bool ReadKindOfComponent() {
    const std::string type = TypeOfComponent(*use_->source.map);
    const NodeKind kind = KindOfType(type);
    const bool fits = type_.empty() || kind == kind_ || type == "prompt flow";
    if (kind == NodeKind::kUnknown || IsControlFlow(kind) || kind == NodeKind::kSweep) {
      reading_->reporter.Error(
          use_->at,
          fmt::format("{}: component {} is of type '{}'; a component is of type command, pipeline "
                      "or parallel",
                      fields_.what(),
                      use_->source.shown,
                      type));
      return false;
    }
    if (!fits) {
      reading_->reporter.Error(
          fields_.At("type"),
          fmt::format("{} is of type '{}', and its component {} of type '{}'; leave the type out",
                      fields_.what(),
                      type_,
                      use_->source.shown,
                      type.empty() ? "command" : type));
      return false;
    }
    kind_ = kind;
    type_ = type;
    return true;
  }

  // What follows from errors in a component is not told again; those of the node's own ports are
  // nobody's reason.
  void MarkIfBroken(std::size_t errors_before) {
    if (reading_->reporter.errors() != errors_before) reading_->broken.insert("jobs." + name_);
  }

  bool ReadDefinition() {
    const ComponentUse* use = use_ ? &*use_ : nullptr;
    switch (kind_) {
      case NodeKind::kPipeline:
        return ReadPipeline();
      case NodeKind::kSweep:
        return ReadSweep(&fields_, context_, name_, &step_);
      case NodeKind::kParallel:
        return ReadParallel(use, &fields_, context_, &step_);
      case NodeKind::kOpaque:
        context_.missing = PortContext::Missing::kWarning;
        ReadOpaque(type_, use, &fields_, context_, &step_);
        return true;
      default:
        return use == nullptr ? ReadInline() : ReadReference();
    }
  }

  bool ReadInline() {
    ReadCommand(&fields_, context_.origin, reading_, &step_);
    if (fields_.Value("command") == nullptr) {
      reading_->reporter.Error(
          entry_.at, fmt::format("{} has no command; write what it runs", fields_.what()));
    }
    if (step_.command.empty()) reading_->broken.insert(context_.where + "command");
    GivePorts(&fields_, context_, &step_);
    return true;
  }

  bool ReadReference() {
    const std::size_t errors_before = reading_->reporter.errors();
    std::optional<Step> component = ReadCommandComponent(*use_, reading_);
    if (!component) return false;
    MarkIfBroken(errors_before);
    step_ = *std::move(component);
    BindPorts(&fields_, context_, &step_);
    return true;
  }

  bool ReadPipeline() {
    if (!use_) return ReadInlinePipeline(&fields_, context_, name_, reading_, &step_);
    const std::size_t errors_before = reading_->reporter.errors();
    if (!ReadPipelineHead(*use_, reading_, &step_)) return false;
    MarkIfBroken(errors_before);
    context_.undeclared_input = Severity::kWarning;
    BindPorts(&fields_, context_, &step_);
    return ReadPipelineBody(*use_, name_, reading_, &step_);
  }

  void ReadCommon() {
    ReadSettings();
    if (const std::string text = fields_.RawText("display_name"); !text.empty()) {
      step_.display_name = text;
    }
    if (const std::string text = fields_.RawText("description"); !text.empty()) {
      step_.description = text;
    }
    for (auto& [key, tag] : fields_.Texts("tags", Fields::Strictness::kTextsOnly)) {
      step_.tags[key] = tag;
    }
    ReadOrder(&fields_, reading_, &step_);
    fields_.Map("services");
    fields_.Map("identity");
    fields_.Ignore(IgnoredKeys());
    ReadDeterminism();
    fields_.ReportUnknown(context_.unknown);
  }

  // How it runs, as far as that is said in the node.
  void ReadSettings() {
    if (kind_ == NodeKind::kSweep) return;
    if (const std::string compute = ResourceName(fields_.Text("compute")); !compute.empty()) {
      step_.compute = compute;
    }
    if (kind_ == NodeKind::kPipeline) {
      ReadPriorityOnly(&fields_, "write it in the nodes of the pipeline", reading_, &step_);
      return;
    }
    if (kind_ == NodeKind::kOpaque && !use_) return;
    ReadRunSettings(&fields_, context_.origin, context_.unknown, reading_, &step_);
    ReadLimits(&fields_, context_.unknown, reading_, &step_);
    ReadPolicy(&fields_, reading_, &step_);
  }

  void ReadDeterminism() {
    const YamlEntry* flag = fields_.map()->Find("is_deterministic");
    if (flag == nullptr) return;
    fields_.Ignore({flag->key});
    const std::string rule = fields_.what() + ": is_deterministic belongs to the component; ";
    if (IsInline()) {
      reading_->reporter.Error(
          flag->at, rule + "write component: {command: ..., is_deterministic: ...} in this node");
    } else {
      reading_->reporter.Warning(flag->at, rule + "it is ignored here");
    }
  }

  const YamlEntry& entry_;
  Reading* reading_;
  const std::string name_;  // whole
  Fields fields_;
  PortContext context_;
  std::string type_;
  NodeKind kind_ = NodeKind::kCommand;
  std::optional<ComponentUse> use_;
  Step step_;
};

// Says once that there are too many.
bool CountStep(const YamlEntry& entry, Reading* reading) {
  if (++reading->steps_read <= kStepsMax) return true;
  if (reading->steps_read == kStepsMax + 1) {
    reading->reporter.Error(
        entry.at,
        fmt::format("the pipeline has more than {} steps, with those of the pipelines in it; "
                    "split it",
                    kStepsMax));
  }
  return false;
}

NodeKind KindOfNode(const YamlNode& node) {
  const YamlEntry* type = node.IsMap() ? node.Find("type") : nullptr;
  if (type == nullptr || !type->value->IsScalar()) return NodeKind::kCommand;
  return KindOfType(absl::AsciiStrToLower(type->value->text));
}

// Puts conditions and pipelines, which are read last, where they stand among the nodes; a loop
// stands where its body does.
void SortAsWritten(const YamlNode& jobs,
                   const std::vector<std::string>& before,
                   std::vector<Step>* steps) {
  std::map<std::string, std::size_t> places;
  for (const YamlEntry& entry : jobs.entries) places.emplace(entry.key, places.size());
  std::vector<std::pair<std::size_t, Step>> placed;
  for (Step& step : *steps) {
    const std::size_t index = placed.size();
    const std::string& node = index < before.size() ? before[index] : step.name;
    placed.emplace_back(places[node], std::move(step));
  }
  std::ranges::stable_sort(placed, {}, &std::pair<std::size_t, Step>::first);
  std::ranges::transform(placed, steps->begin(), [](auto& step) { return std::move(step.second); });
}

}  // namespace

bool ReadSteps(const YamlNode& jobs,
               const Origin& origin,
               std::vector<Input>* inputs,
               std::vector<Output>* outputs,
               Reading* reading) {
  Scope& scope = *reading->scope;
  scope.inputs = inputs;
  scope.outputs = outputs;
  bool is_whole = true;
  std::vector<const YamlEntry*> pipelines;
  std::vector<const YamlEntry*> control_flow;
  for (const YamlEntry& entry : jobs.entries) {
    if (!CountStep(entry, reading)) return false;
    const NodeKind kind = KindOfNode(*entry.value);
    if (IsControlFlow(kind)) {
      control_flow.push_back(&entry);
    } else if (kind == NodeKind::kPipeline && entry.value->Find("component") == nullptr) {
      pipelines.push_back(&entry);
    } else {
      is_whole = NodeReader(entry, origin, reading).Read() && is_whole;
    }
  }
  NoteLoops(control_flow, &scope);
  for (const YamlEntry* pipeline : InOrderOfNeed(pipelines, scope)) {
    is_whole = NodeReader(*pipeline, origin, reading).Read() && is_whole;
  }
  InferTypes(inputs, outputs, &scope);
  std::vector<Step>& steps = scope.steps;
  std::vector<std::string> before;
  before.reserve(steps.size());
  for (const Step& step : steps) before.push_back(step.name);
  if (!control_flow.empty() && is_whole) {
    is_whole = ReadControlFlow(control_flow, origin, reading);
    InferTypes(inputs, outputs, &scope);
  }
  if (!control_flow.empty() || !pipelines.empty()) SortAsWritten(jobs, before, &steps);
  return is_whole;
}

void ReadStandaloneStep(const std::string& type,
                        Fields* fields,
                        const Origin& origin,
                        Reading* reading) {
  Step step;
  PortContext context{reading, origin, "the job", "jobs.main.", Severity::kError, false};
  const NodeKind kind = KindOfType(type);
  if (kind == NodeKind::kSweep) {
    reading->is_whole = ReadSweep(fields, context, "main", &step) && reading->is_whole;
  } else if (kind == NodeKind::kOpaque) {
    context.missing = PortContext::Missing::kWarning;
    ReadOpaque(type, nullptr, fields, context, &step);
    step.compute = ResourceName(fields->Text("compute"));
  } else {
    ReadCommand(fields, origin, reading, &step);
    ReadRunSettings(fields, origin, Severity::kError, reading, &step);
    ReadLimits(fields, Severity::kError, reading, &step);
    ReadPolicy(fields, reading, &step);
    step.compute = ResourceName(fields->Text("compute"));
    GivePorts(fields, context, &step);
  }
  step.name = "main";
  reading->sources.SetOnlyStep(step.name);
  reading->scope->steps.push_back(std::move(step));
}

}  // namespace potok::client
