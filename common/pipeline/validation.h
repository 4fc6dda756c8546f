// What the parts of Validate (validate.h) share: the spec with its names looked up, and the list of
// problems. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/pipeline/suggest.h"
#include "common/pipeline/validate.h"

namespace potok {

// A spec that outlives it, by name. Of two things of one name the first counts.
class SpecIndex {
 public:
  explicit SpecIndex(const PipelineSpec& spec);

  const PipelineSpec& spec() const { return spec_; }
  std::optional<std::uint32_t> FindStep(const std::string& name) const;
  // Positions in the step's inputs or outputs.
  std::optional<std::uint32_t> FindInput(std::uint32_t step, const std::string& name) const;
  std::optional<std::uint32_t> FindOutput(std::uint32_t step, const std::string& name) const;
  // Of the pipeline; null if there is none.
  const Input* FindPipelineInput(const std::string& name) const;
  const Output* FindPipelineOutput(const std::string& name) const;
  // "jobs.train.inputs.lr" from 3 and "inputs.lr".
  std::string Where(std::uint32_t step, const std::string& rest) const;

 private:
  using Positions = std::unordered_map<std::string, std::uint32_t>;
  struct Ports {
    Positions inputs;
    Positions outputs;
  };
  const PipelineSpec& spec_;
  Positions steps_;
  std::unordered_map<std::uint32_t, Ports> many_ports_;  // of steps with too many to look through
  Ports pipeline_;
};

// Problems in the order in which they are found.
class Problems {
 public:
  void Error(std::string where, std::string message);
  void Warning(std::string where, std::string message);

  // "; did you mean 'data'?", or the names there are, if few: what to append to a message about a
  // name that is none of `items`. Items have a `name`. Stays linear in sum: after a million
  // comparisons nothing more is suggested.
  template <class Item>
  std::string Suggestion(const std::string& name, const std::vector<Item>& items) {
    if (items.size() > comparisons_left_) return "";
    comparisons_left_ -= items.size();
    std::vector<std::string> names;
    names.reserve(items.size());
    for (const Item& item : items) names.push_back(item.name);
    return SuggestionFor(name, names);
  }

  std::vector<Problem> Take() { return std::move(problems_); }

 private:
  std::vector<Problem> problems_;
  std::size_t comparisons_left_ = 1'000'000;
};

// A value that comes from another step: from its output, or from what its input is bound to.
struct StepReference {
  std::uint32_t step = 0;
  std::uint32_t input = 0;  // position in the step's inputs
  std::uint32_t source = 0;
  std::optional<std::uint32_t> source_input;  // absent: an output
};

// The parts, each adding what it finds.
void CheckPorts(const SpecIndex& index, Problems* problems);
void CheckStep(const SpecIndex& index, std::uint32_t step, Problems* problems);
void CheckCommand(const SpecIndex& index, std::uint32_t step, Problems* problems);
// Appends what the step's inputs refer to, but for references to nothing and to itself.
void CheckBindings(const SpecIndex& index,
                   std::uint32_t step,
                   Problems* problems,
                   std::vector<StepReference>* references);
// Promotions of the steps' outputs to those of the pipeline.
void CheckPromotions(const SpecIndex& index, Problems* problems);
// Cycles through bindings and depends_on.
void CheckCycles(const SpecIndex& index,
                 const std::vector<StepReference>& references,
                 Problems* problems);

// Names, types, modes and limits of ports; `where` begins each path: "", or "jobs.train.".
void CheckInputDeclarations(const std::vector<Input>& inputs,
                            const std::string& where,
                            Problems* problems);
void CheckOutputDeclarations(const std::vector<Output>& outputs,
                             const std::string& where,
                             Problems* problems);

}  // namespace potok
