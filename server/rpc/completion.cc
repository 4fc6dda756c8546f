#include "server/rpc/completion.h"

#include <algorithm>
#include <utility>

#include "common/base/overloaded.h"
#include "common/base/status_macros.h"
#include "common/pipeline/template.h"
#include "fmt/format.h"
#include "server/rpc/run_name.h"

namespace potok::server {

bool Completion::Needed(const Report& report) {
  const auto* succeeded = std::get_if<AttemptSucceeded>(&report.event);
  return succeeded != nullptr && !succeeded->outputs.empty();
}

absl::StatusOr<Report> Completion::Check(Report report) const {
  const auto& outputs = std::get<AttemptSucceeded>(report.event).outputs;
  absl::Status status = CheckArtifacts(std::get<AttemptSucceeded>(report.event));
  const auto run = find_run_(report.key.run);
  // A run that has ended takes no more results: the scheduler will pass the report over.
  const bool is_live = run.ok() && report.key.index < run->plan->spec.steps.size();
  if (status.ok() && is_live) status = WriteDestinations(report, *run);
  if (status.ok() && is_live) {
    const PipelineSpec& spec = run->plan->spec;
    status = output_assets_.Register(
        {report.key, run->name}, spec, spec.steps[report.key.index], outputs);
    if (absl::IsUnavailable(status) || absl::IsAborted(status)) {
      return absl::UnavailableError(status.message());
    }
  }
  if (!status.ok()) {
    report.event = AttemptFailed{{FailureCause::kOutput, 0, std::string(status.message())}};
  }
  return report;
}

absl::Status Completion::CheckArtifacts(const AttemptSucceeded& succeeded) const {
  for (const OutputValue& output : succeeded.outputs) {
    const auto* artifact = std::get_if<Artifact>(&output.value);
    if (artifact == nullptr) continue;
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

absl::Status Completion::WriteDestinations(const Report& report, const LiveRun& run) const {
  const PipelineSpec& spec = run.plan->spec;
  const Step& step = spec.steps[report.key.index];
  for (const OutputValue& value : std::get<AttemptSucceeded>(report.event).outputs) {
    const auto output = std::ranges::find(step.outputs, value.name, &Output::name);
    const auto* artifact = std::get_if<Artifact>(&value.value);
    if (output == step.outputs.end() || artifact == nullptr) continue;
    POTOK_ASSIGN_OR_RETURN(const std::string destination,
                           DestinationOf(spec, run.name, step, *output));
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
                                          const Step& step,
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
