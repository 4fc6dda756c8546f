#include <fstream>

#include "client/cli/commands/command.h"
#include "client/cli/commands/notify_options.h"
#include "client/cli/commands/show_run.h"
#include "client/cli/commands/stream_run.h"
#include "client/cli/submit.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

struct CreateOptions {
  CommonOptions common;
  std::string file;
  std::string name;
  std::vector<std::string> set;
  bool stream = false;
  std::string save_as;
  std::vector<std::string> after;
  std::vector<std::string> after_ok;
  NotifyOptions notify;
};

std::vector<v1::RunDependency> DependenciesOf(const CreateOptions& options) {
  std::vector<v1::RunDependency> dependencies;
  const auto add = [&](const std::vector<std::string>& runs, bool only_if_completed) {
    for (const std::string& run : runs) {
      dependencies.emplace_back().set_run(run);
      dependencies.back().set_only_if_completed(only_if_completed);
    }
  };
  add(options.after, /*only_if_completed=*/false);
  add(options.after_ok, /*only_if_completed=*/true);
  return dependencies;
}

absl::StatusOr<int> Create(const Context& context, const CreateOptions& options) {
  POTOK_ASSIGN_OR_RETURN(PipelineSpec spec, LoadSpec(context, options.file, options.set, [&] {
                           return Connect(context, options.common);
                         }));
  if (!options.name.empty()) spec.name = options.name;
  POTOK_RETURN_IF_ERROR(SetNotify(options.notify, &spec));
  POTOK_ASSIGN_OR_RETURN(const Connection connection, Connect(context, options.common));
  POTOK_ASSIGN_OR_RETURN(const std::string name,
                         Submit(context, connection, std::move(spec), DependenciesOf(options)));
  RunsClient runs(connection.channel());
  if (!options.save_as.empty()) {
    POTOK_ASSIGN_OR_RETURN(const v1::Run run, runs.Get(name, /*without_spec=*/false));
    std::ofstream file(options.save_as, std::ios::trunc);
    file << ToYaml(JobObject(run, RunsAt(context, options.common, connection)));
    if (!file.flush()) {
      return absl::InternalError(
          fmt::format("the run {} goes on, but {} cannot be written", name, options.save_as));
    }
  }
  if (!options.stream) return ShowRun(context, options.common, connection, name);
  return StreamRun(context, options.common, connection, name);
}

int RunCreate(Session& session, const CreateOptions& options) {
  const absl::StatusOr<int> code = Create(session.context, options);
  return code.ok() ? *code : Complain(session.context, code.status());
}

}  // namespace

void AddJobCreate(CLI::App& job, Session& session) {
  const auto options = std::make_shared<CreateOptions>();
  CommandOptions create =
      AddCommand(job,
                 session,
                 "create",
                 "Submit a pipeline or job",
                 "potok job create -f pipeline.yml --set inputs.epochs=3 --stream",
                 options,
                 RunCreate);
  create.RequiredText("-f,--file", "FILE", "Pipeline or job as YAML", &options->file);
  create.Text("-n,--name", "NAME", "Name of the run", &options->name);
  create.ManyTexts("--set", "PATH=VALUE", "Changes of the file, as inputs.lr=0.1", &options->set);
  create.ManyTexts(
      "--after", "RUN", "Start once this run has ended, whatever came of it", &options->after);
  create.ManyTexts("--after-ok",
                   "RUN",
                   "Start once this run has Completed; if it does not, be Canceled",
                   &options->after_ok);
  create.Flag("-s,--stream", "Follow it, with the logs, to its end", &options->stream);
  create.Text("-a,--save-as", "FILE", "Write the job as YAML to this file", &options->save_as);
  AddNotifyOptions(create, &options->notify);
  // A pipeline is always checked: a wrong one would be refused by the server all the same.
  create.IgnoredFlag("--skip-validation");
  create.IgnoredFlag("-e,--web");
  AddServerOptions(create, &options->common);
  AddOutputOptions(create, session, &options->common);
}

}  // namespace potok::client
