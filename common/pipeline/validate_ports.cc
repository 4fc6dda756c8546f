// Declarations of inputs and outputs, and the literal values of a pipeline's inputs.
#include <unordered_set>

#include "common/pipeline/names.h"
#include "common/pipeline/template.h"
#include "common/pipeline/validation.h"
#include "fmt/format.h"

namespace potok {

namespace {

// Where a port is declared, as a text only when there is something to say.
struct PortPlace {
  const std::string& owner;  // "", or "jobs.train."
  const char* kind;
  const std::string& name;

  // NOLINTNEXTLINE(google-explicit-constructor): it stands where the text would.
  operator std::string() const { return owner + kind + name; }
};

// For each port whether an earlier one has its name.
template <class Port>
std::vector<bool> RepeatedNames(const std::vector<Port>& ports) {
  constexpr std::size_t kComparedMax = 16;
  std::vector<bool> repeated(ports.size());
  std::unordered_set<std::string> names;
  for (std::size_t i = 0; i < ports.size(); ++i) {
    if (ports.size() > kComparedMax) {
      repeated[i] = !names.insert(ports[i].name).second;
      continue;
    }
    for (std::size_t k = 0; k < i; ++k) {
      repeated[i] = repeated[i] || ports[k].name == ports[i].name;
    }
  }
  return repeated;
}

void CheckPortName(const std::string& name, const PortPlace& where, Problems* problems) {
  if (!IsPortName(name)) {
    problems->Error(where,
                    fmt::format("'{}' cannot name an input or output; use letters, digits and '_',"
                                " not beginning with a digit, and dots between groups",
                                name));
  } else if (name.size() > kNameLengthMax) {
    problems->Error(where,
                    fmt::format("the name of the input or output has {} characters; use at most {}",
                                name.size(),
                                kNameLengthMax));
  } else if (IsReservedPortName(name)) {
    problems->Warning(where,
                      fmt::format("the name '{}' is reserved in Azure ML; choose another", name));
  }
}

void CheckLimits(const Input& input, const PortPlace& where, Problems* problems) {
  if (input.min && input.max && *input.min > *input.max) {
    problems->Error(
        where,
        fmt::format(
            "no value fits: the minimum, {}, is above the maximum, {}", *input.min, *input.max));
  }
}

void CheckInputMode(const Input& input, const PortPlace& where, Problems* problems) {
  const bool evaluates = input.mode == Mode::kEvalMount || input.mode == Mode::kEvalDownload;
  if (evaluates && input.type != ValueType::kMltable) {
    problems->Error(
        where,
        fmt::format("mode {} is for inputs of type mltable, and this is {}; use ro_mount"
                    " or download",
                    NameOf(input.mode),
                    NameOf(input.type)));
  }
  if (input.mode == Mode::kRwMount || input.mode == Mode::kUpload) {
    problems->Warning(where,
                      fmt::format("mode {} is for outputs; the input is read as with ro_mount",
                                  NameOf(input.mode)));
  }
}

bool IsOutputMode(Mode mode) {
  return mode == Mode::kDefault || mode == Mode::kRwMount || mode == Mode::kUpload ||
         mode == Mode::kDirect;
}

// What an input of the pipeline is given.
void CheckGivenValue(const Input& input, const std::set<std::string>& awaited, Problems* problems) {
  const std::string where = "inputs." + input.name;
  if (std::holds_alternative<std::monostate>(input.value)) {
    const std::string advice = fmt::format("give one here or with --set inputs.{}{}=...",
                                           input.name,
                                           IsPrimitive(input.type) ? "" : ".path");
    if (awaited.contains(input.name)) {
      problems->Warning(where, "there is no value, and `job create` needs one; " + advice);
    } else if (!input.optional) {
      problems->Error(where, "a value is required; " + advice);
    }
    return;
  }
  const auto* text = std::get_if<TextValue>(&input.value);
  if (text == nullptr && IsPrimitive(input.type)) {
    problems->Error(
        where, fmt::format("a file or folder is given, and the type is {}", NameOf(input.type)));
  } else if (text != nullptr && !IsPrimitive(input.type)) {
    problems->Error(
        where,
        fmt::format("text is given, and the type is {}; give a path or a URI", NameOf(input.type)));
  } else if (text != nullptr) {
    if (const absl::Status status = CheckValue(text->text, input); !status.ok()) {
      problems->Error(where, std::string(status.message()));
    }
  }
}

}  // namespace

void CheckInputDeclarations(const std::vector<Input>& inputs,
                            const std::string& where,
                            ItemsInput items,
                            Problems* problems) {
  const std::vector<bool> repeated = RepeatedNames(inputs);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Input& input = inputs[i];
    const PortPlace path{where, "inputs.", input.name};
    if (items == ItemsInput::kNone || input.name != kItemsInput) {
      CheckPortName(input.name, path, problems);
    }
    if (repeated[i]) {
      problems->Error(path, fmt::format("there are two inputs '{}'; rename one", input.name));
    }
    CheckLimits(input, path, problems);
    CheckInputMode(input, path, problems);
  }
}

void CheckOutputDeclarations(const std::vector<Output>& outputs,
                             const std::string& where,
                             Problems* problems) {
  const std::vector<bool> repeated = RepeatedNames(outputs);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const Output& output = outputs[i];
    const PortPlace path{where, "outputs.", output.name};
    CheckPortName(output.name, path, problems);
    if (repeated[i]) {
      problems->Error(path, fmt::format("there are two outputs '{}'; rename one", output.name));
    }
    if (!IsOutputMode(output.mode)) {
      problems->Error(
          path,
          fmt::format("mode {} is for inputs; an output's is rw_mount, upload or direct",
                      NameOf(output.mode)));
    }
    if (!IsPrimitive(output.type) && (output.control || output.early_available)) {
      problems->Error(path,
                      fmt::format("{} is for primitive outputs, and this is {}; declare it as"
                                  " string, number, integer or boolean",
                                  output.control ? "is_control" : "early_available",
                                  NameOf(output.type)));
    }
    if (const auto parts = ParseTemplate(output.path, TemplatePlace::kPath); !parts.ok()) {
      problems->Error(std::string(path) + ".path", std::string(parts.status().message()));
    }
  }
}

void CheckPorts(const PipelineSpec& spec,
                const std::set<std::string>& awaited,
                Problems* problems) {
  CheckInputDeclarations(spec.inputs, "", ItemsInput::kNone, problems);
  for (const Input& input : spec.inputs) CheckGivenValue(input, awaited, problems);
  CheckOutputDeclarations(spec.outputs, "", problems);
}

void CheckPromotions(const SpecIndex& index, Problems* problems) {
  const Level& spec = index.spec();
  if (!spec.is_pipeline) return;
  std::unordered_map<std::string, std::string> producers;
  for (std::uint32_t step = 0; step < spec.steps.size(); ++step) {
    for (const Output& output : spec.steps[step].outputs) {
      if (output.promoted_to.empty()) continue;
      const std::string where = index.Where(step, "outputs." + output.name);
      if (index.FindPipelineOutput(output.promoted_to) == nullptr) {
        problems->Error(where,
                        fmt::format("{} has no output '{}'{}",
                                    spec.Title(),
                                    output.promoted_to,
                                    problems->Suggestion(output.promoted_to, spec.outputs)));
      }
      const auto [first, inserted] = producers.emplace(output.promoted_to, where);
      if (!inserted) {
        problems->Error(where,
                        fmt::format("{} already makes the output '{}'; an output has one producer",
                                    first->second,
                                    output.promoted_to));
      }
    }
  }
  for (const Output& output : spec.outputs) {
    if (producers.contains(output.name)) continue;
    problems->Warning(
        index.WhereOfLevel("outputs." + output.name),
        fmt::format("no step makes it; bind a step's output to ${{{{parent.outputs.{}}}}}",
                    output.name));
  }
}

}  // namespace potok
