#include "client/cli/commands/command.h"
#include "client/cli/show/explanation_text.h"
#include "client/cli/submit.h"
#include "client/cli/text/printable.h"
#include "client/potok_client/runs_client.h"
#include "common/base/status_macros.h"
#include "common/rpc/pipeline_convert.h"

namespace potok::client {
namespace {

struct PlanOptions {
  CommonOptions common;
  std::string file;
  std::vector<std::string> set;
};

absl::StatusOr<v1::ExplainResponse> Foresee(const Context& context, const PlanOptions& options) {
  POTOK_ASSIGN_OR_RETURN(PipelineSpec spec, LoadSpec(context, options.file, options.set, [&] {
                           return Connect(context, options.common);
                         }));
  POTOK_ASSIGN_OR_RETURN(const Connection connection, Connect(context, options.common));
  POTOK_RETURN_IF_ERROR(Upload(context, connection, &spec));
  RunsClient runs(connection.channel());
  return runs.Foresee(ToProto(spec));
}

int RunPlan(Session& session, const PlanOptions& options) {
  const Context& context = session.context;
  const absl::StatusOr<v1::ExplainResponse> foreseen = Foresee(context, options);
  if (!foreseen.ok()) return Complain(context, foreseen.status());
  for (const std::string& warning : foreseen->warnings()) {
    if (context.only_errors) break;
    *context.err << "warning: " << Printable(warning) << std::endl;
  }
  return PrintObject(
      context, options.common, DefaultOutput::kForPeople, ExplanationObject(*foreseen), [&] {
        return ExplanationText(*foreseen, Tense::kFuture);
      });
}

}  // namespace

void AddJobPlan(CLI::App& job, Session& session) {
  const auto options = std::make_shared<PlanOptions>();
  CommandOptions plan =
      AddCommand(job,
                 session,
                 "plan",
                 "Which steps would run and which be reused, and why; starts nothing",
                 "potok job plan -f pipeline.yml --set inputs.epochs=3",
                 options,
                 RunPlan);
  plan.RequiredText("-f,--file", "FILE", "Pipeline or job as YAML", &options->file);
  plan.ManyTexts("--set", "PATH=VALUE", "Changes of the file, as inputs.lr=0.1", &options->set);
  AddServerOptions(plan, &options->common);
  AddOutputOptions(plan, session, &options->common);
}

}  // namespace potok::client
