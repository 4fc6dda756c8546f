// What a step does instead of a command: loops, conditions, mini-batches.
#include <algorithm>
#include <map>

#include "absl/strings/numbers.h"
#include "common/base/overloaded.h"
#include "common/base/resources.h"
#include "common/pipeline/items.h"
#include "common/pipeline/template.h"
#include "common/pipeline/validation.h"
#include "fmt/format.h"

namespace potok {

namespace {

constexpr std::int32_t kIterationsMax = 1000;  // Azure ML: max_iteration_count

const Input* InputCalled(const Step& step, const std::string& name) {
  const auto found = std::ranges::find(step.inputs, name, &Input::name);
  return found == step.inputs.end() ? nullptr : &*found;
}
const Output* OutputCalled(const Step& step, const std::string& name) {
  const auto found = std::ranges::find(step.outputs, name, &Output::name);
  return found == step.outputs.end() ? nullptr : &*found;
}

// The items, if they are written in the pipeline and not made by a step.
std::optional<std::string> LiteralItems(const Step& step) {
  const Input* items = InputCalled(step, kItemsInput);
  const auto* text = items == nullptr ? nullptr : std::get_if<TextValue>(&items->value);
  if (text == nullptr || text->text.find("${{") != std::string::npos) return std::nullopt;
  return text->text;
}

class ControlCheck {
 public:
  ControlCheck(const SpecIndex& index, std::uint32_t step, Problems* problems)
      : index_(index), number_(step), step_(index.spec().steps[step]), problems_(problems) {}

  void Run() {
    std::visit(Overloaded{[this](const Condition& kind) { Check(kind); },
                          [this](const DoWhile& kind) { Check(kind); },
                          [this](const ParallelFor& kind) { Check(kind); },
                          [this](const Sweep& kind) {
                            CheckBodyIsThere("trial");
                            CheckSweep(index_, number_, kind, problems_);
                          },
                          [this](const Parallel& kind) { Check(kind); },
                          [this](const Opaque& kind) { Check(kind); },
                          [this](const Nested&) { CheckBodyIsThere("jobs"); },
                          [](const Gang&) {}},
               step_.control->kind);
  }

 private:
  void Error(const std::string& rest, const std::string& message) {
    problems_->Error(index_.Where(number_, rest), message);
  }

  void CheckBodyIsThere(const std::string& rest) {
    if (step_.control->body.empty()) Error(rest, "there are no steps in it; add at least one");
  }

  void Check(const Condition&) {
    const Input* condition = InputCalled(step_, kConditionInput);
    if (condition == nullptr || condition->type != ValueType::kBoolean) {
      Error("condition", "a condition is a boolean; give it one");
    } else {
      CheckConditionSource(*condition);
    }
    const Output* taken = OutputCalled(step_, kTakenOutput);
    if (taken == nullptr || taken->type != ValueType::kBoolean) {
      Error("", fmt::format("a condition has a boolean output '{}'", kTakenOutput));
    }
  }

  // A text that a step writes may say "yes", which is no condition.
  void CheckConditionSource(const Input& condition) {
    const auto* text = std::get_if<TextValue>(&condition.value);
    const auto parts = ParseTemplate(text == nullptr ? "" : text->text, TemplatePlace::kBinding);
    if (!parts.ok() || !IsSingleExpression(*parts)) return;
    const auto* source = std::get_if<StepOutput>(&std::get<Expression>(parts->front()));
    const auto step = source == nullptr ? std::nullopt : index_.FindStep(source->step);
    const auto output = step ? index_.FindOutput(*step, source->name) : std::nullopt;
    if (!output) return;
    const ValueType type = index_.spec().steps[*step].outputs[*output].type;
    if (type == ValueType::kBoolean) return;
    Error("condition",
          fmt::format("output '{}' of step '{}' is {}, and a condition is a boolean; declare it as "
                      "type: boolean",
                      source->name,
                      source->step,
                      NameOf(type)));
  }

  void Check(const DoWhile& loop) {
    CheckBodyIsThere("body");
    if (loop.max_iterations < 1 || loop.max_iterations > kIterationsMax) {
      Error("limits.max_iteration_count",
            fmt::format("{} iterations are not possible; write 1 to {}",
                        loop.max_iterations,
                        kIterationsMax));
    }
    if (loop.condition != "true") CheckLoopCondition(loop.condition);
    std::map<std::string, std::string> fed_by;
    for (const auto& [output, inputs] : loop.mapping) {
      const Output* source = OutputCalled(step_, output);
      if (source == nullptr) {
        Error("mapping." + output,
              fmt::format("the body has no output '{}'{}",
                          output,
                          problems_->Suggestion(output, step_.outputs)));
        continue;
      }
      for (const std::string& input : inputs) {
        CheckMapped(*source, input);
        const auto [first, is_new] = fed_by.emplace(input, output);
        if (!is_new) {
          Error("mapping." + output,
                fmt::format("input '{}' is fed by the outputs '{}' and '{}'; an input has one "
                            "source",
                            input,
                            first->second,
                            output));
        }
      }
    }
  }

  void CheckLoopCondition(const std::string& name) {
    const Output* output = OutputCalled(step_, name);
    if (output == nullptr) {
      Error("condition",
            fmt::format(
                "the body has no output '{}'{}", name, problems_->Suggestion(name, step_.outputs)));
    } else if (output->type != ValueType::kBoolean) {
      Error("condition",
            fmt::format("output '{}' of the body is {}, and a condition is a boolean",
                        name,
                        NameOf(output->type)));
    }
  }

  void CheckMapped(const Output& output, const std::string& name) {
    const Input* input = InputCalled(step_, name);
    if (input == nullptr) {
      Error("mapping." + output.name,
            fmt::format(
                "the body has no input '{}'{}", name, problems_->Suggestion(name, step_.inputs)));
    } else if (IsPrimitive(input->type) != IsPrimitive(output.type)) {
      Error("mapping." + output.name,
            fmt::format("output '{}' is {}, and the input '{}' that it feeds is {}",
                        output.name,
                        NameOf(output.type),
                        name,
                        NameOf(input->type)));
    }
  }

  void Check(const ParallelFor& loop) {
    CheckBodyIsThere("body");
    if (loop.max_concurrency < 0) {
      Error("max_concurrency",
            fmt::format("{} items at a time are not possible; leave it out for all",
                        loop.max_concurrency));
    }
    if (InputCalled(step_, kItemsInput) == nullptr) {
      Error("items", "there are no items; give a list of maps, or bind an output");
      return;
    }
    const std::optional<std::string> text = LiteralItems(step_);
    if (!text) return;
    const auto items = ParseItems(*text);
    if (!items.ok()) {
      Error("items", std::string(items.status().message()));
      return;
    }
    for (const LoopItem& item : *items) {
      if (!CheckItem(item)) return;
    }
    if (const auto why = WhyItemsAreNotRun(step_)) {
      problems_->Warning(index_.Where(number_, "items"), *why);
    }
  }

  // False if more would be more of the same.
  bool CheckItem(const LoopItem& item) {
    for (const auto& [name, value] : item.values) {
      const Input* input = name == kItemsInput ? nullptr : InputCalled(step_, name);
      if (input == nullptr) {
        Error("items",
              fmt::format(
                  "the body has no input '{}'{}", name, problems_->Suggestion(name, step_.inputs)));
        return false;
      }
      const absl::Status status =
          IsPrimitive(input->type) ? CheckValue(value, *input) : absl::OkStatus();
      if (!status.ok()) {
        Error("items",
              fmt::format(
                  "item {}, input '{}': {}", item.label, name, std::string(status.message())));
        return false;
      }
    }
    return true;
  }

  void Check(const Parallel& parallel) {
    if (parallel.entry_script.empty()) {
      Error("task.entry_script", "there is no script; name the Python file that has run()");
    }
    const Input* input = InputCalled(step_, parallel.input_data);
    if (input == nullptr) {
      Error("input_data",
            fmt::format("the step has no input '{}'{}; write input_data: ${{{{inputs.NAME}}}}",
                        parallel.input_data,
                        problems_->Suggestion(parallel.input_data, step_.inputs)));
    } else if (IsPrimitive(input->type)) {
      Error("input_data",
            fmt::format("input '{}' is {}, and mini-batches are made of files",
                        input->name,
                        NameOf(input->type)));
    }
    CheckAppend(parallel.append_row_to);
    CheckBatchSize(parallel.mini_batch_size);
    CheckAtLeast("mini_batch_error_threshold", parallel.mini_batch_error_threshold, -1);
    CheckAtLeast("error_threshold", parallel.error_threshold, -1);
    CheckAtLeast("retry_settings.max_retries", parallel.max_retries, 0);
    CheckAtLeast("retry_settings.timeout", parallel.batch_timeout_seconds, 1);
    CheckAtLeast("max_concurrency_per_instance", parallel.max_concurrency_per_instance, 0);
  }

  void CheckAppend(const std::string& name) {
    if (name.empty()) return;
    const Output* output = OutputCalled(step_, name);
    if (output == nullptr) {
      Error("task.append_row_to",
            fmt::format(
                "the step has no output '{}'{}", name, problems_->Suggestion(name, step_.outputs)));
    } else if (output->type != ValueType::kUriFile) {
      problems_->Warning(index_.Where(number_, "task.append_row_to"),
                         fmt::format("output '{}' is {}, and one file is written; declare it as "
                                     "uri_file",
                                     name,
                                     NameOf(output->type)));
    }
  }

  void CheckBatchSize(const std::string& size) {
    if (size.empty()) return;
    std::int64_t files = 0;
    const bool is_count = absl::SimpleAtoi(size, &files);
    const auto bytes = ParseBytes(size);
    if (is_count ? files > 0 : bytes.ok() && *bytes > 0) return;
    Error("mini_batch_size",
          fmt::format("'{}' is no size; write a number of files, or bytes such as 10kb", size));
  }

  void CheckAtLeast(const std::string& rest, std::int64_t value, std::int64_t least) {
    if (value >= least) return;
    Error(rest, fmt::format("{} is not possible; the least is {}", value, least));
  }

  void Check(const Opaque& opaque) {
    problems_->Warning(index_.Where(number_, "type"),
                       fmt::format("step '{}' is of type {}, which is not run here: {}",
                                   index_.FullName(number_),
                                   opaque.type,
                                   opaque.instead));
  }

  const SpecIndex& index_;
  const std::uint32_t number_;
  const Step& step_;
  Problems* problems_;
};

}  // namespace

FedInputs FedInputsOf(const Step& step) {
  FedInputs fed;
  if (step.control == nullptr) return fed;
  if (const auto* sweep = std::get_if<Sweep>(&step.control->kind)) {
    for (const SearchParameter& parameter : sweep->space) fed.names.insert(parameter.name);
  }
  // What the file did not say of another service's step, it did not say of its inputs.
  fed.all = std::holds_alternative<Opaque>(step.control->kind);
  if (!std::holds_alternative<ParallelFor>(step.control->kind)) return fed;
  const std::optional<std::string> text = LiteralItems(step);
  fed.all = !text;
  if (!text) return fed;
  const auto items = ParseItems(*text);
  if (!items.ok() || items->empty()) {
    fed.all = true;
    return fed;
  }
  for (const auto& [name, value] : items->front().values) fed.names.insert(name);
  return fed;
}

std::optional<std::string> WhyItemsAreNotRun(const Step& step) {
  const bool is_loop =
      step.control != nullptr && std::holds_alternative<ParallelFor>(step.control->kind);
  // In a body of many steps some may want the address alone; that is decided when it is run.
  if (!is_loop || step.control->body.size() != 1 || !step.control->body.front().name.empty()) {
    return std::nullopt;
  }
  const auto items = ParseItems(LiteralItems(step).value_or("[]"));
  if (!items.ok() || items->empty()) return std::nullopt;
  for (const auto& [name, value] : items->front().values) {
    const Input* input = InputCalled(step.control->body.front(), name);
    if (input == nullptr || IsPrimitive(input->type) || input->mode == Mode::kDirect) continue;
    return fmt::format(
        "the items give input '{}' files by their addresses, which is not run here: nothing is "
        "fetched while a run goes on. Give the body a folder that holds the files of all items as "
        "another input and let items name what is in it, or write mode: direct to hand over "
        "the address",
        name);
  }
  return std::nullopt;
}

void CheckControl(const SpecIndex& index, std::uint32_t step, Problems* problems) {
  if (index.spec().steps[step].control == nullptr) return;
  ControlCheck(index, step, problems).Run();
}

}  // namespace potok
