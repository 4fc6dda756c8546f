#include "client/frontend/azureml/control_flow.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "client/frontend/azureml/do_while.h"
#include "client/frontend/azureml/loop_body.h"
#include "client/frontend/azureml/node_type.h"
#include "client/frontend/azureml/parallel_for.h"
#include "client/frontend/azureml/policy.h"
#include "client/frontend/azureml/reference.h"
#include "client/frontend/azureml/step_names.h"
#include "common/pipeline/suggest.h"
#include "common/pipeline/when.h"
#include "fmt/format.h"

namespace potok::client {

namespace {

// What a node of control flow says of itself, whatever its kind.
struct FlowNode {
  FlowNode(const YamlEntry& node, Reading* reading)
      : entry(node),
        kind(KindOfType(Fields(node.value, "", &reading->reporter).Word("type"))),
        fields(node.value,
               fmt::format("node '{}'", node.key),
               &reading->reporter,
               ResolverOf(reading)) {}

  const YamlEntry& entry;
  NodeKind kind;
  Fields fields;
  enum class State { kNew, kOpen, kDone, kFailed };
  State state = State::kNew;
};

class ControlFlow {
 public:
  ControlFlow(const std::vector<const YamlEntry*>& nodes, const Origin& origin, Reading* reading)
      : origin_(origin), reading_(reading), scope_(*reading->scope) {
    for (const YamlEntry* node : nodes) {
      nodes_.push_back(std::make_unique<FlowNode>(*node, reading));
      by_name_[node->key] = nodes_.back().get();
    }
  }

  bool Run() {
    bool is_whole = true;
    for (const auto& node : nodes_) is_whole = Build(node.get()) && is_whole;
    if (is_whole) {
      for (Step& step : scope_.steps) Rename(&step);
    }
    for (const auto& node : nodes_) {
      const bool is_built = node->state == FlowNode::State::kDone;
      if (is_built && node->kind == NodeKind::kIfElse) WireBlocks(node.get());
    }
    return is_whole;
  }

 private:
  void Error(const Place& at, const std::string& message) { reading_->reporter.Error(at, message); }

  bool Build(FlowNode* node) {
    if (node->state == FlowNode::State::kOpen) {
      Error(node->entry.at,
            fmt::format("{} is the body of itself, by way of other loops", node->fields.what()));
      return false;
    }
    if (node->state == FlowNode::State::kNew) {
      node->state = FlowNode::State::kOpen;
      const bool is_built =
          node->kind == NodeKind::kIfElse ? BuildCondition(node) : BuildLoop(node);
      node->state = is_built ? FlowNode::State::kDone : FlowNode::State::kFailed;
    }
    return node->state == FlowNode::State::kDone;
  }

  // What is left when the keys of the kind are read.
  void ReadRest(FlowNode* node, Step* step) {
    Fields& fields = node->fields;
    step->name = node->entry.key;
    if (const std::string text = fields.RawText("display_name"); !text.empty()) {
      step->display_name = text;
    }
    if (const std::string text = fields.RawText("description"); !text.empty()) {
      step->description = text;
    }
    for (auto& [key, tag] : fields.Texts("tags", Fields::Strictness::kTextsOnly)) {
      step->tags[key] = tag;
    }
    if (const std::string compute = ResourceName(fields.Text("compute")); !compute.empty()) {
      step->compute = compute;
    }
    const std::string inherited = step->when;
    ReadOrder(&fields, reading_, step);
    if (!inherited.empty() && fields.Value("when") != nullptr) {
      Error(fields.At("when"),
            fmt::format("{} has a when, and so has its body; keep one", fields.what()));
    }
    ReadPriorityOnly(&fields, "write it in the body", reading_, step);
    fields.Ignore({"$schema", "type", "id", "comment", "properties", "name", "creation_context"});
    fields.ReportUnknown(Severity::kError);
  }

  bool BuildCondition(FlowNode* node) {
    const YamlNode* condition = node->fields.Scalar("condition");
    if (condition == nullptr) {
      Error(node->entry.at,
            fmt::format("{} has no condition; bind a boolean output, or write true or false",
                        node->fields.what()));
      return false;
    }
    Step step;
    Input input;
    input.name = kConditionInput;
    input.type = ValueType::kBoolean;
    input.value = TextValue{ConditionText(*condition)};
    step.inputs.push_back(std::move(input));
    Output taken;
    taken.name = kTakenOutput;
    taken.type = ValueType::kBoolean;
    taken.control = true;
    step.outputs.push_back(std::move(taken));
    step.control = std::make_shared<const Control>(Control{Condition{}, {}});
    node->fields.Value("true_block");
    node->fields.Value("false_block");
    ReadRest(node, &step);
    reading_->sources.AddStep(scope_.FullName(step.name), &node->entry, nullptr);
    scope_.steps.push_back(std::move(step));
    return true;
  }

  std::vector<std::string> NamesInScope() const {
    std::vector<std::string> names;
    for (const Step& step : scope_.steps) names.push_back(step.name);
    for (const auto& [name, node] : by_name_) {
      if (scope_.IndexOf(name) == scope_.steps.size()) names.push_back(name);
    }
    return names;
  }

  // The place among the scope's steps of the body that a loop names.
  std::optional<std::size_t> FindBody(FlowNode* node) {
    const YamlNode* value = node->fields.Scalar("body");
    if (value == nullptr) {
      Error(node->entry.at,
            fmt::format("{} has no body; write body: ${{{{parent.jobs.NODE}}}}",
                        node->fields.what()));
      return std::nullopt;
    }
    const std::string name = StepNameOf(value->text);
    const auto inner = by_name_.find(name);
    if (inner != by_name_.end() && inner->second->kind == NodeKind::kIfElse) {
      Error(value->at,
            fmt::format("{}: an if_else cannot be a body; put it into a pipeline component, and "
                        "make that the body",
                        node->fields.what()));
      return std::nullopt;
    }
    if (inner != by_name_.end() && !Build(inner->second)) return std::nullopt;
    if (const auto other = loops_.find(name); other != loops_.end()) {
      Error(value->at,
            fmt::format("{}: '{}' is the body of '{}' already; a node has one loop",
                        node->fields.what(),
                        name,
                        other->second));
      return std::nullopt;
    }
    const std::size_t index = scope_.IndexOf(name);
    if (index < scope_.steps.size()) return index;
    Error(value->at,
          fmt::format("{}: there is no node '{}'{}",
                      node->fields.what(),
                      name,
                      SuggestionFor(name, NamesInScope())));
    return std::nullopt;
  }

  bool BuildLoop(FlowNode* node) {
    const std::optional<std::size_t> index = FindBody(node);
    if (!index) return false;
    const Step& body = scope_.steps[*index];
    Step loop;
    loop.inputs = body.inputs;
    loop.outputs = body.outputs;
    loop.depends_on = body.depends_on;
    loop.when = body.when;
    loop.display_name = body.display_name;
    loop.deterministic = body.deterministic;
    const bool is_nested =
        body.control != nullptr && std::holds_alternative<Nested>(body.control->kind);
    if (is_nested) loop.compute = body.compute;  // a command keeps its own
    auto control = std::make_shared<Control>();
    control->body = BodyOf(body, &loop);
    const bool is_while = node->kind == NodeKind::kDoWhile;
    if (is_while) {
      control->kind = ReadDoWhile(node->entry.at, body.name, &node->fields, reading_);
      while_of_[body.name] = node->entry.key;
    } else {
      control->kind =
          ReadParallelFor(node->entry.key, body.name, origin_, &node->fields, &loop, reading_);
    }
    loop.control = std::move(control);
    ReadRest(node, &loop);
    loops_[body.name] = node->entry.key;
    reading_->sources.AddLoop(&node->entry, scope_.FullName(loop.name), scope_.FullName(body.name));
    scope_.steps[*index] = std::move(loop);
    return true;
  }

  // Others see the outputs of a do_while's body as the loop's; of a parallel_for's body there are
  // many, so only the loop's can be meant.
  void Rename(Step* step) {
    RenameSteps(
        [&](const std::string& name, const std::string& part) {
          std::string current = name;
          for (auto loop = while_of_.find(current); loop != while_of_.end();
               loop = while_of_.find(current)) {
            current = loop->second;
          }
          const auto loop = loops_.find(current);
          if (loop != loops_.end() && !while_of_.contains(current)) {
            Error(reading_->sources.Find("jobs." + scope_.FullName(step->name) + "." + part).place,
                  fmt::format("'{}' is the body of the parallel_for '{}' and runs once for each "
                              "item; name '{}', whose outputs hold all of them",
                              name,
                              loop->second,
                              loop->second));
          }
          return current;
        },
        step);
  }

  // The steps that a block names.
  std::vector<std::string> BlockOf(FlowNode* node, const char* key) {
    const YamlNode* value = node->fields.Value(key);
    std::vector<const YamlNode*> items;
    if (value != nullptr) items = value->IsList() ? value->items : std::vector{value};
    std::vector<std::string> names;
    for (const YamlNode* item : items) {
      std::string name = item->IsScalar() ? StepNameOf(item->text) : "";
      if (const auto loop = loops_.find(name); loop != loops_.end()) name = loop->second;
      const bool is_itself = name == node->entry.key;
      if (scope_.IndexOf(name) < scope_.steps.size() && !is_itself) {
        names.push_back(name);
        continue;
      }
      if (!is_itself && by_name_.contains(name)) continue;  // it is wrong, and that is told already
      Error(item->at,
            is_itself ? fmt::format("{}: {} names the node itself", node->fields.what(), key)
                      : fmt::format("{}: {} names '{}', which is no node{}; write "
                                    "${{{{parent.jobs.NODE}}}}, or a list of them",
                                    node->fields.what(),
                                    key,
                                    name,
                                    SuggestionFor(name, NamesInScope())));
    }
    return names;
  }

  // Whether some step asks for the condition in a `when` of its own.
  bool IsLookedAt(const std::string& condition) const {
    return std::ranges::any_of(scope_.steps, [&](const Step& step) {
      const auto when = When::Parse(step.when);
      if (step.when.empty() || !when.ok()) return false;
      const std::vector<std::string> steps = when->Steps();
      return std::ranges::find(steps, condition) != steps.end();
    });
  }

  void WireBlocks(FlowNode* node) {
    const std::vector<std::string> when_true = BlockOf(node, "true_block");
    const std::vector<std::string> when_false = BlockOf(node, "false_block");
    const bool has_block =
        node->fields.Value("true_block") != nullptr || node->fields.Value("false_block") != nullptr;
    if (!has_block && !IsLookedAt(node->entry.key)) {
      Error(node->entry.at,
            fmt::format("{} has neither a true_block nor a false_block; write one",
                        node->fields.what()));
    }
    for (const std::string& name : when_true) {
      if (std::ranges::find(when_false, name) != when_false.end()) {
        Error(node->fields.At("false_block"),
              fmt::format("{}: '{}' stands in both blocks, so the condition decides nothing",
                          node->fields.what(),
                          name));
        return;
      }
      Decide(name, node->entry.key, "true");
    }
    for (const std::string& name : when_false) Decide(name, node->entry.key, "false");
  }

  void Decide(const std::string& name, const std::string& condition, const char* taken) {
    Step& step = scope_.steps[scope_.IndexOf(name)];
    step.when = BothWhen(step.when,
                         fmt::format("jobs.{}.outputs.{} == {}", condition, kTakenOutput, taken));
  }

  const Origin& origin_;
  Reading* reading_;
  Scope& scope_;
  std::vector<std::unique_ptr<FlowNode>> nodes_;
  std::map<std::string, FlowNode*> by_name_;
  std::map<std::string, std::string> loops_;     // by body
  std::map<std::string, std::string> while_of_;  // those that are do_while
};

}  // namespace

bool ReadControlFlow(const std::vector<const YamlEntry*>& nodes,
                     const Origin& origin,
                     Reading* reading) {
  return ControlFlow(nodes, origin, reading).Run();
}

}  // namespace potok::client
