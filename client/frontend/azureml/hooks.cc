#include "client/frontend/azureml/hooks.h"

#include <algorithm>
#include <set>

#include "client/frontend/azureml/step_names.h"
#include "common/pipeline/flatten.h"
#include "common/pipeline/suggest.h"
#include "fmt/format.h"

namespace potok::client {

namespace {

// The step that the hook names, or null.
Step* HookStep(const YamlNode& value, const char* key, Reading* reading) {
  Scope& scope = *reading->scope;
  const std::string name = StepNameOf(value.text);
  const std::size_t index = scope.IndexOf(name);
  if (index < scope.steps.size()) return &scope.steps[index];
  std::vector<std::string> names;
  for (const Step& step : scope.steps) names.push_back(step.name);
  reading->reporter.Error(
      value.at,
      fmt::format("settings.{}: there is no node '{}'{}", key, name, SuggestionFor(name, names)));
  return nullptr;
}

// One node, or a list of them: the steps of a nested pipeline, as `potok job clone` writes them.
std::vector<Step*> FinalSteps(Fields* settings, Reading* reading) {
  const char* key = "on_finalize";
  const YamlNode* value = settings->Value(key);
  std::vector<const YamlNode*> items;
  if (value != nullptr && value->IsList()) {
    items = value->items;
  } else if (value != nullptr) {
    items = {settings->Scalar(key)};
  }
  std::vector<Step*> steps;
  for (const YamlNode* item : items) {
    if (item == nullptr) continue;  // a map, of which it is told already
    if (!item->IsScalar()) {
      reading->reporter.Error(item->at, "settings.on_finalize names a node, or lists some");
    } else if (Step* step = HookStep(*item, key, reading); step != nullptr) {
      steps.push_back(step);
    }
  }
  return steps;
}

// Azure ML: what goes before all others takes nothing from them, and gives them no data.
void CheckIsolated(const Step& init, const Place& at, Reading* reading) {
  const auto refuse = [&](const std::string& other) {
    reading->reporter.Error(at,
                            fmt::format("settings.on_init: '{}' goes before all others, so no data "
                                        "or order can be between it and '{}'",
                                        init.name,
                                        other));
  };
  for (const Step& step : reading->scope->steps) {
    Step copy = step;
    RenameSteps(
        [&](const std::string& name, const std::string&) {
          if (step.name == init.name) {
            refuse(name);
          } else if (name == init.name) {
            refuse(step.name);
          }
          return name;
        },
        &copy);
  }
}

}  // namespace

void ReadHooks(Fields* settings, Reading* reading) {
  Scope& scope = *reading->scope;
  const YamlNode* first = settings->Scalar("on_init");
  Step* init = first == nullptr ? nullptr : HookStep(*first, "on_init", reading);
  const std::vector<Step*> last = FinalSteps(settings, reading);
  if (init == nullptr && last.empty()) return;
  const Place at = settings->At(init != nullptr ? "on_init" : "on_finalize");
  if (init != nullptr && std::ranges::find(last, init) != last.end()) {
    reading->reporter.Error(
        at, fmt::format("'{}' is both settings.on_init and settings.on_finalize", init->name));
    return;
  }
  const std::set<Step*> finals(last.begin(), last.end());
  if (scope.steps.size() == finals.size() + (init != nullptr ? 1 : 0)) {
    reading->reporter.Error(
        at, "settings.on_init and on_finalize need at least one other node between them");
    return;
  }
  for (Step* step : last) step->finalizes = true;
  if (init == nullptr) return;
  CheckIsolated(*init, at, reading);
  for (Step& step : scope.steps) {
    if (&step != init && !step.finalizes && NeedsNoOther(step))
      step.depends_on.push_back(init->name);
  }
}

}  // namespace potok::client
