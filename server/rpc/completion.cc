#include "server/rpc/completion.h"

#include <algorithm>
#include <utility>

#include "common/base/overloaded.h"
#include "common/base/status_macros.h"
#include "common/cas/folder.h"
#include "common/pipeline/template.h"
#include "fmt/format.h"
#include "server/rpc/composition.h"
#include "server/rpc/run_name.h"

namespace potok::server {

bool Completion::Needed(const Report& report) {
  const auto* succeeded = std::get_if<AttemptSucceeded>(&report.event);
  return succeeded != nullptr && !succeeded->outputs.empty();
}

absl::StatusOr<Report> Completion::Check(Report report) const {
  const auto& succeeded = std::get<AttemptSucceeded>(report.event);
  absl::Status status = CheckArtifacts(succeeded);
  const auto run = find_run_(report.key.run);
  // A run that has ended takes no more results: the scheduler will pass the report over.
  if (status.ok() && run.ok()) {
    status = Settle(*run->plan, run->name, report.key, succeeded.outputs);
    if (absl::IsUnavailable(status)) return status;
  }
  if (!status.ok()) {
    report.event = AttemptFailed{{FailureCause::kOutput, 0, std::string(status.message())}};
  }
  return report;
}

absl::Status Completion::Settle(const Plan& plan,
                                const std::string& run,
                                const AttemptKey& key,
                                const std::vector<OutputValue>& outputs) const {
  if (key.index >= plan.size()) return absl::OkStatus();
  const PipelineSpec& spec = plan.SegmentOf(key.index).spec;
  const Step& step = plan.definition(key.index);
  const absl::Status written = WriteDestinations(spec, run, plan.NameOf(key.index), step, outputs);
  // Only of the database it is known that it comes back.
  if (absl::IsUnavailable(written)) return absl::FailedPreconditionError(written.message());
  POTOK_RETURN_IF_ERROR(written);
  const absl::Status registered =
      output_assets_.Register({key, run, plan.NameOf(key.index)}, spec, step, outputs);
  if (absl::IsAborted(registered)) return absl::UnavailableError(registered.message());
  return registered;
}

OutputsComposed Completion::Compose(const ComposeOutputs& wanted) const {
  OutputsComposed composed = server::Compose(store_, wanted);
  const auto run = find_run_(wanted.step.run);
  if (!composed.status.ok() || !run.ok()) return composed;
  const AttemptKey key{wanted.step.run, wanted.step.index, 0};
  composed.status = Settle(*run->plan, run->name, key, composed.outputs);
  return composed;
}

absl::Status Completion::CheckArtifacts(const AttemptSucceeded& succeeded) const {
  for (const OutputValue& output : succeeded.outputs) {
    const auto* artifact = std::get_if<Artifact>(&output.value);
    if (artifact == nullptr) continue;
    if (!artifact->file_name.empty()) POTOK_RETURN_IF_ERROR(CheckName(artifact->file_name));
    POTOK_ASSIGN_OR_RETURN(const std::vector<Digest> missing, store_.MissingOf(*artifact));
    if (!missing.empty()) {
      return absl::DataLossError(
          fmt::format("output '{}': {} of its files are not in the store, for example {}",
                      output.name,
                      missing.size(),
                      missing.front().Hex()));
    }
  }
  return absl::OkStatus();
}

absl::Status Completion::WriteDestinations(const PipelineSpec& spec,
                                           const std::string& run,
                                           const std::string& name,
                                           const Step& step,
                                           const std::vector<OutputValue>& outputs) const {
  for (const OutputValue& value : outputs) {
    const auto output = std::ranges::find(step.outputs, value.name, &Output::name);
    const auto* artifact = std::get_if<Artifact>(&value.value);
    if (output == step.outputs.end() || artifact == nullptr) continue;
    POTOK_ASSIGN_OR_RETURN(const std::string destination, DestinationOf(spec, run, name, *output));
    if (destination.empty()) continue;
    if (absl::Status status = datastores_.Export(*artifact, destination); !status.ok()) {
      return absl::Status(status.code(),
                          fmt::format("writing output '{}' to {}: {}",
                                      output->name,
                                      destination,
                                      std::string(status.message())));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> DestinationOf(const PipelineSpec& spec,
                                          const std::string& run,
                                          const std::string& step,
                                          const Output& output) {
  std::string path = output.path;
  if (path.empty() && !output.promoted_to.empty()) {
    const auto promoted = std::ranges::find(spec.outputs, output.promoted_to, &Output::name);
    if (promoted != spec.outputs.end()) path = promoted->path;
  }
  if (path.empty()) return path;
  POTOK_ASSIGN_OR_RETURN(const std::vector<TemplatePart> parts,
                         ParseTemplate(path, TemplatePlace::kPath));
  std::string out;
  for (const TemplatePart& part : parts) {
    if (const auto* text = std::get_if<std::string>(&part)) {
      out += *text;
      continue;
    }
    const auto* builtin = std::get_if<Builtin>(&std::get<Expression>(part));
    if (builtin == nullptr) continue;  // refused by validation
    if (builtin->name == "name") out += StepJobName(spec, run, step);
    if (builtin->name == "output_name") out += output.name;
    if (builtin->name == "default_datastore") {
      const std::string& name = spec.settings.default_datastore;
      out += name.empty() ? "workspaceblobstore" : name.substr(name.rfind(':') + 1);
    }
  }
  return out;
}

}  // namespace potok::server
