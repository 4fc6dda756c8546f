#include "agent/domain/runtime.h"

#include <utility>

namespace potok::agent {

namespace {

// Whether the step's image would run in a container. What the step asks for comes first, then what
// its pool says, then this machine's flag.
bool RunsImages(const AttemptOrder& order, const RuntimeSettings& settings) {
  const bool by_flag = order.isolation == "container" || order.images.empty();
  return by_flag ? settings.images_in_containers : order.images == "container";
}

}  // namespace

RuntimeChoice ChooseRuntime(const AttemptOrder& order, const RuntimeSettings& settings) {
  RuntimeChoice choice;
  const bool images_run = RunsImages(order, settings);
  if (images_run || settings.python_is_built) {
    choice.environment = ParseEnvironmentDefinition(order.environment_definition);
  }
  const bool has_image = !choice.environment.image.empty();
  const bool is_demanded =
      order.isolation == "container" || (order.images == "container" && has_image);
  choice.python = settings.python_is_built && choice.environment.python.has_value() && !is_demanded;
  choice.container = images_run && has_image && !choice.python;
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
