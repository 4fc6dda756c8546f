#include "client/frontend/azureml/loop_body.h"

#include <algorithm>

#include "common/pipeline/template.h"

namespace potok::client {

namespace {

// A loop as the body of a loop: its items come through a port that a template can name.
void LiftItems(Input* items, Step* outer) {
  const auto* text = std::get_if<TextValue>(&items->value);
  if (text == nullptr || text->text.find("${{") == std::string::npos) return;
  Input lifted = *items;
  lifted.name = "items";
  while (std::ranges::find(outer->inputs, lifted.name, &Input::name) != outer->inputs.end()) {
    lifted.name += "_";
  }
  items->value = TextValue{Spelled(ParentInput{lifted.name})};
  outer->inputs.push_back(std::move(lifted));
}

}  // namespace

std::vector<Step> BodyOf(const Step& step, Step* outer) {
  std::erase_if(outer->inputs, [](const Input& input) { return input.name == kItemsInput; });
  if (step.control != nullptr && std::holds_alternative<Nested>(step.control->kind)) {
    return step.control->body;
  }
  Step body = step;
  body.name.clear();
  body.depends_on.clear();
  body.when.clear();
  body.finalizes = false;
  for (Input& input : body.inputs) {
    if (input.name == kItemsInput) {
      LiftItems(&input, outer);
    } else {
      input.value = TextValue{Spelled(ParentInput{input.name})};
    }
  }
  for (Output& output : body.outputs) {
    output.promoted_to = output.name;
    output.asset_name.clear();
    output.asset_version.clear();
  }
  return {std::move(body)};
}

}  // namespace potok::client
