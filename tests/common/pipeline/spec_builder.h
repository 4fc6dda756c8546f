// Pipelines as literals of tests.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/pipeline/spec.h"

namespace potok {

inline Input AnInput(const std::string& name, ValueType type, Binding value) {
  Input input;
  input.name = name;
  input.type = type;
  input.value = std::move(value);
  return input;
}

inline Input ABinding(const std::string& name, ValueType type, const std::string& text) {
  return AnInput(name, type, TextValue{text});
}

inline Output APromoted(const std::string& name, const std::string& promoted_to) {
  Output output;
  output.name = name;
  output.promoted_to = promoted_to;
  return output;
}

inline Output AnOutput(const std::string& name) {
  return APromoted(name, "");
}

inline Step AStep(const std::string& name,
                  const std::string& command,
                  std::vector<Input> inputs = {},
                  std::vector<Output> outputs = {}) {
  Step step;
  step.name = name;
  step.command = command;
  step.inputs = std::move(inputs);
  step.outputs = std::move(outputs);
  return step;
}

inline PipelineSpec APipeline(std::vector<Input> inputs,
                              std::vector<Output> outputs,
                              std::vector<Step> steps) {
  PipelineSpec spec;
  spec.inputs = std::move(inputs);
  spec.outputs = std::move(outputs);
  spec.steps = std::move(steps);
  return spec;
}

}  // namespace potok
