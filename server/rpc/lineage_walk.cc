#include "server/rpc/lineage_walk.h"

#include <algorithm>
#include <utility>

#include "common/base/status_macros.h"
#include "common/pipeline/control.h"
#include "common/rpc/pipeline_convert.h"
#include "server/rpc/step_artifacts.h"

namespace potok::server {

namespace {

constexpr int kNodesMax = 1000;  // runs.proto

// What a step of a body has made of an output of its loop or sweep.
struct PartOfOutput {
  std::uint32_t step;
  std::string output;
  const Artifact* artifact;
};

std::vector<PartOfOutput> PartsOf(const ToldRun& run,
                                  std::uint32_t index,
                                  const std::string& output) {
  std::vector<PartOfOutput> parts;
  for (std::uint32_t i = index + 1; i < run.plan->size(); ++i) {
    if (run.plan->SegmentOf(i).control != index) continue;
    const StepRow* row = run.Find(i);
    for (const Output& of : run.plan->definition(i).outputs) {
      const Artifact* made = row == nullptr ? nullptr : MadeArtifact(*row, of.name);
      if (of.promoted_to == output && made != nullptr) parts.push_back({i, of.name, made});
    }
  }
  return parts;
}

}  // namespace

const StepRow* ToldRun::Find(std::uint32_t index) const {
  const auto found = std::ranges::lower_bound(steps, index, {}, &StepRow::index);
  return found == steps.end() || found->index != index ? nullptr : &*found;
}

absl::StatusOr<const ToldRun*> ToldRuns::ById(RunId id) {
  if (const auto known = records_.find(id); known != records_.end()) return &known->second;
  POTOK_ASSIGN_OR_RETURN(RunRow row, reader_.GetRunById(id));
  return Keep(std::move(row));
}

absl::StatusOr<const ToldRun*> ToldRuns::ByName(const std::string& name) {
  POTOK_ASSIGN_OR_RETURN(RunRow row, reader_.GetRun(name));
  const auto known = records_.find(row.added.id);
  return known != records_.end() ? &known->second : Keep(std::move(row));
}

absl::StatusOr<const ToldRun*> ToldRuns::Keep(RunRow row) {
  ToldRun record;
  POTOK_ASSIGN_OR_RETURN(record.plan, plan_of_(row));
  POTOK_ASSIGN_OR_RETURN(record.steps, reader_.GetSteps(row.added.id, 0));
  record.row = std::move(row);
  const RunId id = record.row.added.id;
  return &records_.insert_or_assign(id, std::move(record)).first->second;
}

v1::LineageNode* LineageWalk::Add(int depth, v1::LineageNode::Kind kind, const std::string& port) {
  if (response_.origins_size() >= kNodesMax) {
    response_.set_origins_cut(true);
    return nullptr;
  }
  v1::LineageNode* const node = response_.add_origins();
  node->set_depth(depth);
  node->set_kind(kind);
  node->set_port(port);
  return node;
}

absl::Status LineageWalk::Step(const ToldRun& run,
                               std::uint32_t index,
                               const std::string& output,
                               const std::string& port,
                               int depth) {
  const bool is_new = seen_.insert({run.row.added.id, index}).second;
  v1::LineageNode* const node =
      Add(depth, is_new ? v1::LineageNode::KIND_STEP : v1::LineageNode::KIND_SEEN, port);
  if (node == nullptr) return absl::OkStatus();
  const potok::Step& step = run.plan->definition(index);
  node->set_run(run.row.added.name);
  node->set_step(run.plan->NameOf(index));
  node->set_output(output);
  const StepRow* row = run.Find(index);
  const Artifact* made = row == nullptr ? nullptr : MadeArtifact(*row, output);
  if (made != nullptr) *node->mutable_artifact() = potok::ToProto(*made);
  if (!is_new) return absl::OkStatus();
  if (const auto* code = std::get_if<Artifact>(&step.code)) {
    v1::LineageNode* const at = Add(depth + 1, v1::LineageNode::KIND_CODE, "code");
    if (at != nullptr) *at->mutable_artifact() = potok::ToProto(*code);
  }
  for (std::size_t input = 0; input < step.inputs.size(); ++input) {
    POTOK_RETURN_IF_ERROR(Input(run, index, input, depth + 1));
  }
  return Body(run, index, output, made, depth + 1);
}

// What a loop or a sweep has was made by steps of its body: of a parallel_for by all that made the
// output, else by the one whose files these are.
absl::Status LineageWalk::Body(const ToldRun& run,
                               std::uint32_t index,
                               const std::string& output,
                               const Artifact* made,
                               int depth) {
  const Control* control = run.plan->definition(index).control.get();
  if (control == nullptr || control->body.empty() || made == nullptr) return absl::OkStatus();
  const bool gathers = std::holds_alternative<ParallelFor>(control->kind);
  for (const PartOfOutput& part : PartsOf(run, index, output)) {
    if (!gathers && part.artifact->digest != made->digest) continue;
    const std::string& body = run.plan->SegmentOf(part.step).prefix;
    POTOK_RETURN_IF_ERROR(Step(run, part.step, part.output, body, depth));
    if (!gathers) return absl::OkStatus();
  }
  return absl::OkStatus();
}

absl::Status LineageWalk::Input(const ToldRun& run,
                                std::uint32_t index,
                                std::size_t input,
                                int depth) {
  potok::Input declared = run.plan->definition(index).inputs[input];
  if (declared.name == kItemsInput) declared.name = "items";
  const PlanInput& bound = run.plan->planned(index).inputs[input];
  if (const auto* artifact = std::get_if<Artifact>(&bound.value)) {
    return Data(run, *artifact, declared.name, depth);
  }
  const auto* parts = std::get_if<std::vector<PlanPart>>(&bound.value);
  if (parts == nullptr) return absl::OkStatus();
  std::string text;
  for (const PlanPart& part : *parts) {
    if (const auto* literal = std::get_if<std::string>(&part)) {
      text += *literal;
      continue;
    }
    const auto& upstream = std::get<UpstreamOutput>(part);
    const std::string& name = run.plan->definition(upstream.step).outputs[upstream.output].name;
    POTOK_RETURN_IF_ERROR(Step(run, upstream.step, name, declared.name, depth));
  }
  if (text.empty()) return absl::OkStatus();
  const auto kind =
      IsPrimitive(declared.type) ? v1::LineageNode::KIND_VALUE : v1::LineageNode::KIND_DATA;
  if (v1::LineageNode* node = Add(depth, kind, declared.name)) node->set_text(text);
  return absl::OkStatus();
}

// Data that a run was submitted with may be what a step of an earlier run made.
absl::Status LineageWalk::Data(const ToldRun& run,
                               const Artifact& artifact,
                               const std::string& port,
                               int depth) {
  ArtifactUseFilter filter{artifact.digest, {ArtifactRole::kMade}};
  filter.before_run = run.row.added.id;
  filter.limit = 1;
  POTOK_ASSIGN_OR_RETURN(const std::vector<ArtifactUse> makers, reader_.FindUses(filter));
  if (!makers.empty()) {
    POTOK_ASSIGN_OR_RETURN(const ToldRun* const maker, records_.ById(makers.front().run));
    if (makers.front().index < maker->plan->size()) {
      return Step(*maker, makers.front().index, makers.front().port, port, depth);
    }
  }
  v1::LineageNode* const node = Add(depth, v1::LineageNode::KIND_DATA, port);
  if (node != nullptr) *node->mutable_artifact() = potok::ToProto(artifact);
  return absl::OkStatus();
}

}  // namespace potok::server
