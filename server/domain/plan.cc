#include "server/domain/plan.h"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

#include "common/base/status_macros.h"
#include "common/pipeline/control.h"
#include "common/pipeline/environment.h"
#include "common/pipeline/validate.h"
#include "fmt/format.h"
#include "server/domain/gang.h"
#include "server/domain/segment_draft.h"

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
                    s.runtimes,
                    s.has_image);
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
  SegmentDraft draft;
  draft.head.spec = std::move(spec);
  FormGangs(&draft.head.spec.steps);
  POTOK_ASSIGN_OR_RETURN(std::shared_ptr<const Segment> segment,
                         MakeSegment(std::move(draft), nullptr));
  return std::make_shared<Plan>(std::move(segment));
}

void Plan::Append(std::shared_ptr<const Segment> segment) {
  for (std::size_t i = 0; i < segment->steps.size(); ++i) {
    const Step& step = segment->steps.definition(i);
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

Shape ShapeOf(const std::string& compute, const Step& step) {
  Shape shape;
  shape.pool = PoolOf(compute);
  shape.labels = step.labels;
  shape.expression = LabelExpression::ParseOrNever(step.label_expression);
  shape.gpu_models = step.gpu_models;
  shape.gpu_memory_bytes = step.gpu_memory_bytes;
  shape.request = step.resources;
  shape.runtimes = RuntimesFor(step);
  // Most definitions have none, and need not be parsed to know it.
  shape.has_image = step.environment_definition.find("image") != std::string::npos &&
                    !ParseEnvironmentDefinition(step.environment_definition).image.empty();
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

std::optional<std::uint32_t> Segment::Find(std::string_view name) const {
  const std::optional<std::uint32_t> step = steps.Find(name);
  return step.has_value() ? std::optional(first + *step) : std::nullopt;
}

std::string Plan::NameOf(std::uint32_t number) const {
  const Segment& segment = SegmentOf(number);
  std::string name = segment.steps.NameOf(number - segment.first);
  if (segment.prefix.empty()) return name;
  return name.empty() ? segment.prefix : segment.prefix + "/" + name;
}

std::optional<std::uint32_t> Plan::Find(const std::string& name) const {
  for (const auto& segment : segments) {
    std::string_view within = name;
    if (!segment->prefix.empty()) {
      if (!within.starts_with(segment->prefix)) continue;
      within.remove_prefix(segment->prefix.size());
      if (!within.empty() && within.front() != '/') continue;
      if (!within.empty()) within.remove_prefix(1);
    }
    if (const auto found = segment->Find(within); found.has_value()) return found;
  }
  return std::nullopt;
}

bool Plan::IsRoot(std::uint32_t number) const {
  if (!planned(number).upstreams.empty()) return false;
  const Step& it = definition(number);
  return it.when.empty() && !it.finalizes && !IsControl(it);
}

}  // namespace potok::server
