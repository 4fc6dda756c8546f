#include "common/pipeline/validation.h"

#include <utility>

namespace potok {

namespace {

// Ports of one step that are compared one by one: quicker than a map, and made of nothing.
constexpr std::size_t kLookedThrough = 16;

using Positions = std::unordered_map<std::string, std::uint32_t>;

template <class Item>
Positions PositionsOf(const std::vector<Item>& items) {
  Positions positions;
  positions.reserve(items.size());
  for (std::uint32_t i = 0; i < items.size(); ++i) positions.emplace(items[i].name, i);
  return positions;
}

std::optional<std::uint32_t> Find(const Positions& positions, const std::string& name) {
  const auto found = positions.find(name);
  if (found == positions.end()) return std::nullopt;
  return found->second;
}

template <class Item>
std::optional<std::uint32_t> Find(const std::vector<Item>& items, const std::string& name) {
  for (std::uint32_t i = 0; i < items.size(); ++i) {
    if (items[i].name == name) return i;
  }
  return std::nullopt;
}

}  // namespace

std::string Level::Title() const {
  return owner.empty() ? "the pipeline" : "the step '" + owner + "' around it";
}

SpecIndex::SpecIndex(const Level& level)
    : level_(level),
      steps_(PositionsOf(level.steps)),
      pipeline_{PositionsOf(level.inputs), PositionsOf(level.outputs)} {
  for (std::uint32_t i = 0; i < level.steps.size(); ++i) {
    const Step& step = level.steps[i];
    if (step.inputs.size() <= kLookedThrough && step.outputs.size() <= kLookedThrough) continue;
    many_ports_[i] = {PositionsOf(step.inputs), PositionsOf(step.outputs)};
  }
}

std::optional<std::uint32_t> SpecIndex::FindStep(const std::string& name) const {
  return Find(steps_, name);
}

std::optional<std::uint32_t> SpecIndex::FindInput(std::uint32_t step,
                                                  const std::string& name) const {
  const auto many = many_ports_.find(step);
  return many == many_ports_.end() ? Find(level_.steps[step].inputs, name)
                                   : Find(many->second.inputs, name);
}

std::optional<std::uint32_t> SpecIndex::FindOutput(std::uint32_t step,
                                                   const std::string& name) const {
  const auto many = many_ports_.find(step);
  return many == many_ports_.end() ? Find(level_.steps[step].outputs, name)
                                   : Find(many->second.outputs, name);
}

const Input* SpecIndex::FindPipelineInput(const std::string& name) const {
  const auto found = Find(pipeline_.inputs, name);
  return found ? &level_.inputs[*found] : nullptr;
}

const Output* SpecIndex::FindPipelineOutput(const std::string& name) const {
  const auto found = Find(pipeline_.outputs, name);
  return found ? &level_.outputs[*found] : nullptr;
}

std::string SpecIndex::FullName(std::uint32_t step) const {
  const std::string& name = level_.steps[step].name;
  if (level_.owner.empty()) return name;
  return level_.owner + "/" + (name.empty() ? "body" : name);
}

std::string SpecIndex::Where(std::uint32_t step, const std::string& rest) const {
  const std::string where = "jobs." + FullName(step);
  return rest.empty() ? where : where + "." + rest;
}

std::string SpecIndex::WhereOfLevel(const std::string& rest) const {
  return level_.owner.empty() ? rest : "jobs." + level_.owner + "." + rest;
}

void Problems::Error(std::string where, std::string message) {
  problems_.push_back({Severity::kError, std::move(where), std::move(message)});
}

void Problems::Warning(std::string where, std::string message) {
  problems_.push_back({Severity::kWarning, std::move(where), std::move(message)});
}

}  // namespace potok
