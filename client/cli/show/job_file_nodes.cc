#include "client/cli/show/job_file_nodes.h"

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "client/cli/show/job_file_blocks.h"
#include "client/cli/show/job_file_fields.h"
#include "client/cli/show/job_file_kinds.h"
#include "common/base/overloaded.h"
#include "common/base/status_macros.h"
#include "common/pipeline/control.h"
#include "common/pipeline/template.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

constexpr const char* kRegistryComponent = "registry component";

Object ComponentHead(const char* type, const Step& step) {
  Object component = {{"type", type}};
  AddText("name", step.component, &component);
  AddText("version", step.component_version, &component);
  if (!step.deterministic) component.emplace_back("is_deterministic", false);
  return component;
}

Object CommandComponent(const Step& step) {
  Object component = ComponentHead("command", step);
  AddText("command", step.command, &component);
  AddCode(step.code, &component);
  AddDeclaredPorts(step, &component);
  return component;
}

Object ParallelComponent(const Step& step) {
  Object component = ComponentHead("parallel", step);
  AddMiniBatches(std::get<Parallel>(step.control->kind), step, &component);
  AddDeclaredPorts(step, &component);
  return component;
}

// How a trial runs stands in it, but for its compute, which only the sweep can say.
absl::StatusOr<Object> TrialComponent(const Step& sweep) {
  Step trial = sweep.control->body.front();
  trial.inputs = sweep.inputs;
  if (trial.priority == 0) trial.priority = sweep.priority;
  if (!trial.preemptible.has_value()) trial.preemptible = sweep.preemptible;
  Object component = CommandComponent(trial);
  AddText("display_name", trial.display_name, &component);
  AddText("description", trial.description, &component);
  AddTexts("tags", trial.tags, &component);
  POTOK_RETURN_IF_ERROR(AddRunSettings(trial, &component));
  return component;
}

// The reference that is quoted where it is told why the component cannot be read.
std::string RegistryReference(const Opaque& opaque) {
  const std::size_t open = opaque.instead.find('\'');
  const std::size_t close = opaque.instead.find('\'', open + 1);
  if (close == std::string::npos) return "azureml://registries/unknown";
  return opaque.instead.substr(open + 1, close - open - 1);
}

bool IsUnnamed(const std::vector<Step>& body) {
  return body.size() == 1 && body.front().name.empty();
}

bool IsParallelFor(const Step& loop) {
  return std::holds_alternative<ParallelFor>(loop.control->kind);
}

const Input* FindInput(const Step& step, const std::string& name) {
  const auto input = std::ranges::find(step.inputs, name, &Input::name);
  return input == step.inputs.end() ? nullptr : &*input;
}

// The input of the loop that holds the items of a loop which is its body.
const Input* LiftedItems(const Step& loop, const Input& items) {
  const auto* text = std::get_if<TextValue>(&items.value);
  if (text == nullptr) return nullptr;
  const auto parts = ParseTemplate(text->text, TemplatePlace::kBinding);
  if (!parts.ok() || !IsSingleExpression(*parts)) return nullptr;
  const auto* parent = std::get_if<ParentInput>(&std::get<Expression>(parts->front()));
  return parent == nullptr ? nullptr : FindInput(loop, parent->name);
}

// The one step that a loop repeats, bound and promoted as the node that it was.
Step StepAsNode(const Step& loop) {
  Step node = loop.control->body.front();
  for (Input& input : node.inputs) {
    const Input* outer =
        input.name == kItemsInput ? LiftedItems(loop, input) : FindInput(loop, input.name);
    if (outer != nullptr) input.value = outer->value;
  }
  if (!IsParallelFor(loop)) {
    node.outputs = loop.outputs;
  } else {
    for (Output& output : node.outputs) output.promoted_to.clear();
  }
  return node;
}

// Of a pipeline that is repeated, whose outputs the loop has gathered.
void RestoreOutput(const std::vector<Step>& body, Output* output) {
  Output restored;
  restored.name = output->name;
  for (const Step& step : body) {
    const auto producer = std::ranges::find(step.outputs, output->name, &Output::promoted_to);
    if (producer != step.outputs.end()) restored.type = producer->type;
  }
  *output = std::move(restored);
}

Step PipelineAsNode(const Step& loop) {
  Step node;
  node.display_name = loop.display_name;
  node.inputs = loop.inputs;
  std::erase_if(node.inputs, [](const Input& input) { return input.name == kItemsInput; });
  node.outputs = loop.outputs;
  if (IsParallelFor(loop)) {
    for (Output& output : node.outputs) RestoreOutput(loop.control->body, &output);
  }
  node.control = std::make_shared<const Control>(Control{Nested{}, loop.control->body});
  return node;
}

class NodeWriter {
 public:
  explicit NodeWriter(const std::vector<Step>& steps) : steps_(steps), decided_(FindBlocks(steps)) {
    for (const Step& step : steps) names_.insert(step.name);
  }

  absl::StatusOr<Object> Write() {
    for (const Step& step : steps_) {
      const auto when = decided_.own_when.find(step.name);
      Step undecided = step;
      undecided.when = when->second;
      POTOK_RETURN_IF_ERROR(Add(undecided));
    }
    return std::move(nodes_);
  }

 private:
  absl::Status Add(const Step& step) {
    if (step.control == nullptr) return AddCommand(step);
    return std::visit(Overloaded{[&](const Condition&) { return AddConditionNode(step); },
                                 [&](const DoWhile&) { return AddLoop(step); },
                                 [&](const ParallelFor&) { return AddLoop(step); },
                                 [&](const Sweep& sweep) { return AddSweep(sweep, step); },
                                 [&](const Parallel&) {
                                   return AddComponentNode(
                                       "parallel", ParallelComponent(step), step);
                                 },
                                 [&](const Opaque& opaque) { return AddOpaque(opaque, step); },
                                 [&](const Nested&) { return AddInlinePipeline(step); },
                                 [&](const Gang&) { return AddCommand(step); }},
                      step.control->kind);
  }

  static Object Head(const char* type, const Step& step) {
    Object node = {{"type", type}};
    AddText("display_name", step.display_name, &node);
    AddText("description", step.description, &node);
    AddTexts("tags", step.tags, &node);
    AddStrings("depends_on", step.depends_on, &node);
    AddText("when", step.when, &node);
    return node;
  }

  // Of a node whose run settings are not its own.
  static void AddPlacement(const Step& step, Object* node) {
    AddText("compute", step.compute, node);
    if (step.priority != 0) node->emplace_back("priority", step.priority);
    if (step.preemptible.has_value()) node->emplace_back("preemptible", *step.preemptible);
  }

  absl::Status AddComponentNode(const char* type, Object component, const Step& step) {
    Object node = Head(type, step);
    AddBoundPorts(step, &node);
    AddText("compute", step.compute, &node);
    POTOK_RETURN_IF_ERROR(AddRunSettings(step, &node));
    node.emplace_back("component", std::move(component));
    nodes_.emplace_back(step.name, std::move(node));
    return absl::OkStatus();
  }

  // What only a component can say needs one; else the node itself has the command.
  absl::Status AddCommand(const Step& step) {
    const bool is_inline =
        step.component.empty() && step.component_version.empty() && step.deterministic;
    if (!is_inline) return AddComponentNode("command", CommandComponent(step), step);
    Object node = Head("command", step);
    AddText("command", step.command, &node);
    AddCode(step.code, &node);
    AddWholePorts(step.inputs, step.outputs, &node);
    AddText("compute", step.compute, &node);
    POTOK_RETURN_IF_ERROR(AddRunSettings(step, &node));
    nodes_.emplace_back(step.name, std::move(node));
    return absl::OkStatus();
  }

  static Value References(const std::vector<std::string>& names) {
    Array references;
    for (const std::string& name : names) references.emplace_back(Reference(name));
    return Value(std::move(references));
  }
  static std::string Reference(const std::string& name) {
    return fmt::format("${{{{parent.jobs.{}}}}}", name);
  }

  absl::Status AddConditionNode(const Step& step) {
    Object node = Head("if_else", step);
    AddPlacement(step, &node);
    AddCondition(step, &node);
    const Blocks& blocks = decided_.blocks[step.name];
    // One block there must be, if it is empty.
    if (!blocks.when_true.empty() || blocks.when_false.empty()) {
      node.emplace_back("true_block", References(blocks.when_true));
    }
    if (!blocks.when_false.empty()) {
      node.emplace_back("false_block", References(blocks.when_false));
    }
    nodes_.emplace_back(step.name, std::move(node));
    return absl::OkStatus();
  }

  // A name that no step has, for the node that the loop repeats.
  std::string BodyName(const std::string& loop) {
    std::string name = loop + "_body";
    while (!names_.insert(name).second) name += "_";
    return name;
  }

  absl::Status AddLoop(const Step& loop) {
    const bool is_unnamed = IsUnnamed(loop.control->body);
    Step body = is_unnamed ? StepAsNode(loop) : PipelineAsNode(loop);
    body.name = BodyName(loop.name);
    POTOK_RETURN_IF_ERROR(Add(body));
    Step named = loop;
    // Left out, it is the body's.
    if (named.display_name == body.display_name) named.display_name = "";
    const auto* again = std::get_if<DoWhile>(&loop.control->kind);
    Object node = Head(again != nullptr ? "do_while" : "parallel_for", named);
    AddPlacement(loop, &node);
    node.emplace_back("body", Reference(body.name));
    if (again != nullptr) {
      AddDoWhile(*again, body.name, &node);
    } else {
      AddParallelFor(std::get<ParallelFor>(loop.control->kind), loop, &node);
    }
    nodes_.emplace_back(loop.name, std::move(node));
    return absl::OkStatus();
  }

  absl::Status AddSweep(const Sweep& sweep, const Step& step) {
    if (step.control->body.size() != 1) {
      return absl::InternalError(fmt::format("the sweep {} has no trial", step.name));
    }
    Object node = Head("sweep", step);
    const std::string& own = step.control->body.front().compute;
    AddText("compute", own.empty() ? step.compute : own, &node);
    AddBoundPorts(step, &node);
    AddSearch(sweep, &node);
    POTOK_ASSIGN_OR_RETURN(Object trial, TrialComponent(step));
    node.emplace_back("trial", std::move(trial));
    nodes_.emplace_back(step.name, std::move(node));
    return absl::OkStatus();
  }

  // Other services' keys are not kept: such a step is never run, only shown.
  absl::Status AddOpaque(const Opaque& opaque, const Step& step) {
    const bool is_elsewhere = opaque.type == kRegistryComponent;
    Object node = Head(is_elsewhere ? "command" : opaque.type.c_str(), step);
    AddWholePorts(step.inputs, step.outputs, &node);
    AddText("compute", step.compute, &node);
    const Object unknown = {{"class_name", "unknown"}};
    const bool is_spark = opaque.type == "spark";
    if (is_elsewhere) {
      node.emplace_back("component", RegistryReference(opaque));
      POTOK_RETURN_IF_ERROR(AddRunSettings(step, &node));
    } else if (!step.component.empty()) {
      Object component = ComponentHead(opaque.type.c_str(), step);
      AddDeclaredPorts(step, &component);
      if (is_spark) component.emplace_back("entry", unknown);
      node.emplace_back("component", std::move(component));
      POTOK_RETURN_IF_ERROR(AddRunSettings(step, &node));
    } else if (is_spark) {
      node.emplace_back("entry", unknown);
    }
    nodes_.emplace_back(step.name, std::move(node));
    return absl::OkStatus();
  }

  absl::Status AddInlinePipeline(const Step& step) {
    Object node = Head("pipeline", step);
    AddWholePorts(step.inputs, step.outputs, &node);
    POTOK_ASSIGN_OR_RETURN(Object jobs, NodesOf(step.control->body));
    node.emplace_back("jobs", std::move(jobs));
    nodes_.emplace_back(step.name, std::move(node));
    return absl::OkStatus();
  }

  const std::vector<Step>& steps_;
  Decided decided_;
  std::set<std::string> names_;
  Object nodes_;
};

}  // namespace

absl::StatusOr<Object> NodesOf(const std::vector<Step>& steps) {
  return NodeWriter(steps).Write();
}

}  // namespace potok::client
