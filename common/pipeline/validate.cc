#include "common/pipeline/validate.h"

#include <cctype>

#include "common/pipeline/validation.h"
#include "fmt/format.h"

namespace potok {

namespace {

// Azure ML: letters, digits, '-' and '_', at most 255, not beginning with a sign.
bool IsRunName(const std::string& name) {
  if (name.size() > 255 || std::isalnum(static_cast<unsigned char>(name[0])) == 0) return false;
  for (const char c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-' && c != '_') return false;
  }
  return true;
}

void CheckSize(const PipelineSpec& spec, Problems* problems) {
  if (spec.steps.size() > kStepsMax) {
    problems->Error(
        "jobs",
        fmt::format(
            "the pipeline has {} steps, and at most {} are allowed", spec.steps.size(), kStepsMax));
  }
  if (spec.steps.empty()) problems->Error("jobs", "the pipeline has no steps; add at least one");
  if (!spec.is_pipeline && spec.steps.size() > 1) {
    problems->Error("jobs",
                    fmt::format("a standalone job has one step, and this one has {}; make it a"
                                " pipeline",
                                spec.steps.size()));
  }
}

}  // namespace

std::vector<Problem> Validate(const PipelineSpec& spec) {
  Problems problems;
  if (!spec.name.empty() && !IsRunName(spec.name)) {
    problems.Error(
        "name",
        fmt::format("'{}' cannot name a run; use at most 255 letters, digits, '-' and '_',"
                    " beginning with a letter or digit",
                    spec.name));
  }
  CheckSize(spec, &problems);
  if (spec.steps.size() > kStepsMax) return problems.Take();
  const SpecIndex index(spec);
  CheckPorts(index, &problems);
  std::vector<StepReference> references;
  for (std::uint32_t step = 0; step < spec.steps.size(); ++step) {
    CheckStep(index, step, &problems);
    CheckCommand(index, step, &problems);
    CheckBindings(index, step, &problems, &references);
  }
  CheckPromotions(index, &problems);
  CheckCycles(index, references, &problems);
  return problems.Take();
}

}  // namespace potok
