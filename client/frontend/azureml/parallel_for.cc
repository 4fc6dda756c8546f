#include "client/frontend/azureml/parallel_for.h"

#include <algorithm>
#include <vector>

#include "client/frontend/azureml/port.h"
#include "client/frontend/azureml/port_fields.h"
#include "client/frontend/azureml/yaml_json.h"
#include "common/pipeline/suggest.h"
#include "fmt/format.h"

namespace potok::client {

namespace {

void ReadLoopOutput(const YamlEntry& entry, const PortContext& context, Step* step) {
  const auto declared = std::ranges::find(step->outputs, entry.key, &Output::name);
  if (declared != step->outputs.end()) {
    *declared = ReadGivenOutput(entry, &*declared, context).output;
    return;
  }
  std::vector<std::string> names;
  for (const Output& output : step->outputs) names.push_back(output.name);
  context.reading->reporter.Error(entry.at,
                                  fmt::format("{}: its body has no output '{}'{}",
                                              context.what,
                                              entry.key,
                                              SuggestionFor(entry.key, names)));
}

}  // namespace

ParallelFor ReadParallelFor(const std::string& name,
                            const std::string& body,
                            const Origin& origin,
                            Fields* node,
                            Step* step,
                            Reading* reading) {
  Fields& fields = *node;
  const Scope& scope = *reading->scope;
  ParallelFor loop;
  if (const auto count = fields.Whole("max_concurrency", 1, 1'000'000)) {
    loop.max_concurrency = static_cast<std::int32_t>(*count);
  }
  Input items;
  items.name = kItemsInput;
  items.type = ValueType::kString;
  if (const YamlNode* value = fields.Value("items")) {
    items.value = TextValue{value->IsScalar() ? value->text : JsonOfValues(*value)};
    step->inputs.push_back(std::move(items));
  }
  for (Output& output : step->outputs) {
    if (!output.promoted_to.empty()) {
      const std::string where = scope.FullName(body) + ".outputs." + output.name;
      reading->reporter.Error(
          reading->sources.Find("jobs." + where).place,
          fmt::format("'{}' is the body of '{}', which makes many of this output; bind the "
                      "output of '{}' instead",
                      body,
                      name,
                      name));
      output.promoted_to.clear();
    }
    output.type = IsPrimitive(output.type) ? ValueType::kString : ValueType::kMltable;
    output.control = false;
    output.early_available = false;
    output.mode = Mode::kDefault;
    output.path.clear();
  }
  const PortContext context{
      reading, origin, fields.what(), "jobs." + scope.FullName(name) + ".", Severity::kError, true};
  if (const YamlNode* outputs = fields.Map("outputs")) {
    for (const YamlEntry& entry : outputs->entries) ReadLoopOutput(entry, context, step);
  }
  return loop;
}

}  // namespace potok::client
