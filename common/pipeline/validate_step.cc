// A step by itself: its name, machine, environment variables, ports, and order.
#include "common/pipeline/names.h"
#include "common/pipeline/validation.h"
#include "fmt/format.h"

namespace potok {

namespace {

void CheckStepName(const SpecIndex& index, std::uint32_t step, Problems* problems) {
  const std::string& name = index.spec().steps[step].name;
  const bool is_alone = index.spec().steps.size() == 1 && !index.spec().owner.empty();
  if (name.empty() && is_alone) return;
  if (!IsStepName(name)) {
    problems->Error(index.Where(step, ""),
                    fmt::format("'{}' cannot name a step; use small letters, digits and '_', not"
                                " beginning with a digit",
                                name));
  } else if (LongestPart(name) > kNameLengthMax) {
    problems->Error(index.Where(step, ""),
                    fmt::format("the name of the step has {} characters; use at most {}",
                                LongestPart(name),
                                kNameLengthMax));
  }
  if (index.FindStep(name) != step) {
    problems->Error(index.Where(step, ""),
                    fmt::format("there are two steps '{}'; rename one", name));
  }
}

void CheckMachine(const SpecIndex& index, std::uint32_t number, Problems* problems) {
  const Step& step = index.spec().steps[number];
  if (step.instance_count < 1) {
    problems->Error(
        index.Where(number, "resources.instance_count"),
        fmt::format("{} machines cannot run a step; use at least 1", step.instance_count));
  }
  const Resources& wished = step.resources;
  if (wished.memory_bytes < 0 || wished.cpu_millis < 0 || wished.gpus < 0) {
    problems->Error(index.Where(number, "resources"),
                    fmt::format("memory ({} bytes), CPUs ({} thousandths) and GPUs ({}) must not be"
                                " negative",
                                wished.memory_bytes,
                                wished.cpu_millis,
                                wished.gpus));
  }
}

void CheckDistribution(const SpecIndex& index, std::uint32_t number, Problems* problems) {
  const Distribution& distribution = index.spec().steps[number].distribution;
  const std::string& type = distribution.type;
  if (type.empty()) return;
  if (type != "pytorch" && type != "mpi" && type != "tensorflow" && type != "ray") {
    problems->Error(index.Where(number, "distribution.type"),
                    fmt::format("'{}' is unknown; use pytorch, mpi, tensorflow or ray", type));
  }
  if (distribution.process_count_per_instance < 1) {
    problems->Error(index.Where(number, "distribution.process_count_per_instance"),
                    fmt::format("{} processes cannot run a step; use at least 1",
                                distribution.process_count_per_instance));
  }
}

void CheckVariables(const SpecIndex& index, std::uint32_t number, Problems* problems) {
  for (const auto& [name, value] : index.spec().steps[number].environment_variables) {
    const std::string where = "environment_variables." + name;
    if (!IsVariableName(name)) {
      problems->Error(
          index.Where(number, where),
          fmt::format("'{}' cannot name an environment variable; use letters, digits and"
                      " '_', not beginning with a digit",
                      name));
    } else if (const std::string reason = WhyNotSettable(name); !reason.empty()) {
      problems->Error(index.Where(number, where),
                      fmt::format("{} may not be set here: {}", name, reason));
    }
    if (value.find('\0') != std::string::npos) {
      problems->Error(index.Where(number, where), "a value may not hold a zero byte");
    }
    if (value.find("${{") != std::string::npos) {
      problems->Warning(
          index.Where(number, where),
          "${{...}} is not replaced here; use it in the command: NAME=${{...}} program");
    }
  }
}

void CheckOrder(const SpecIndex& index, std::uint32_t number, Problems* problems) {
  const Step& step = index.spec().steps[number];
  for (const std::string& name : step.depends_on) {
    if (name == step.name) {
      problems->Error(index.Where(number, "depends_on"), "the step depends on itself");
    } else if (!index.FindStep(name)) {
      problems->Error(
          index.Where(number, "depends_on"),
          fmt::format(
              "there is no step '{}'{}", name, problems->Suggestion(name, index.spec().steps)));
    }
  }
}

}  // namespace

void CheckStep(const SpecIndex& index, std::uint32_t step, Problems* problems) {
  CheckStepName(index, step, problems);
  CheckMachine(index, step, problems);
  CheckDistribution(index, step, problems);
  CheckVariables(index, step, problems);
  CheckOrder(index, step, problems);
  const std::string prefix = index.Where(step, "") + ".";
  const auto& control = index.spec().steps[step].control;
  const bool is_loop = control != nullptr && std::holds_alternative<ParallelFor>(control->kind);
  CheckInputDeclarations(index.spec().steps[step].inputs,
                         prefix,
                         is_loop ? ItemsInput::kAllowed : ItemsInput::kNone,
                         problems);
  CheckOutputDeclarations(index.spec().steps[step].outputs, prefix, problems);
}

}  // namespace potok
