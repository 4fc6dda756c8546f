#include "client/frontend/azureml/sweep.h"

#include <memory>
#include <set>
#include <string>

#include "client/frontend/azureml/component.h"
#include "client/frontend/azureml/definition.h"
#include "client/frontend/azureml/loop_body.h"
#include "client/frontend/azureml/node_type.h"
#include "client/frontend/azureml/opaque.h"
#include "client/frontend/azureml/policy.h"
#include "client/frontend/azureml/reference.h"
#include "client/frontend/azureml/search_space.h"
#include "fmt/format.h"

namespace potok::client {

namespace {

// A command whose ${{search_space.X}}, with blanks or without, are ${{inputs.X}}.
struct TrialCommand {
  std::string text;
  std::set<std::string> sampled;  // each X
  std::set<std::string> inputs;   // of those that were ${{inputs.X}}
};

TrialCommand WithSampledInputs(const std::string& command) {
  const std::string mark = "search_space.";
  const std::string own = "inputs.";
  const auto name_at = [&command](std::size_t begin) {
    return command.substr(begin, command.find_first_of(" \t}", begin) - begin);
  };
  TrialCommand trial;
  std::size_t position = 0;
  while (true) {
    const std::size_t open = command.find("${{", position);
    const std::size_t name =
        open == std::string::npos ? open : command.find_first_not_of(" \t", open + 3);
    if (name == std::string::npos) break;
    trial.text += command.substr(position, name - position);
    position = name;
    if (command.compare(name, own.size(), own) == 0) {
      trial.inputs.insert(name_at(name + own.size()));
    } else if (command.compare(name, mark.size(), mark) == 0) {
      trial.text += own;
      position += mark.size();
      trial.sampled.insert(name_at(position));
    }
  }
  trial.text += command.substr(position);
  return trial;
}

const YamlNode* TrialOf(Fields* fields, Reading* reading) {
  const YamlNode* trial = fields->Value("trial");
  if (trial == nullptr) {
    reading->reporter.Error(
        fields->map()->at,
        fmt::format("{} has no trial; write the component or command that is tried",
                    fields->what()));
  }
  return trial;
}

// What is searched and not used by a command of the sweep's own is a slip: all trials are the same.
void CheckUse(const TrialCommand& command, Fields* fields, const Sweep& sweep, Reading* reading) {
  for (const SearchParameter& parameter : sweep.space) {
    const std::string& name = parameter.name;
    if (command.sampled.contains(name) || command.inputs.contains(name)) continue;
    reading->reporter.Error(
        fields->map()->Find("search_space")->value->Find(name)->at,
        fmt::format("{}: the trial's command does not use '{}', so it would be the same for all "
                    "values; write ${{{{search_space.{}}}}} in it",
                    fields->what(),
                    name,
                    name));
  }
}

// How trials run, where the sweep says it.
void ReadTrialSettings(Fields* fields, const PortContext& context, Step* trial) {
  Reading* reading = context.reading;
  ReadRunSettings(fields, context.origin, context.unknown, reading, trial);
  if (const std::string compute = ResourceName(fields->Text("compute")); !compute.empty()) {
    trial->compute = compute;
  }
  ReadPolicy(fields, reading, trial);
}

}  // namespace

bool ReadSweep(Fields* fields, const PortContext& context, const std::string& name, Step* step) {
  Reading* reading = context.reading;
  const YamlNode* value = TrialOf(fields, reading);
  if (value == nullptr) return false;
  const std::string what = fields->what() + ": trial";
  const auto source = FindComponent(*value, context.origin, what, reading);
  if (!source) return false;
  const ComponentUse use{*source, what, value->at};
  if (source->is_elsewhere) {
    ReadOpaque("sweep", &use, fields, context, step);
    return true;
  }
  if (KindOfType(TypeOfComponent(*source->map)) != NodeKind::kCommand) {
    reading->reporter.Error(value->at,
                            fmt::format("{}: a sweep tries a command, and this is of type '{}'",
                                        what,
                                        TypeOfComponent(*source->map)));
    return false;
  }
  std::optional<Step> trial = ReadCommandComponent(use, reading);
  if (!trial) return false;
  // A command of the sweep's own has the ports that the sweep gives, and what is searched.
  const bool is_own = value->IsMap() && trial->inputs.empty() && trial->outputs.empty();
  step->inputs = trial->inputs;
  step->outputs = trial->outputs;
  step->component = trial->component;
  step->component_version = trial->component_version;
  step->display_name = trial->display_name;
  step->deterministic = trial->deterministic;
  if (is_own) {
    GivePorts(fields, context, step);
  } else {
    BindPorts(fields, context, step);
  }
  Sweep sweep;
  ReadSearch(fields, reading, &sweep);
  const TrialCommand command = WithSampledInputs(trial->command);
  const auto may_add = [&](const std::string& parameter) {
    return is_own || command.sampled.contains(parameter);
  };
  ReadSampledInputs(fields, may_add, reading, &sweep, step);
  if (is_own) CheckUse(command, fields, sweep, reading);
  ReadTrialSettings(fields, context, &*trial);
  trial->command = command.text;
  trial->inputs = step->inputs;
  trial->outputs = step->outputs;
  auto control = std::make_shared<Control>();
  control->body = BodyOf(*trial, step);
  control->kind = std::move(sweep);
  step->control = std::move(control);
  reading->sources.AddStep(name + "/body", fields->map()->Find("trial"), source->map);
  return true;
}

}  // namespace potok::client
