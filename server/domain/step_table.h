// The steps of a segment, without what they have in common: a run of a hundred thousand steps has a
// handful of definitions. Immutable, shared, pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/types/span.h"
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
  // Whether a value comes from it; else it is only waited for (depends_on, `when`).
  bool has_value = true;
};

// A step while its segment is made.
struct DraftStep {
  std::vector<PlanInput> inputs;          // as in the step's inputs
  std::vector<Edge> upstreams;            // each step once, ascending
  std::vector<std::uint32_t> dependents;  // ascending
};

// A step of a plan: views into it, valid as long as it is.
struct PlanStep {
  absl::Span<const PlanInput> inputs;  // as in the definition's inputs
  absl::Span<const Edge> upstreams;    // each step once, ascending
  absl::Span<const std::uint32_t> dependents;
  std::uint32_t shape = 0;  // in Plan::shapes
};

class StepTable {
 public:
  // All that a step says but its name, the values of its inputs and `depends_on`, which are empty
  // here; and the number of its shape in its plan.
  struct Definition {
    std::shared_ptr<const Step> step;
    std::uint32_t shape = 0;
  };

  StepTable() = default;
  // Of `steps` and what was found of each of them. Definitions that one of `kin` has are shared
  // with it. All shapes are 0.
  StepTable(std::vector<Step> steps,
            const std::vector<DraftStep>& drafts,
            absl::Span<const StepTable* const> kin);

  std::size_t size() const { return rows_.size(); }
  // As it is written, within its segment.
  std::string NameOf(std::size_t step) const { return std::string(NameAt(step)); }
  std::optional<std::uint32_t> Find(std::string_view name) const;
  const Step& definition(std::size_t step) const { return *DefinitionOf(step).step; }
  PlanStep operator[](std::size_t step) const;

  const std::vector<Definition>& definitions() const { return definitions_; }
  void SetShape(std::size_t definition, std::uint32_t shape) {
    definitions_[definition].shape = shape;
  }

 private:
  // Where what it has begins; it ends where the next one's begins.
  struct Row {
    std::uint32_t definition = 0;
    std::uint32_t name = 0;
    std::uint32_t input = 0;
    std::uint32_t upstream = 0;
    std::uint32_t dependent = 0;
  };

  std::string_view NameAt(std::size_t step) const;
  const Definition& DefinitionOf(std::size_t step) const {
    return definitions_[rows_[step].definition];
  }
  template <class T>
  absl::Span<const T> Slice(const std::vector<T>& all,
                            std::uint32_t Row::*begin,
                            std::size_t step) const;

  std::vector<Definition> definitions_;
  std::vector<Row> rows_;
  std::string names_;                   // one after the other
  std::vector<std::uint32_t> by_name_;  // steps, in the order of their names
  std::vector<PlanInput> inputs_;
  std::vector<Edge> upstreams_;
  std::vector<std::uint32_t> dependents_;
};

}  // namespace potok::server
