// A validated pipeline, ready to be scheduled: steps by number, edges both ways. Immutable, shared,
// pure.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "common/pipeline/label_expression.h"
#include "common/pipeline/spec.h"
#include "server/domain/step_table.h"

namespace potok::server {

// What placement needs to know of a step. Steps of one plan share few of them.
struct Shape {
  std::string pool;  // empty: the default pool
  std::map<std::string, std::string> labels;
  LabelExpression expression;           // over labels too; most have none
  std::vector<std::string> gpu_models;  // each of its GPUs is one of them; empty: any
  std::int64_t gpu_memory_bytes = 0;    // that each of its GPUs has at least, in all
  // On how many machines at once, each of which has all that the shape says (gang.h).
  std::int32_t machines = 1;
  // What a machine must have free. A step that asks for no CPU takes one, so that every step takes
  // a place (docs/decisions/0005-default-request.md).
  Resources request;
  // The machine must have one of them; empty: any will do. What the pool says of images comes first
  // (RuntimesOf, fit.h).
  std::set<std::string> runtimes = {};
  bool has_image = false;  // its environment has one

  bool operator==(const Shape&) const = default;
  bool operator<(const Shape& other) const;
};

// Steps that came into the plan together: those of the pipeline as it was submitted, or those that
// one control step made of its body (expand.h). No edge leads out of a segment. Immutable; plans
// of the same run share them.
struct Segment {
  std::uint32_t first = 0;  // number of its first step
  // The control step that they belong to, and which of its items, iterations or trials they are
  // (from 0). Nothing: as submitted.
  std::optional<std::uint32_t> control;
  std::uint32_t ordinal = 0;
  std::string prefix;  // "fold[3]", or empty: its steps' names begin with it and a '/'
  PipelineSpec spec;   // of the first segment as submitted, but for its steps
  StepTable steps;
  std::vector<Shape> new_shapes;  // that its plan did not have; their numbers follow those it had

  // The run's number of the step of that name within the segment.
  std::optional<std::uint32_t> Find(std::string_view name) const;
};

struct Plan {
  Plan() : Plan(std::make_shared<const Segment>()) {}
  explicit Plan(std::shared_ptr<const Segment> submitted) { Append(std::move(submitted)); }

  // Ascending, without gaps; the first, which is always there, is the pipeline as submitted.
  std::vector<std::shared_ptr<const Segment>> segments;
  std::vector<Shape> shapes;       // each once
  std::vector<Shape> wanted;       // the same, in the pool that the run was moved to
  bool has_queue_timeout = false;  // of some step
  std::uint32_t finals = 0;        // steps that run when all others have ended

  // The pipeline as it was submitted, but for its steps, which are the plan's first.
  const PipelineSpec& spec() const { return segments.front()->spec; }
  std::uint32_t submitted() const {
    return static_cast<std::uint32_t>(segments.front()->steps.size());
  }
  std::uint32_t size() const {
    const Segment& last = *segments.back();
    return last.first + static_cast<std::uint32_t>(last.steps.size());
  }
  const Segment& SegmentOf(std::uint32_t step) const;
  std::string NameOf(std::uint32_t number) const;
  // What the step is, but for its name and the values of its inputs (StepTable::Definition).
  const Step& definition(std::uint32_t number) const {
    const Segment& segment = SegmentOf(number);
    return segment.steps.definition(number - segment.first);
  }
  PlanStep planned(std::uint32_t number) const {
    const Segment& segment = SegmentOf(number);
    return segment.steps[number - segment.first];
  }
  const Shape& shape_of(std::uint32_t step) const { return wanted[planned(step).shape]; }
  std::optional<std::uint32_t> Find(const std::string& name) const;
  // True if it needs nothing to be decided: it is queued as soon as it is there.
  bool IsRoot(std::uint32_t number) const;

  // Puts a segment behind the others.
  void Append(std::shared_ptr<const Segment> segment);
  // All steps, also those to come, are wanted in this pool instead of their own.
  void MoveTo(const std::string& pool);

 private:
  std::optional<std::string> pool_;
};

// True of a step that makes steps of its body, or decides at once, instead of running a command.
bool IsControl(const Step& step);
// True of a control step that runs its command on several machines at once (gang.h).
bool IsGang(const Step& step);

// Whether a plan can be built: common/pipeline/validate.h, and nothing in it is a file of the
// submitting machine. INVALID_ARGUMENT with one problem a line.
absl::Status CheckSpec(const PipelineSpec& spec);

// Checks and resolves: values of the pipeline's inputs become
// literals, ${{parent.jobs.N.inputs.X}} becomes the value of that input, whatever it is. A pool is
// the step's compute or the pipeline's default, without "azureml:"; "serverless", "local" and
// "default" name the default pool. INVALID_ARGUMENT as CheckSpec.
absl::StatusOr<std::shared_ptr<const Plan>> BuildPlan(PipelineSpec spec);

// The same of a spec of which a plan was built before, as it was stored then, without validating it
// again: rules that were made since do not undo a run.
absl::StatusOr<std::shared_ptr<const Plan>> RebuildPlan(PipelineSpec spec);

// What placement needs to know of a step, whose compute or the default of its pipeline is
// `compute`.
Shape ShapeOf(const std::string& compute, const Step& step);

}  // namespace potok::server
