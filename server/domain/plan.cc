#include "server/domain/plan.h"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

#include "common/base/overloaded.h"
#include "common/base/status_macros.h"
#include "common/pipeline/control.h"
#include "common/pipeline/environment.h"
#include "common/pipeline/template.h"
#include "common/pipeline/validate.h"
#include "common/pipeline/when.h"
#include "fmt/format.h"
#include "server/domain/gang.h"
#include "server/domain/plan_inputs.h"

namespace potok::server {

namespace {

// A step that asks for no CPU takes this one (decision 0005).
constexpr std::int32_t kDefaultCpuMillis = 1000;

// Files of the submitting machine mean nothing here.
absl::Status CheckUploaded(const std::vector<Step>& steps) {
  for (const Step& step : steps) {
    if (step.control != nullptr) POTOK_RETURN_IF_ERROR(CheckUploaded(step.control->body));
    if (std::holds_alternative<LocalCode>(step.code)) {
      return absl::InvalidArgumentError(
          fmt::format("jobs.{}.code: the code was not uploaded with the pipeline; submit it with "
                      "the potok command line, which uploads it",
                      step.name));
    }
  }
  return absl::OkStatus();
}

std::string PoolOf(const std::string& compute) {
  const std::string kPrefix = "azureml:";
  std::string pool = compute;
  if (pool.rfind(kPrefix, 0) == 0) pool = pool.substr(kPrefix.size());
  if (pool == "serverless" || pool == "local" || pool == "default") pool.clear();
  return pool;
}

// What can keep a step apart from others: a container only of what has an image.
std::set<std::string> RuntimesFor(const Step& step) {
  if (step.isolation.empty() && step.network.empty()) return {};
  if (step.isolation == "container") return {"container"};
  std::set<std::string> runtimes{"sandbox"};
  const auto environment = ParseEnvironmentDefinition(step.environment_definition);
  if (!environment.image.empty()) runtimes.insert("container");
  return runtimes;
}

void AddShapes(const std::vector<Shape>& shapes, Segment* segment) {
  std::map<Shape, std::uint32_t> known;
  for (std::uint32_t i = 0; i < shapes.size(); ++i) known.emplace(shapes[i], i);
  for (std::size_t i = 0; i < segment->steps.size(); ++i) {
    const Step& step = segment->spec.steps[i];
    const bool is_default = step.compute.empty();
    Shape shape = ShapeOf(is_default ? segment->spec.settings.default_compute : step.compute, step);
    const std::size_t number = shapes.size() + segment->new_shapes.size();
    const auto [it, is_new] = known.try_emplace(shape, static_cast<std::uint32_t>(number));
    if (is_new) segment->new_shapes.push_back(std::move(shape));
    segment->steps[i].shape = it->second;
  }
}

void AddEdgesOf(std::uint32_t index, Segment* plan) {
  PlanStep& planned = plan->steps[index];
  const Step& step = plan->spec.steps[index];
  std::vector<Edge>& edges = planned.upstreams;
  for (std::size_t i = 0; i < planned.inputs.size(); ++i) {
    const auto* parts = std::get_if<std::vector<PlanPart>>(&planned.inputs[i].value);
    if (parts == nullptr) continue;
    for (const PlanPart& part : *parts) {
      const auto* upstream = std::get_if<UpstreamOutput>(&part);
      if (upstream != nullptr) edges.push_back({upstream->step, !step.inputs[i].optional, true});
    }
  }
  const auto wait_for = [&](const std::vector<std::string>& names, bool required) {
    for (const std::string& name : names) {
      const auto it = plan->index_of.find(name);
      if (it != plan->index_of.end() && it->second != index) {
        edges.push_back({it->second, required, false});
      }
    }
  };
  wait_for(step.depends_on, true);
  if (!step.when.empty()) {
    // What cannot be read fails the step when it is decided.
    if (const auto when = When::Parse(step.when); when.ok()) wait_for(when->Steps(), false);
  }
  std::sort(edges.begin(), edges.end(), [](const Edge& a, const Edge& b) {
    return std::tuple(a.step, !a.required, !a.has_value) <
           std::tuple(b.step, !b.required, !b.has_value);
  });
  // Of several edges from one step, one that is all of them.
  std::size_t kept = 0;
  for (const Edge& edge : edges) {
    if (kept > 0 && edges[kept - 1].step == edge.step) {
      Edge& one = edges[kept - 1];
      one.required = one.required || edge.required;
      one.has_value = one.has_value || edge.has_value;
    } else {
      edges[kept++] = edge;
    }
  }
  edges.erase(edges.begin() + static_cast<std::ptrdiff_t>(kept), edges.end());
  edges.shrink_to_fit();
}

void AddEdges(Segment* plan) {
  for (std::uint32_t i = 0; i < plan->steps.size(); ++i) AddEdgesOf(i, plan);
  for (std::uint32_t i = 0; i < plan->steps.size(); ++i) {
    for (const Edge& edge : plan->steps[i].upstreams) {
      plan->steps[edge.step].dependents.push_back(i);
    }
  }
}

// Validation sees the references as they are written; an input that follows another step's input
// to an upstream output can still close a circle, and a circle would wait for ever.
absl::Status CheckOrder(const Segment& plan) {
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
    const Resources& asked = s.request;
    return std::tie(asked.memory_bytes,
                    asked.cpu_millis,
                    asked.gpu_millis,
                    asked.disk_bytes,
                    asked.named,
                    s.pool,
                    s.labels,
                    s.expression,
                    s.gpu_models,
                    s.gpu_memory_bytes,
                    s.machines,
                    s.runtimes);
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
  POTOK_RETURN_IF_ERROR(CheckRunnable(spec));
  return CheckUploaded(spec.steps);
}

absl::StatusOr<std::shared_ptr<const Plan>> BuildPlan(PipelineSpec spec) {
  POTOK_RETURN_IF_ERROR(CheckSpec(spec));
  return RebuildPlan(std::move(spec));
}

absl::StatusOr<std::shared_ptr<const Plan>> RebuildPlan(PipelineSpec spec) {
  auto segment = std::make_shared<Segment>();
  segment->spec = std::move(spec);
  FormGangs(&segment->spec.steps);
  POTOK_RETURN_IF_ERROR(FillSegment({}, segment.get()));
  return std::make_shared<Plan>(std::move(segment));
}

void Plan::Append(std::shared_ptr<const Segment> segment) {
  for (const Step& step : segment->spec.steps) {
    if (step.queue_timeout_seconds > 0) has_queue_timeout = true;
    if (step.finalizes) ++finals;
  }
  for (const Shape& shape : segment->new_shapes) {
    shapes.push_back(shape);
    wanted.push_back(shape);
    if (pool_.has_value()) wanted.back().pool = *pool_;
  }
  segments.push_back(std::move(segment));
}

void Plan::MoveTo(const std::string& pool) {
  pool_ = pool;
  for (Shape& shape : wanted) shape.pool = pool;
}

absl::Status FillSegment(const std::vector<Shape>& shapes, Segment* segment) {
  segment->steps.resize(segment->spec.steps.size());
  for (std::uint32_t i = 0; i < segment->spec.steps.size(); ++i) {
    segment->index_of.emplace(segment->spec.steps[i].name, i);
  }
  POTOK_RETURN_IF_ERROR(ResolveBindings(segment));
  AddEdges(segment);
  POTOK_RETURN_IF_ERROR(CheckOrder(*segment));
  AddShapes(shapes, segment);
  return absl::OkStatus();
}

Shape ShapeOf(const std::string& compute, const Step& step) {
  Shape shape;
  shape.pool = PoolOf(compute);
  shape.labels = step.labels;
  shape.expression = LabelExpression::ParseOrNever(step.label_expression);
  shape.gpu_models = step.gpu_models;
  shape.gpu_memory_bytes = step.gpu_memory_bytes;
  shape.request = step.resources;
  shape.runtimes = RuntimesFor(step);
  // Mini-batches run on one machine, however many are asked for (decision 31).
  const bool is_several = step.control == nullptr || IsGang(step);
  if (is_several) shape.machines = std::max(step.instance_count, 1);
  if (shape.request.cpu_millis <= 0) shape.request.cpu_millis = kDefaultCpuMillis;
  return shape;
}

bool IsControl(const Step& step) {
  if (step.control == nullptr) return false;
  const auto& kind = step.control->kind;
  return std::holds_alternative<Condition>(kind) || std::holds_alternative<DoWhile>(kind) ||
         std::holds_alternative<ParallelFor>(kind) || std::holds_alternative<Sweep>(kind) ||
         std::holds_alternative<Gang>(kind);
}

bool IsGang(const Step& step) {
  return step.control != nullptr && std::holds_alternative<Gang>(step.control->kind);
}

const Segment& Plan::SegmentOf(std::uint32_t step) const {
  const Segment& first = *segments.front();
  if (step < first.steps.size()) return first;
  const auto after = std::upper_bound(
      segments.begin(), segments.end(), step, [](std::uint32_t number, const auto& segment) {
        return number < segment->first;
      });
  return **std::prev(after);
}

std::optional<std::uint32_t> Plan::Find(const std::string& name) const {
  for (const auto& segment : segments) {
    const auto found = segment->index_of.find(name);
    if (found != segment->index_of.end()) return found->second;
  }
  return std::nullopt;
}

bool Plan::IsRoot(std::uint32_t number) const {
  if (!planned(number).upstreams.empty()) return false;
  const Step& it = step(number);
  return it.when.empty() && !it.finalizes && !IsControl(it);
}

}  // namespace potok::server
