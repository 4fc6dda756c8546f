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

Report Completion::Check(Report report) const {
  absl::Status status = CheckArtifacts(std::get<AttemptSucceeded>(report.event));
  if (status.ok()) status = WriteDestinations(report);
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

absl::Status Completion::WriteDestinations(const Report& report) const {
  const auto run = find_run_(report.key.run);
  // A run that has ended takes no more results: the scheduler will pass the report over.
  if (!run.ok()) return absl::OkStatus();
  return WriteDestinations(
      *run->plan, run->name, report.key.index, std::get<AttemptSucceeded>(report.event).outputs);
}

absl::Status Completion::WriteDestinations(const Plan& plan,
                                           const std::string& run,
                                           std::uint32_t index,
                                           const std::vector<OutputValue>& outputs) const {
  const PipelineSpec& spec = plan.spec;
  if (index >= spec.steps.size()) return absl::OkStatus();
  const Step& step = spec.steps[index];
  for (const OutputValue& value : outputs) {
    const auto output = std::ranges::find(step.outputs, value.name, &Output::name);
    const auto* artifact = std::get_if<Artifact>(&value.value);
    if (output == step.outputs.end() || artifact == nullptr) continue;
    POTOK_ASSIGN_OR_RETURN(const std::string destination, DestinationOf(spec, run, step, *output));
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
