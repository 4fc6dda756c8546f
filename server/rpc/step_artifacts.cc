#include "server/rpc/step_artifacts.h"

#include <algorithm>
#include <map>
#include <string>

namespace potok::server {

namespace {

bool Began(const StepRow& row) {
  return row.attempt > 0 || std::holds_alternative<Succeeded>(row.state);
}

// What an input is, if it is one artifact that is known.
const Artifact* TakenArtifact(const PlanInput& input,
                              const Plan& plan,
                              const std::map<std::uint32_t, const StepRow*>& rows) {
  if (const auto* artifact = std::get_if<Artifact>(&input.value)) return artifact;
  const auto* parts = std::get_if<std::vector<PlanPart>>(&input.value);
  if (parts == nullptr || parts->size() != 1) return nullptr;
  const auto* upstream = std::get_if<UpstreamOutput>(&parts->front());
  const auto row = upstream == nullptr ? rows.end() : rows.find(upstream->step);
  if (row == rows.end()) return nullptr;
  return MadeArtifact(*row->second, plan.definition(upstream->step).outputs[upstream->output].name);
}

}  // namespace

const Artifact* MadeArtifact(const StepRow& row, const std::string& output) {
  const auto* done = std::get_if<Succeeded>(&row.state);
  if (done == nullptr) return nullptr;
  const auto made = std::ranges::find(done->outputs, output, &OutputValue::name);
  return made == done->outputs.end() ? nullptr : std::get_if<Artifact>(&made->value);
}

std::vector<ArtifactUse> UsesOf(RunId run, const Plan& plan, const std::vector<StepRow>& rows) {
  std::map<std::uint32_t, const StepRow*> row_of;
  for (const StepRow& row : rows) row_of[row.index] = &row;
  std::vector<ArtifactUse> uses;
  for (const StepRow& row : rows) {
    if (row.index >= plan.size() || !Began(row)) continue;
    const Step& step = plan.definition(row.index);
    if (const auto* code = std::get_if<Artifact>(&step.code)) {
      uses.push_back({code->digest, run, row.index, ArtifactRole::kCode, "code"});
    }
    const absl::Span<const PlanInput> inputs = plan.planned(row.index).inputs;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const Artifact* taken = TakenArtifact(inputs[i], plan, row_of);
      if (taken == nullptr) continue;
      uses.push_back({taken->digest, run, row.index, ArtifactRole::kUsed, step.inputs[i].name});
    }
    const auto* done = std::get_if<Succeeded>(&row.state);
    if (done == nullptr) continue;
    for (const OutputValue& output : done->outputs) {
      const auto* made = std::get_if<Artifact>(&output.value);
      if (made == nullptr) continue;
      uses.push_back({made->digest, run, row.index, ArtifactRole::kMade, output.name});
    }
  }
  return uses;
}

}  // namespace potok::server
