#include "client/frontend/azureml/hooks.h"

#include "client/frontend/azureml/step_names.h"
#include "common/pipeline/flatten.h"
#include "common/pipeline/suggest.h"
#include "fmt/format.h"

namespace potok::client {

namespace {

// The step that the hook names, or null.
Step* HookStep(Fields* settings, const char* key, Reading* reading) {
  const YamlNode* value = settings->Scalar(key);
  if (value == nullptr) return nullptr;
  Scope& scope = *reading->scope;
  const std::string name = StepNameOf(value->text);
  const std::size_t index = scope.IndexOf(name);
  if (index < scope.steps.size()) return &scope.steps[index];
  std::vector<std::string> names;
  for (const Step& step : scope.steps) names.push_back(step.name);
  reading->reporter.Error(
      value->at,
      fmt::format("settings.{}: there is no node '{}'{}", key, name, SuggestionFor(name, names)));
  return nullptr;
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
  Step* init = HookStep(settings, "on_init", reading);
  Step* finalize = HookStep(settings, "on_finalize", reading);
  if (init == nullptr && finalize == nullptr) return;
  const Place at = settings->At(init != nullptr ? "on_init" : "on_finalize");
  if (init == finalize) {
    reading->reporter.Error(
        at, fmt::format("'{}' is both settings.on_init and settings.on_finalize", init->name));
    return;
  }
  const std::size_t hooks = (init != nullptr ? 1 : 0) + (finalize != nullptr ? 1 : 0);
  if (scope.steps.size() == hooks) {
    reading->reporter.Error(
        at, "settings.on_init and on_finalize need at least one other node between them");
    return;
  }
  if (finalize != nullptr) finalize->finalizes = true;
  if (init == nullptr) return;
  CheckIsolated(*init, at, reading);
  for (Step& step : scope.steps) {
    if (&step != init && !step.finalizes && NeedsNoOther(step))
      step.depends_on.push_back(init->name);
  }
}

}  // namespace potok::client
