#include "client/cli/again.h"
#include "client/cli/commands/command.h"
#include "client/cli/commands/show_run.h"
#include "client/cli/commands/stream_run.h"
#include "client/cli/show/explanation_text.h"
#include "client/cli/show/rerun.h"
#include "client/cli/submit.h"
#include "common/base/status_macros.h"
#include "common/rpc/pipeline_convert.h"

namespace potok::client {
namespace {

struct RerunOptions {
  CommonOptions common;
  std::string name;
  bool failed = false;
  bool all = false;
  std::string from;
  std::string definition = "original";
  std::string file;
  std::vector<std::string> set;
  bool dry_run = false;
  bool stream = false;
};

RerunKind KindOf(const RerunOptions& options) {
  if (options.all) return RerunKind::kAll;
  return options.failed ? RerunKind::kFailed : RerunKind::kFrom;
}

absl::StatusOr<PipelineSpec> Definition(const Context& context,
                                        const RerunOptions& options,
                                        const v1::Run& run) {
  if (options.file.empty()) {
    POTOK_ASSIGN_OR_RETURN(PipelineSpec spec, SpecOfRun(run, kRerunOf));
    if (options.set.empty()) return spec;
    return WithChanges(context, spec, options.set);
  }
  POTOK_ASSIGN_OR_RETURN(PipelineSpec spec, LoadSpec(context, options.file, options.set, [&] {
                           return Connect(context, options.common);
                         }));
  spec.name = "";
  spec.properties[kRerunOf] = run.name();
  return spec;
}

absl::StatusOr<int> Rerun(const Context& context, const RerunOptions& options) {
  POTOK_ASSIGN_OR_RETURN(const Connection connection, Connect(context, options.common));
  RunsClient runs(connection.channel());
  POTOK_ASSIGN_OR_RETURN(const v1::Run run, runs.Get(options.name, /*without_spec=*/false));
  POTOK_ASSIGN_OR_RETURN(PipelineSpec spec, Definition(context, options, run));
  POTOK_RETURN_IF_ERROR(PrepareRerun(KindOf(options), options.from, run, &spec));
  POTOK_RETURN_IF_ERROR(Upload(context, connection, &spec));
  POTOK_ASSIGN_OR_RETURN(const v1::ExplainResponse foreseen, runs.Foresee(ToProto(spec)));
  if (options.dry_run) {
    return PrintObject(
        context, options.common, DefaultOutput::kForPeople, ExplanationObject(foreseen), [&] {
          return ExplanationText(foreseen, Tense::kFuture);
        });
  }
  if (!context.only_errors) {
    *context.err << ExplanationText(foreseen, Tense::kFuture) << std::flush;
  }
  POTOK_ASSIGN_OR_RETURN(const std::string name, Submit(context, connection, std::move(spec)));
  if (!options.stream) return ShowRun(context, options.common, connection, name);
  return StreamRun(context, options.common, connection, name);
}

int RunRerun(Session& session, const RerunOptions& options) {
  const absl::StatusOr<int> code = Rerun(session.context, options);
  return code.ok() ? *code : Complain(session.context, code.status());
}

absl::Status CheckOptions(const RerunOptions& options) {
  const int chosen =
      (options.failed ? 1 : 0) + (options.all ? 1 : 0) + (options.from.empty() ? 0 : 1);
  if (chosen != 1) {
    return absl::InvalidArgumentError("say what runs again, one of: --failed, --from STEP, --all");
  }
  if ((options.definition == "latest") == options.file.empty()) {
    return absl::InvalidArgumentError(
        "the latest definition is in a file: write --definition latest -f FILE");
  }
  return absl::OkStatus();
}

}  // namespace

void AddJobRerun(CLI::App& job, Session& session) {
  const auto options = std::make_shared<RerunOptions>();
  CommandOptions rerun =
      AddCommand(job,
                 session,
                 "rerun",
                 "Run again what failed, or from a step on, or all; the rest is reused",
                 "potok job rerun -n brave_river_1 --failed --stream\n"
                 "  potok job rerun -n brave_river_1 --from train --dry-run\n"
                 "  potok job rerun -n brave_river_1 --all --definition latest -f pipeline.yml",
                 options,
                 RunRerun);
  rerun.RequiredText("-n,--name", "NAME", "Name of the run", &options->name);
  rerun.Flag("--failed", "Run what did not complete", &options->failed);
  rerun.Text("--from",
             "STEP",
             "Run this step, or nested pipeline, and all that comes after it",
             &options->from);
  rerun.Flag("--all", "Run every step, as force_rerun", &options->all);
  rerun.Choice("--definition",
               {"original", "latest"},
               "The run's own pipeline (default), or the one that is in FILE now",
               &options->definition);
  rerun.Text("-f,--file", "FILE", "The latest definition, as YAML", &options->file);
  rerun.ManyTexts("--set", "PATH=VALUE", "Changes, as inputs.lr=0.1", &options->set);
  rerun.Flag("--dry-run", "Only say what would run", &options->dry_run);
  rerun.Flag("-s,--stream", "Follow the new run to its end", &options->stream);
  rerun.Exclude("--dry-run", "--stream");
  rerun.Check([options] { return CheckOptions(*options); });
  AddServerOptions(rerun, &options->common);
  AddOutputOptions(rerun, session, &options->common);
}

}  // namespace potok::client
