// What the parts of Validate (validate.h) share: the spec with its names looked up, and the list of
// problems. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/pipeline/control.h"
#include "common/pipeline/suggest.h"
#include "common/pipeline/validate.h"

namespace potok {

// Steps that can name each other, and what they name by "parent": the pipeline, or the body of a
// step with the step's own ports.
struct Level {
  const std::vector<Input>& inputs;
  const std::vector<Output>& outputs;
  const std::vector<Step>& steps;
  std::string owner;  // "", or of a body the step's whole name: "train/fold"
  // Inputs that get their values while the step runs: from items, or sampled.
  std::set<std::string> fed;
  bool is_pipeline = true;  // false: a standalone job

  // "the pipeline", or "the step 'fold' around it".
  std::string Title() const;
};

// A level that outlives it, by name. Of two things of one name the first counts.
class SpecIndex {
 public:
  explicit SpecIndex(const Level& level);

  const Level& spec() const { return level_; }
  std::optional<std::uint32_t> FindStep(const std::string& name) const;
  // Positions in the step's inputs or outputs.
  std::optional<std::uint32_t> FindInput(std::uint32_t step, const std::string& name) const;
  std::optional<std::uint32_t> FindOutput(std::uint32_t step, const std::string& name) const;
  // Of the level; null if there is none.
  const Input* FindPipelineInput(const std::string& name) const;
  const Output* FindPipelineOutput(const std::string& name) const;
  // "train/fit" of the step, in the words of the whole pipeline; the one step of a body that has no
  // name is "fold/body".
  std::string FullName(std::uint32_t step) const;
  // "jobs.train.inputs.lr" from 3 and "inputs.lr".
  std::string Where(std::uint32_t step, const std::string& rest) const;
  // The same of the level itself: "outputs.model", or of a body "jobs.fold.outputs.model".
  std::string WhereOfLevel(const std::string& rest) const;

 private:
  using Positions = std::unordered_map<std::string, std::uint32_t>;
  struct Ports {
    Positions inputs;
    Positions outputs;
  };
  const Level& level_;
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
  std::optional<std::uint32_t> input;  // position in the step's inputs; absent: in its `when`
  std::uint32_t source = 0;
  std::optional<std::uint32_t> source_input;  // absent: an output
};

// The parts, each adding what it finds.
void CheckPorts(const PipelineSpec& spec, const std::set<std::string>& awaited, Problems* problems);
void CheckStep(const SpecIndex& index, std::uint32_t step, Problems* problems);
void CheckCommand(const SpecIndex& index, std::uint32_t number, Problems* problems);
// Appends what the step's inputs refer to, but for references to nothing and to itself.
void CheckBindings(const SpecIndex& index,
                   std::uint32_t step,
                   Problems* problems,
                   std::vector<StepReference>* references);
// How often, how long and whether at all it runs: retry, reuse, priority, timeouts, finalizing.
void CheckPolicy(const SpecIndex& index, std::uint32_t step, Problems* problems);
// No data passes to and from a step that finalizes.
void CheckFinalizers(const SpecIndex& index,
                     const std::vector<StepReference>& references,
                     Problems* problems);
// `when`: what it names, and its types. Appends the steps that are named.
void CheckWhen(const SpecIndex& index,
               std::uint32_t step,
               Problems* problems,
               std::vector<StepReference>* references);
// What the step does instead of a command, but for the steps of its body.
void CheckControl(const SpecIndex& index, std::uint32_t step, Problems* problems);
void CheckSweep(const SpecIndex& index, std::uint32_t step, const Sweep& sweep, Problems* problems);
// Inputs of the step that get their values while it runs, as far as that is known; `all`: any may.
struct FedInputs {
  std::set<std::string> names;
  bool all = false;
};
FedInputs FedInputsOf(const Step& step);
// Why the items of a parallel_for cannot be run here, or nothing: they are to give files to a
// command, and nothing is fetched while a run goes on.
std::optional<std::string> WhyItemsAreNotRun(const Step& step);
// Promotions of the steps' outputs to those of the level.
void CheckPromotions(const SpecIndex& index, Problems* problems);
// Cycles through bindings and depends_on.
void CheckCycles(const SpecIndex& index,
                 const std::vector<StepReference>& references,
                 Problems* problems);

// Whether one input may be kItemsInput, whose name is not a user's.
enum class ItemsInput { kNone, kAllowed };
// Names, types, modes and limits of ports; `where` begins each path: "", or "jobs.train.".
void CheckInputDeclarations(const std::vector<Input>& inputs,
                            const std::string& where,
                            ItemsInput items,
                            Problems* problems);
void CheckOutputDeclarations(const std::vector<Output>& outputs,
                             const std::string& where,
                             Problems* problems);

}  // namespace potok
