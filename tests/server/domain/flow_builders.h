// Control steps as literals of tests.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/pipeline/control.h"
#include "tests/server/domain/builders.h"

namespace potok::server {

// ${{parent.inputs.NAME}}
inline std::string ParentInputOf(const std::string& name) {
  return "${{parent.inputs." + name + "}}";
}

inline Step Promoting(Step step, const std::string& output, const std::string& promoted_to) {
  for (Output& one : step.outputs) {
    if (one.name == output) one.promoted_to = promoted_to;
  }
  return step;
}

template <class Kind>
Step AControl(Step step, Kind kind, std::vector<Step> body) {
  auto control = std::make_shared<Control>();
  control->kind = std::move(kind);
  control->body = std::move(body);
  step.command.clear();
  step.control = std::move(control);
  return step;
}

inline Step ALoop(Step step, const std::string& items, std::vector<Step> body, int at_once = 0) {
  Input input;
  input.name = kItemsInput;
  input.value = TextValue{items};
  step.inputs.push_back(input);
  return AControl(std::move(step), ParallelFor{at_once}, std::move(body));
}

inline Step When(Step step, const std::string& when) {
  step.when = when;
  return step;
}

inline Step Retried(Step step, RetryPolicy retry) {
  step.retry = std::move(retry);
  return step;
}

}  // namespace potok::server
