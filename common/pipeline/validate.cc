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

// Deeper than anyone nests, far from what a stack bears.
constexpr int kLevelsMax = 50;

std::size_t CountSteps(const std::vector<Step>& steps, int depth) {
  std::size_t count = steps.size();
  if (depth >= kLevelsMax) return count;
  for (const Step& step : steps) {
    if (step.control != nullptr) count += CountSteps(step.control->body, depth + 1);
    // Its members, one on each machine.
    if (step.instance_count > 1) count += static_cast<std::size_t>(step.instance_count);
  }
  return count;
}

// False if the rest would take too long.
bool CheckSize(const PipelineSpec& spec, Problems* problems) {
  const std::size_t count = CountSteps(spec.steps, 0);
  if (count > kStepsMax) {
    problems->Error(
        "jobs",
        fmt::format("the pipeline has {} steps, and at most {} are allowed", count, kStepsMax));
  }
  if (spec.steps.empty()) problems->Error("jobs", "the pipeline has no steps; add at least one");
  if (!spec.is_pipeline && spec.steps.size() > 1) {
    problems->Error("jobs",
                    fmt::format("a standalone job has one step, and this one has {}; make it a"
                                " pipeline",
                                spec.steps.size()));
  }
  return count <= kStepsMax;
}

void CheckLevel(const Level& level, int depth, Problems* problems);

void CheckBody(const SpecIndex& index, std::uint32_t step, int depth, Problems* problems) {
  const Step& outer = index.spec().steps[step];
  if (outer.control == nullptr || outer.control->body.empty()) return;
  if (depth == kLevelsMax) {
    problems->Error(index.Where(step, ""),
                    fmt::format("more than {} levels are nested; nest fewer", kLevelsMax));
    return;
  }
  const Level body{outer.inputs,
                   outer.outputs,
                   outer.control->body,
                   index.FullName(step),
                   FedInputsOf(outer).names};
  CheckLevel(body, depth + 1, problems);
}

void CheckLevel(const Level& level, int depth, Problems* problems) {
  const SpecIndex index(level);
  std::vector<StepReference> references;
  for (std::uint32_t step = 0; step < level.steps.size(); ++step) {
    CheckStep(index, step, problems);
    CheckPolicy(index, step, problems);
    CheckWhen(index, step, problems, &references);
    CheckCommand(index, step, problems);
    CheckControl(index, step, problems);
    CheckBindings(index, step, problems, &references);
    CheckBody(index, step, depth, problems);
  }
  CheckPromotions(index, problems);
  CheckFinalizers(index, references, problems);
  CheckCycles(index, references, problems);
}

// Members of a step on several machines start together, and each of them counts.
void CheckMembers(const std::string& owner,
                  const std::vector<Step>& steps,
                  std::int32_t limit,
                  int depth,
                  Problems* problems) {
  for (const Step& step : steps) {
    const std::string name = owner + (step.name.empty() ? "body" : step.name);
    if (step.control == nullptr && step.instance_count > limit) {
      problems->Error(
          "jobs." + name + ".resources.instance_count",
          fmt::format("its {} members start together, and max_running_steps lets {} run at a time; "
                      "raise the one or lower the other",
                      step.instance_count,
                      limit));
    }
    if (step.control != nullptr && depth < kLevelsMax) {
      CheckMembers(name + "/", step.control->body, limit, depth + 1, problems);
    }
  }
}

void AddOpaque(const std::string& owner,
               const std::vector<Step>& steps,
               int depth,
               std::vector<Problem>* problems) {
  for (const Step& step : steps) {
    if (step.control == nullptr) continue;
    const std::string name = owner + (step.name.empty() ? "body" : step.name);
    if (const auto* opaque = std::get_if<Opaque>(&step.control->kind)) {
      problems->push_back({Severity::kError,
                           "jobs." + name + ".type",
                           fmt::format("step '{}' is of type {}, which is not run here: {}",
                                       name,
                                       opaque->type,
                                       opaque->instead)});
    }
    if (const auto why = WhyItemsAreNotRun(step)) {
      problems->push_back({Severity::kError, "jobs." + name + ".items", *why});
    }
    if (depth < kLevelsMax) AddOpaque(name + "/", step.control->body, depth + 1, problems);
  }
}

}  // namespace

std::vector<Problem> Validate(const PipelineSpec& spec, const std::set<std::string>& awaited) {
  Problems problems;
  if (!spec.name.empty() && !IsRunName(spec.name)) {
    problems.Error(
        "name",
        fmt::format("'{}' cannot name a run; use at most 255 letters, digits, '-' and '_',"
                    " beginning with a letter or digit",
                    spec.name));
  }
  if (!CheckSize(spec, &problems)) return problems.Take();
  CheckPorts(spec, awaited, &problems);
  if (const std::int32_t limit = spec.settings.max_running_steps; limit > 0) {
    CheckMembers("", spec.steps, limit, 0, &problems);
  }
  CheckLevel({spec.inputs, spec.outputs, spec.steps, "", {}, spec.is_pipeline}, 0, &problems);
  return problems.Take();
}

std::vector<Problem> FindOpaque(const PipelineSpec& spec) {
  std::vector<Problem> problems;
  AddOpaque("", spec.steps, 0, &problems);
  return problems;
}

absl::Status CheckRunnable(const PipelineSpec& spec) {
  std::string lines;
  for (const Problem& problem : FindOpaque(spec)) {
    if (!lines.empty()) lines += '\n';
    lines += fmt::format("{}: {}", problem.where, problem.message);
  }
  return lines.empty() ? absl::OkStatus() : absl::InvalidArgumentError(lines);
}

}  // namespace potok
