#include "server/domain/plan.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "common/base/overloaded.h"
#include "common/base/status_macros.h"
#include "common/pipeline/template.h"
#include "common/pipeline/validate.h"
#include "fmt/format.h"
#include "server/domain/plan_inputs.h"

namespace potok::server {

namespace {

// A step that asks for no CPU takes this one (decision 0005).
constexpr std::int32_t kDefaultCpuMillis = 1000;

// What a spec can say and this server does not do yet is refused, and not passed over.
absl::Status CheckKnown(const PipelineSpec& spec) {
  for (const Step& step : spec.steps) {
    const char* what = nullptr;
    if (step.control != nullptr) what = "a step that is no command";
    if (!step.when.empty() || step.finalizes) what = "a condition on other steps' ends";
    if (step.retry != RetryPolicy{}) what = "retry";
    if (step.queue_timeout_seconds != 0) what = "queue_timeout";
    if (what == nullptr) continue;
    return absl::InvalidArgumentError(
        fmt::format("jobs.{}: this server cannot do {} yet; leave it out", step.name, what));
  }
  return absl::OkStatus();
}

// Files of the submitting machine mean nothing here.
absl::Status CheckUploaded(const PipelineSpec& spec) {
  for (const Step& step : spec.steps) {
    if (std::holds_alternative<LocalCode>(step.code)) {
      return absl::InvalidArgumentError(
          fmt::format("jobs.{}.code: the code was not uploaded with the pipeline; submit it with "
                      "the potok command line, which uploads it",
                      step.name));
    }
  }
  return absl::OkStatus();
}

std::string PoolOf(const PipelineSpec& spec, const Step& step) {
  const std::string kPrefix = "azureml:";
  std::string pool = step.compute.empty() ? spec.settings.default_compute : step.compute;
  if (pool.rfind(kPrefix, 0) == 0) pool = pool.substr(kPrefix.size());
  if (pool == "serverless" || pool == "local" || pool == "default") pool.clear();
  return pool;
}

void AddShapes(Plan* plan) {
  std::map<Shape, std::uint32_t> known;
  for (std::size_t i = 0; i < plan->steps.size(); ++i) {
    const Step& step = plan->spec.steps[i];
    Shape shape{PoolOf(plan->spec, step), step.labels, step.resources};
    if (shape.request.cpu_millis <= 0) shape.request.cpu_millis = kDefaultCpuMillis;
    const auto number = static_cast<std::uint32_t>(plan->shapes.size());
    const auto [it, is_new] = known.try_emplace(shape, number);
    if (is_new) plan->shapes.push_back(std::move(shape));
    plan->steps[i].shape = it->second;
  }
}

void AddEdgesOf(std::uint32_t index, Plan* plan) {
  PlanStep& planned = plan->steps[index];
  const Step& step = plan->spec.steps[index];
  std::vector<Edge>& edges = planned.upstreams;
  for (std::size_t i = 0; i < planned.inputs.size(); ++i) {
    const auto* parts = std::get_if<std::vector<PlanPart>>(&planned.inputs[i].value);
    if (parts == nullptr) continue;
    for (const PlanPart& part : *parts) {
      const auto* upstream = std::get_if<UpstreamOutput>(&part);
      if (upstream != nullptr) edges.push_back({upstream->step, !step.inputs[i].optional});
    }
  }
  for (const std::string& name : step.depends_on) {
    const auto it = plan->index_of.find(name);
    if (it != plan->index_of.end()) edges.push_back({it->second, true});
  }
  // Required edges first, so that unique() keeps them.
  std::sort(edges.begin(), edges.end(), [](const Edge& a, const Edge& b) {
    return std::tuple(a.step, !a.required) < std::tuple(b.step, !b.required);
  });
  const auto same = [](const Edge& a, const Edge& b) { return a.step == b.step; };
  edges.erase(std::unique(edges.begin(), edges.end(), same), edges.end());
  edges.shrink_to_fit();
}

void AddEdges(Plan* plan) {
  for (std::uint32_t i = 0; i < plan->steps.size(); ++i) AddEdgesOf(i, plan);
  for (std::uint32_t i = 0; i < plan->steps.size(); ++i) {
    for (const Edge& edge : plan->steps[i].upstreams) {
      plan->steps[edge.step].dependents.push_back(i);
    }
  }
}

// Validation sees the references as they are written; an input that follows another step's input
// to an upstream output can still close a circle, and a circle would wait for ever.
absl::Status CheckOrder(const Plan& plan) {
  std::vector<std::size_t> waiting_for;
  std::vector<std::uint32_t> ready;
  for (std::uint32_t i = 0; i < plan.steps.size(); ++i) {
    waiting_for.push_back(plan.steps[i].upstreams.size());
    if (waiting_for[i] == 0) ready.push_back(i);
  }
  std::size_t ordered = 0;
  while (!ready.empty()) {
    const std::uint32_t step = ready.back();
    ready.pop_back();
    ++ordered;
    for (const std::uint32_t dependent : plan.steps[step].dependents) {
      if (--waiting_for[dependent] == 0) ready.push_back(dependent);
    }
  }
  if (ordered == plan.steps.size()) return absl::OkStatus();
  const auto stuck = std::find_if(
      waiting_for.begin(), waiting_for.end(), [](std::size_t count) { return count > 0; });
  const Step& step = plan.spec.steps[static_cast<std::size_t>(stuck - waiting_for.begin())];
  return absl::InvalidArgumentError(
      fmt::format("jobs.{}: the steps form a circle, each waiting for the next; remove one of the "
                  "references",
                  step.name));
}

}  // namespace

bool Shape::operator<(const Shape& other) const {
  const auto key = [](const Shape& s) {
    return std::tie(s.request.memory_bytes, s.request.cpu_millis, s.request.gpus, s.pool, s.labels);
  };
  return key(*this) < key(other);
}

absl::Status CheckSpec(const PipelineSpec& spec) {
  std::string problems;
  for (const Problem& problem : Validate(spec)) {
    if (problem.severity != Severity::kError) continue;
    if (!problems.empty()) problems += '\n';
    problems += fmt::format("{}: {}", problem.where, problem.message);
  }
  if (!problems.empty()) return absl::InvalidArgumentError(problems);
  POTOK_RETURN_IF_ERROR(CheckKnown(spec));
  return CheckUploaded(spec);
}

absl::StatusOr<std::shared_ptr<const Plan>> BuildPlan(PipelineSpec spec) {
  POTOK_RETURN_IF_ERROR(CheckSpec(spec));
  return RebuildPlan(std::move(spec));
}

absl::StatusOr<std::shared_ptr<const Plan>> RebuildPlan(PipelineSpec spec) {
  auto plan = std::make_shared<Plan>();
  plan->spec = std::move(spec);
  plan->steps.resize(plan->spec.steps.size());
  for (std::uint32_t i = 0; i < plan->spec.steps.size(); ++i) {
    plan->index_of.emplace(plan->spec.steps[i].name, i);
  }
  POTOK_RETURN_IF_ERROR(ResolveBindings(plan.get()));
  AddEdges(plan.get());
  POTOK_RETURN_IF_ERROR(CheckOrder(*plan));
  AddShapes(plan.get());
  return std::shared_ptr<const Plan>(std::move(plan));
}

}  // namespace potok::server
