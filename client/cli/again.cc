#include "client/cli/again.h"

#include <utility>

#include "client/cli/show/job_file.h"
#include "client/cli/show/rerun.h"
#include "client/cli/text/printable.h"
#include "client/frontend/azureml/load.h"
#include "common/base/status_macros.h"
#include "common/rpc/pipeline_convert.h"
#include "fmt/format.h"

namespace potok::client {

absl::StatusOr<PipelineSpec> SpecOfRun(const v1::Run& run, const char* lineage) {
  POTOK_ASSIGN_OR_RETURN(PipelineSpec spec, potok::FromProto(run.spec()));
  spec.name = "";
  spec.display_name = run.display_name();
  spec.description = run.description();
  spec.experiment_name = run.experiment_name();
  spec.tags = {run.tags().begin(), run.tags().end()};
  spec.properties = {run.properties().begin(), run.properties().end()};
  if (spec.properties.contains(kRerunOf)) {
    // What a rerun ran anew is its own affair, and not the pipeline's.
    spec.settings.force_rerun = false;
    for (Step& step : spec.steps) SetRead(true, &step);
  }
  spec.properties.erase(kClonedFrom);
  spec.properties.erase(kRerunOf);
  spec.properties[lineage] = run.name();
  return spec;
}

absl::StatusOr<PipelineSpec> WithChanges(const Context& context,
                                         const PipelineSpec& spec,
                                         const std::vector<std::string>& set) {
  LoadOptions options;
  options.set = set;
  options.refuse_opaque = true;
  POTOK_ASSIGN_OR_RETURN(options.text, JobFile(spec));
  Loaded loaded = LoadJob("the run", options);
  int errors = 0;
  for (const Diagnostic& diagnostic : loaded.diagnostics) {
    if (context.only_errors && diagnostic.severity != Severity::kError) continue;
    *context.err << Printable(ToString(diagnostic)) << "\n";
    if (diagnostic.severity == Severity::kError) ++errors;
  }
  context.err->flush();
  if (loaded.spec) return *std::move(loaded.spec);
  return absl::InvalidArgumentError(
      fmt::format("these changes cannot be made: {} error(s); `potok job clone -f FILE` writes the "
                  "file that they change",
                  errors));
}

}  // namespace potok::client
