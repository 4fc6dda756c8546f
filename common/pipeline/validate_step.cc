// A step by itself: its name, machine, environment variables, ports, and order.
#include "common/pipeline/gpu_model.h"
#include "common/pipeline/label_expression.h"
#include "common/pipeline/names.h"
#include "common/pipeline/validate.h"
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

absl::Status CheckGpuModels(const Step& step) {
  constexpr std::size_t kModelsMax = 16;
  constexpr std::size_t kModelBytesMax = 100;
  if (step.gpu_models.size() > kModelsMax) {
    return absl::InvalidArgumentError(
        fmt::format("{} models, and {} are allowed", step.gpu_models.size(), kModelsMax));
  }
  for (const std::string& model : step.gpu_models) {
    if (IsGpuModel(model, model) && model.size() <= kModelBytesMax) continue;
    return absl::InvalidArgumentError(
        fmt::format("'{}' cannot be a model of a GPU; write for example A100",
                    model.substr(0, kModelBytesMax)));
  }
  if (step.gpu_models.empty() || step.resources.gpu_millis != 0) return absl::OkStatus();
  return absl::InvalidArgumentError("a model is asked for, but no GPU; give gpus as well");
}

absl::Status CheckGpuMemory(const Step& step) {
  if (step.gpu_memory_bytes < 0 || step.gpu_memory_bytes > kBytesMax) {
    return absl::InvalidArgumentError(
        fmt::format("the memory of a GPU is {} bytes; it must be from 0 to {}",
                    step.gpu_memory_bytes,
                    kBytesMax));
  }
  if (step.gpu_memory_bytes == 0 || step.resources.gpu_millis != 0) return absl::OkStatus();
  return absl::InvalidArgumentError("memory of a GPU is asked for, but no GPU; give gpus as well");
}

absl::Status CheckLabelExpression(const Step& step) {
  const absl::Status status = LabelExpression::Parse(step.label_expression).status();
  if (status.ok()) return status;
  return absl::InvalidArgumentError(
      fmt::format("the expression over labels is wrong: {}", std::string(status.message())));
}

void CheckMachine(const SpecIndex& index, std::uint32_t number, Problems* problems) {
  const Step& step = index.spec().steps[number];
  if (step.instance_count < 1) {
    problems->Error(
        index.Where(number, "resources.instance_count"),
        fmt::format("{} machines cannot run a step; use at least 1", step.instance_count));
  } else if (step.instance_count > kMachinesOfStepMax) {
    problems->Error(index.Where(number, "resources.instance_count"),
                    fmt::format("{} machines are more than a step can have, which is {}",
                                step.instance_count,
                                kMachinesOfStepMax));
  }
  const auto check = [&](const char* field, const absl::Status& status) {
    if (!status.ok()) problems->Error(index.Where(number, field), std::string(status.message()));
  };
  check("resources", CheckRequest(step.resources));
  check("resources.gpu_model", CheckGpuModels(step));
  check("resources.gpu_memory", CheckGpuMemory(step));
  check("resources.labels", CheckLabelExpression(step));
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
  } else if (distribution.process_count_per_instance > kProcessesOfMachineMax) {
    problems->Error(
        index.Where(number, "distribution.process_count_per_instance"),
        fmt::format("{} processes are more than a machine can be asked for, which is {}",
                    distribution.process_count_per_instance,
                    kProcessesOfMachineMax));
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
