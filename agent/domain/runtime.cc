#include "agent/domain/runtime.h"

#include <utility>

namespace potok::agent {

RuntimeChoice ChooseRuntime(const AttemptOrder& order, const RuntimeSettings& settings) {
  RuntimeChoice choice;
  if (settings.images_in_containers || settings.python_is_built) {
    choice.environment = ParseEnvironmentDefinition(order.environment_definition);
  }
  choice.python = settings.python_is_built && choice.environment.python.has_value() &&
                  order.isolation != "container";
  choice.container =
      settings.images_in_containers && !choice.environment.image.empty() && !choice.python;
  const bool apart =
      settings.sandbox_always || order.isolation == "sandbox" || order.network == "none";
  choice.sandbox = apart && !choice.container;
  return choice;
}

PreparedRuntime PlainRuntime(RuntimeChoice choice) {
  PreparedRuntime runtime;
  if (choice.sandbox) runtime.shown = "sandbox";
  runtime.choice = std::move(choice);
  return runtime;
}

}  // namespace potok::agent
