// A validated pipeline, ready to be scheduled: steps by number, edges both ways. Immutable, shared,
// pure.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/status/statusor.h"
#include "common/pipeline/spec.h"

namespace potok::server {

// The value of another step's output.
struct UpstreamOutput {
  std::uint32_t step = 0;
  std::uint32_t output = 0;
};
// What an input is made of: a literal with all parent inputs filled in, or a reference; several are
// joined as text.
using PlanPart = std::variant<std::string, UpstreamOutput>;

struct PlanInput {
  // No value, an artifact, or parts (a URI or literal is one string part).
  std::variant<std::monostate, Artifact, std::vector<PlanPart>> value;
};

struct Edge {
  std::uint32_t step = 0;  // the upstream one
  // False: only optional inputs come from it, so its failure does not stop this step (Azure
  // ML 1.16).
  bool required = true;
};

// What placement needs to know of a step. Steps of one plan share few of them.
struct Shape {
  std::string pool;  // empty: the default pool
  std::map<std::string, std::string> labels;
  // What a machine must have free. A step that asks for no CPU takes one, so that every step takes
  // a place (docs/decisions/0005-default-request.md).
  Resources request;

  bool operator==(const Shape&) const = default;
  bool operator<(const Shape& other) const;
};

struct PlanStep {
  std::vector<PlanInput> inputs;          // as in spec.steps[i].inputs
  std::vector<Edge> upstreams;            // each step once, ascending
  std::vector<std::uint32_t> dependents;  // ascending
  std::uint32_t shape = 0;                // in Plan::shapes
};

struct Plan {
  PipelineSpec spec;
  std::vector<PlanStep> steps;  // as in spec.steps
  std::vector<Shape> shapes;    // each once
  absl::btree_map<std::string, std::uint32_t> index_of;

  const Shape& shape_of(std::uint32_t step) const { return shapes[steps[step].shape]; }
  // True if it needs no other step: it is queued as soon as there is the run.
  bool IsRoot(std::uint32_t step) const { return steps[step].upstreams.empty(); }
};

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

}  // namespace potok::server
