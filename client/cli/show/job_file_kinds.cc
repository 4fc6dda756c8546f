#include "client/cli/show/job_file_kinds.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "client/cli/show/job_file_fields.h"
#include "common/pipeline/template.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

void AddUnless(const char* key, std::int64_t by_default, std::int64_t number, Object* object) {
  if (number != by_default) object->emplace_back(key, number);
}

void AddNonZero(const char* key, double number, Object* object) {
  if (number != 0) object->emplace_back(key, number);
}

// Items as YAML, where that means the same; else as the JSON text that they are.
Value ItemsOf(const std::string& text) {
  absl::StatusOr<Value> items = ParseJson(text);
  const bool is_same = items.ok() && ToCompactJson(*items) == text;
  return is_same ? *std::move(items) : Value(text);
}

Value SamplingOf(const Sweep& sweep) {
  Object object = {{"type", sweep.algorithm}};
  AddText("rule", sweep.rule, &object);
  if (sweep.seed) object.emplace_back("seed", *sweep.seed);
  if (sweep.logbase) object.emplace_back("logbase", *sweep.logbase);
  return object.size() == 1 ? Value(sweep.algorithm) : Value(std::move(object));
}

Value ParameterOf(const SearchParameter& parameter) {
  Object object = {{"type", parameter.type}};
  AddStrings("values", parameter.values, &object);
  for (const auto& [name, number] : parameter.numbers) object.emplace_back(name, number);
  return Value(std::move(object));
}

Object EarlyTerminationOf(const EarlyTermination& early) {
  Object object;
  AddText("type", early.policy, &object);
  if (object.empty()) return object;
  AddNonZero("slack_factor", early.slack_factor, &object);
  AddNonZero("slack_amount", early.slack_amount, &object);
  AddUnless("truncation_percentage", 0, early.truncation_percentage, &object);
  if (early.exclude_finished_jobs) object.emplace_back("exclude_finished_jobs", true);
  AddUnless("evaluation_interval", 1, early.evaluation_interval, &object);
  AddUnless("delay_evaluation", 0, early.delay_evaluation, &object);
  return object;
}

Object SweepLimitsOf(const Sweep& sweep) {
  Object limits = {{"max_total_trials", sweep.max_total_trials}};
  AddUnless("max_concurrent_trials", 0, sweep.max_concurrent_trials, &limits);
  AddUnless("timeout", 0, sweep.timeout_seconds, &limits);
  AddUnless("trial_timeout", 0, sweep.trial_timeout_seconds, &limits);
  return limits;
}

Object TaskOf(const Parallel& parallel, const Step& step) {
  Object task = {{"type", "run_function"}};
  AddCode(step.code, &task);
  AddText("entry_script", parallel.entry_script, &task);
  AddText("program_arguments", parallel.program_arguments, &task);
  if (!parallel.append_row_to.empty()) {
    task.emplace_back("append_row_to", Spelled(OwnOutput{parallel.append_row_to}));
  }
  return task;
}

}  // namespace

void AddCondition(const Step& step, Object* node) {
  const auto input = std::ranges::find(step.inputs, std::string(kConditionInput), &Input::name);
  if (input == step.inputs.end()) return;
  if (Value bound = BoundInput(*input); !bound.IsNull()) {
    node->emplace_back("condition", std::move(bound));
  }
}

void AddDoWhile(const DoWhile& loop, const std::string& body, Object* node) {
  if (loop.condition == "true") {
    node->emplace_back("condition", true);
  } else {
    node->emplace_back("condition", Spelled(StepOutput{body, loop.condition}));
  }
  Object mapping;
  for (const auto& [output, inputs] : loop.mapping) AddStrings(output.c_str(), inputs, &mapping);
  AddObject("mapping", std::move(mapping), node);
  node->emplace_back("limits", Object{{"max_iteration_count", loop.max_iterations}});
}

void AddParallelFor(const ParallelFor& loop, const Step& step, Object* node) {
  for (const Input& input : step.inputs) {
    const auto* text = std::get_if<TextValue>(&input.value);
    if (input.name == kItemsInput && text != nullptr) {
      node->emplace_back("items", ItemsOf(text->text));
    }
  }
  AddUnless("max_concurrency", 0, loop.max_concurrency, node);
  AddWholePorts({}, step.outputs, node);
}

void AddSearch(const Sweep& sweep, Object* node) {
  node->emplace_back("sampling_algorithm", SamplingOf(sweep));
  Object space;
  for (const SearchParameter& parameter : sweep.space) {
    space.emplace_back(parameter.name, ParameterOf(parameter));
  }
  AddObject("search_space", std::move(space), node);
  Object objective = {{"goal", sweep.maximize ? "maximize" : "minimize"}};
  AddText("primary_metric", sweep.primary_metric, &objective);
  node->emplace_back("objective", std::move(objective));
  AddObject("limits", SweepLimitsOf(sweep), node);
  AddObject("early_termination", EarlyTerminationOf(sweep.early_termination), node);
}

void AddMiniBatches(const Parallel& parallel, const Step& step, Object* component) {
  if (!parallel.input_data.empty()) {
    component->emplace_back("input_data", Spelled(OwnInput{parallel.input_data}));
  }
  const Parallel unsaid;
  AddText("mini_batch_size", parallel.mini_batch_size, component);
  AddStrings("partition_keys", parallel.partition_keys, component);
  AddUnless("mini_batch_error_threshold",
            unsaid.mini_batch_error_threshold,
            parallel.mini_batch_error_threshold,
            component);
  AddUnless("error_threshold", unsaid.error_threshold, parallel.error_threshold, component);
  AddUnless("max_concurrency_per_instance", 0, parallel.max_concurrency_per_instance, component);
  AddText("logging_level", parallel.logging_level, component);
  Object retries;
  AddUnless("max_retries", unsaid.max_retries, parallel.max_retries, &retries);
  AddUnless("timeout", unsaid.batch_timeout_seconds, parallel.batch_timeout_seconds, &retries);
  AddObject("retry_settings", std::move(retries), component);
  component->emplace_back("task", TaskOf(parallel, step));
}

}  // namespace potok::client
