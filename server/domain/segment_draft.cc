#include "server/domain/segment_draft.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "common/base/status_macros.h"
#include "common/pipeline/when.h"
#include "fmt/format.h"
#include "server/domain/plan_inputs.h"

namespace potok::server {

namespace {

void AddEdgesOf(std::uint32_t index, SegmentDraft* plan) {
  DraftStep& planned = plan->steps[index];
  const Step& step = plan->written()[index];
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

void AddEdges(SegmentDraft* plan) {
  for (std::uint32_t i = 0; i < plan->steps.size(); ++i) AddEdgesOf(i, plan);
  for (std::uint32_t i = 0; i < plan->steps.size(); ++i) {
    for (const Edge& edge : plan->steps[i].upstreams) {
      plan->steps[edge.step].dependents.push_back(i);
    }
  }
}

// Validation sees the references as they are written; an input that follows another step's input
// to an upstream output can still close a circle, and a circle would wait for ever.
absl::Status CheckOrder(const SegmentDraft& plan) {
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
  const Step& step = plan.written()[static_cast<std::size_t>(stuck - waiting_for.begin())];
  return absl::InvalidArgumentError(
      fmt::format("jobs.{}: the steps form a circle, each waiting for the next; remove one of the "
                  "references",
                  step.name));
}

// Steps that came to be a moment ago, of other items of the same loop, are of the same kind.
constexpr std::size_t kKin = 8;

std::vector<const StepTable*> LatestOf(const Plan* plan) {
  std::vector<const StepTable*> kin;
  if (plan == nullptr) return kin;
  const std::size_t count = std::min(plan->segments.size(), kKin);
  kin.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    kin.push_back(&plan->segments[plan->segments.size() - 1 - i]->steps);
  }
  return kin;
}

void AddShapes(const Plan* plan, Segment* segment) {
  static const std::vector<Shape> kNone;
  const std::vector<Shape>& shapes = plan == nullptr ? kNone : plan->shapes;
  std::map<Shape, std::uint32_t> known;
  for (std::uint32_t i = 0; i < shapes.size(); ++i) known.emplace(shapes[i], i);
  const std::vector<StepTable::Definition>& definitions = segment->steps.definitions();
  for (std::size_t i = 0; i < definitions.size(); ++i) {
    const Step& step = *definitions[i].step;
    const bool is_default = step.compute.empty();
    Shape shape = ShapeOf(is_default ? segment->spec.settings.default_compute : step.compute, step);
    const std::size_t number = shapes.size() + segment->new_shapes.size();
    const auto [it, is_new] = known.try_emplace(shape, static_cast<std::uint32_t>(number));
    if (is_new) segment->new_shapes.push_back(std::move(shape));
    segment->steps.SetShape(i, it->second);
  }
}

// From positions in the segment to numbers of the plan.
void Renumber(SegmentDraft* draft) {
  const std::uint32_t first = draft->head.first;
  if (first == 0) return;
  for (DraftStep& step : draft->steps) {
    for (Edge& edge : step.upstreams) edge.step += first;
    for (std::uint32_t& dependent : step.dependents) dependent += first;
    for (PlanInput& input : step.inputs) {
      auto* parts = std::get_if<std::vector<PlanPart>>(&input.value);
      if (parts == nullptr) continue;
      for (PlanPart& part : *parts) {
        if (auto* upstream = std::get_if<UpstreamOutput>(&part)) upstream->step += first;
      }
    }
  }
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Segment>> MakeSegment(SegmentDraft draft, const Plan* plan) {
  draft.steps.resize(draft.written().size());
  for (std::uint32_t i = 0; i < draft.steps.size(); ++i) {
    draft.index_of.emplace(draft.written()[i].name, i);
  }
  POTOK_RETURN_IF_ERROR(ResolveBindings(&draft));
  AddEdges(&draft);
  POTOK_RETURN_IF_ERROR(CheckOrder(draft));
  Renumber(&draft);
  auto segment = std::make_shared<Segment>(std::move(draft.head));
  segment->steps = StepTable(std::move(segment->spec.steps), draft.steps, LatestOf(plan));
  segment->spec.steps = {};
  AddShapes(plan, segment.get());
  return std::shared_ptr<const Segment>(std::move(segment));
}

}  // namespace potok::server
