#include "server/rpc/output_assets.h"

#include <algorithm>
#include <variant>

#include "common/base/status_macros.h"
#include "common/pipeline/artifact_reference.h"
#include "fmt/format.h"

namespace potok::server {

namespace {

bool IsModel(ValueType type) {
  return type == ValueType::kMlflowModel || type == ValueType::kCustomModel ||
         type == ValueType::kTritonModel;
}

// The outputs whose names this one carries: its own, and the pipeline's that it is promoted to.
std::vector<const Output*> NamedBy(const Output& output, const PipelineSpec& spec) {
  std::vector<const Output*> named;
  if (!output.asset_name.empty()) named.push_back(&output);
  const auto promoted = output.promoted_to.empty()
                            ? spec.outputs.end()
                            : std::ranges::find(spec.outputs, output.promoted_to, &Output::name);
  if (promoted == spec.outputs.end() || promoted->asset_name.empty()) return named;
  const bool is_same =
      promoted->asset_name == output.asset_name && promoted->asset_version == output.asset_version;
  if (!is_same) named.push_back(&*promoted);
  return named;
}

}  // namespace

absl::Status OutputAssets::RegisterOne(const OutputsOf& of,
                                       const Output& output,
                                       const Output& named,
                                       const Artifact& artifact) {
  NewAsset asset;
  asset.kind = IsModel(named.type) ? AssetKind::kModel : AssetKind::kData;
  asset.name = named.asset_name;
  asset.version = named.asset_version;
  // Both texts are of letters that JSON needs not escape.
  asset.document = fmt::format(
      R"({{"path":"{}","type":"{}"}})", ArtifactReference(artifact), NameOf(named.type));
  asset.made_by = fmt::format("{}/{}", of.run_name, of.step_name);
  asset.properties = {
      {"potok.run", of.run_name}, {"potok.step", of.step_name}, {"potok.output", output.name}};
  asset.origin = fmt::format("output/{}/{}/{}/{}/{}/{}",
                             of.attempt.run,
                             of.attempt.index,
                             of.attempt.attempt,
                             output.name,
                             named.asset_name,
                             named.asset_version);
  // Only for display: a run that is not in the tables yet has no submitter to show.
  if (const auto run = reader_.GetRunById(of.attempt.run); run.ok()) {
    asset.created_by = run->added.submitter;
  }
  const absl::Status created = registry_.Create(std::move(asset)).status();
  if (created.ok()) return created;
  return absl::Status(
      created.code(),
      fmt::format("registering output '{}': {}", output.name, std::string(created.message())));
}

absl::Status OutputAssets::Register(const OutputsOf& of,
                                    const PipelineSpec& spec,
                                    const Step& step,
                                    const std::vector<OutputValue>& outputs) {
  for (const OutputValue& value : outputs) {
    const auto* artifact = std::get_if<Artifact>(&value.value);
    const auto output = std::ranges::find(step.outputs, value.name, &Output::name);
    if (artifact == nullptr || output == step.outputs.end()) continue;
    for (const Output* named : NamedBy(*output, spec)) {
      POTOK_RETURN_IF_ERROR(RegisterOne(of, *output, *named, *artifact));
    }
  }
  return absl::OkStatus();
}

}  // namespace potok::server
