#include "server/domain/step_table.h"

#include <algorithm>
#include <numeric>

#include "absl/container/btree_map.h"
#include "absl/hash/hash.h"

namespace potok::server {

namespace {

// Leaves what steps that differ only in their names and values have in common.
void Generalise(Step* step) {
  step->name.clear();
  step->depends_on.clear();
  for (Input& input : step->inputs) input.value = std::monostate();
}

// Definitions by a hash of the fields that tell most of them apart. One that was met before is
// found again; which of equal ones is kept does not matter.
class Definitions {
 public:
  explicit Definitions(absl::Span<const StepTable* const> kin) {
    for (const StepTable* table : kin) {
      for (const StepTable::Definition& definition : table->definitions()) {
        known_.emplace(HashOf(*definition.step), definition.step);
      }
    }
  }

  std::shared_ptr<const Step> Intern(Step step) {
    Generalise(&step);
    const std::size_t hash = HashOf(step);
    for (auto [it, end] = known_.equal_range(hash); it != end; ++it) {
      if (*it->second == step) return it->second;
    }
    return known_.emplace(hash, std::make_shared<const Step>(std::move(step)))->second;
  }

 private:
  static std::size_t HashOf(const Step& step) {
    return absl::HashOf(step.command,
                        step.component,
                        step.display_name,
                        step.description,
                        step.environment,
                        step.compute,
                        step.when,
                        step.resources.cpu_millis,
                        step.resources.memory_bytes,
                        step.priority,
                        step.environment_variables,
                        step.control.get());
  }

  absl::btree_multimap<std::size_t, std::shared_ptr<const Step>> known_;
};

}  // namespace

StepTable::StepTable(std::vector<Step> steps,
                     const std::vector<DraftStep>& drafts,
                     absl::Span<const StepTable* const> kin) {
  Definitions definitions(kin);
  absl::btree_map<const Step*, std::uint32_t> numbers;
  const auto count = [](std::size_t size) { return static_cast<std::uint32_t>(size); };
  rows_.reserve(steps.size());
  by_name_.resize(steps.size());
  for (std::size_t i = 0; i < steps.size(); ++i) {
    Row& row = rows_.emplace_back();
    row.name = count(names_.size());
    row.input = count(inputs_.size());
    row.upstream = count(upstreams_.size());
    row.dependent = count(dependents_.size());
    names_ += steps[i].name;
    inputs_.insert(inputs_.end(), drafts[i].inputs.begin(), drafts[i].inputs.end());
    upstreams_.insert(upstreams_.end(), drafts[i].upstreams.begin(), drafts[i].upstreams.end());
    dependents_.insert(dependents_.end(), drafts[i].dependents.begin(), drafts[i].dependents.end());
    std::shared_ptr<const Step> definition = definitions.Intern(std::move(steps[i]));
    const auto [number, is_new] = numbers.try_emplace(definition.get(), count(definitions_.size()));
    if (is_new) definitions_.push_back({std::move(definition), 0});
    row.definition = number->second;
  }
  names_.shrink_to_fit();
  inputs_.shrink_to_fit();
  upstreams_.shrink_to_fit();
  dependents_.shrink_to_fit();
  std::iota(by_name_.begin(), by_name_.end(), 0U);
  std::ranges::stable_sort(by_name_, {}, [this](std::uint32_t step) { return NameAt(step); });
}

std::string_view StepTable::NameAt(std::size_t step) const {
  const std::size_t begin = rows_[step].name;
  const std::size_t end = step + 1 < rows_.size() ? rows_[step + 1].name : names_.size();
  return std::string_view(names_).substr(begin, end - begin);
}

std::optional<std::uint32_t> StepTable::Find(std::string_view name) const {
  const auto found = std::ranges::lower_bound(
      by_name_, name, {}, [this](std::uint32_t step) { return NameAt(step); });
  if (found == by_name_.end() || NameAt(*found) != name) return std::nullopt;
  return *found;
}

template <class T>
absl::Span<const T> StepTable::Slice(const std::vector<T>& all,
                                     std::uint32_t Row::*begin,
                                     std::size_t step) const {
  const std::size_t from = rows_[step].*begin;
  const std::size_t to = step + 1 < rows_.size() ? rows_[step + 1].*begin : all.size();
  return absl::MakeConstSpan(all).subspan(from, to - from);
}

PlanStep StepTable::operator[](std::size_t step) const {
  return {Slice(inputs_, &Row::input, step),
          Slice(upstreams_, &Row::upstream, step),
          Slice(dependents_, &Row::dependent, step),
          DefinitionOf(step).shape};
}

}  // namespace potok::server
