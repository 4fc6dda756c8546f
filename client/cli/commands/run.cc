#include <filesystem>

#include "client/cli/bring_up.h"
#include "client/cli/commands/command.h"
#include "client/cli/commands/notify_options.h"
#include "client/cli/download.h"
#include "client/cli/follow/follow.h"
#include "client/cli/one_step.h"
#include "client/cli/submit.h"
#include "client/cli/text/printable.h"
#include "common/base/status_macros.h"

namespace potok::client {
namespace {

struct RunOptions {
  CommonOptions common;
  std::string file;
  std::vector<std::string> set;
  OneStepOptions step;
  bool detach = false;
  std::string download;
  NotifyOptions notify;
};

// The server that is configured; without one, this user's own stack, started if need be.
absl::StatusOr<Connection> ServerForRun(const Context& context, const CommonOptions& options) {
  POTOK_ASSIGN_OR_RETURN(const ServerAddress address, ServerOf(context, options));
  if (!address.is_embedded) return Connect(context, options);
  return BringUp(context, UpOptions());
}

absl::StatusOr<PipelineSpec> SpecOf(const Session& session, const RunOptions& options) {
  if (options.file.empty()) {
    OneStepOptions step = options.step;
    step.command = session.own_command;
    return OneStepSpec(step, session.context.working_folder);
  }
  const Context& context = session.context;
  POTOK_ASSIGN_OR_RETURN(PipelineSpec spec, LoadSpec(context, options.file, options.set, [&] {
                           return ServerForRun(context, options.common);
                         }));
  if (!options.step.name.empty()) spec.name = options.step.name;
  return spec;
}

absl::StatusOr<int> SubmitAndFollow(Session& session, const RunOptions& options) {
  const Context& context = session.context;
  // Before the server is started: a wrong pipeline needs none, unless it names what is registered.
  POTOK_ASSIGN_OR_RETURN(PipelineSpec spec, SpecOf(session, options));
  POTOK_RETURN_IF_ERROR(SetNotify(options.notify, &spec));
  POTOK_ASSIGN_OR_RETURN(const Connection connection, ServerForRun(context, options.common));
  POTOK_ASSIGN_OR_RETURN(const std::string name, Submit(context, connection, std::move(spec)));
  if (options.detach) {
    *context.out << name << std::endl;
    return kExitOk;
  }
  *context.err << "Run " << Printable(name) << std::endl;
  RunsClient runs(connection.channel());
  const bool one_step = options.file.empty();
  const int code = FollowRun(context, runs, name, FollowRunOptions{.logs = one_step});
  if (options.download.empty() || code == kExitInterrupted) return code;
  DownloadOptions download;
  download.run = name;
  download.folder = (std::filesystem::path(context.working_folder) / options.download)
                        .lexically_normal()
                        .string();
  download.all = true;
  POTOK_RETURN_IF_ERROR(Download(context, connection, download));
  return code;
}

int RunRun(Session& session, const RunOptions& options) {
  if (options.file.empty() == !session.has_own_command ||
      session.own_command.empty() != !session.has_own_command) {
    return Complain(session.context,
                    absl::InvalidArgumentError(
                        "say what to run: `potok run FILE`, or `potok run -- COMMAND...`"));
  }
  const absl::StatusOr<int> code = SubmitAndFollow(session, options);
  return code.ok() ? *code : Complain(session.context, code.status());
}

void AddStepOptions(CommandOptions& run, OneStepOptions* step) {
  run.Group("One step (with -- COMMAND)");
  run.Text("--memory", "SIZE", "Memory that the step needs, as 8GiB", &step->memory);
  run.Text("--cpus", "N", "CPUs, as 2 or 0.5", &step->cpus);
  run.Text("--gpus", "N", "GPUs, as 2, or a share of one as 0.25", &step->gpus);
  run.Texts("--gpu-model", "MODEL", "Model of the GPUs; several: any of them", &step->gpu_models);
  run.Text("--gpu-memory", "SIZE", "Memory that each GPU has at least", &step->gpu_memory);
  run.Text("--disk", "SIZE", "Disk that the step needs", &step->disk);
  run.Texts("--resource", "NAME=N", "Counted things, as fpga=1", &step->named);
  run.Text("--labels", "EXPRESSION", "On labels, as 'zone == a && cpus >= 8'", &step->labels);
  run.Text("--compute", "POOL", "Pool of machines", &step->compute);
  run.Texts("--input", "NAME=VALUE", "Input: a path, a URI or a text", &step->inputs);
  run.Texts("--output", "NAME", "Output, ${{outputs.NAME}} in the command", &step->outputs);
  run.Texts("--env", "KEY=VALUE", "Environment variable", &step->environment_variables);
  run.Text("--code", "FOLDER", "Folder to run in, uploaded (else an empty one)", &step->code);
  run.Number("--timeout", "SECONDS", "End the step after so long", 1, &step->timeout_seconds);
}

}  // namespace

void AddRun(CLI::App& app, Session& session) {
  const auto options = std::make_shared<RunOptions>();
  CommandOptions run = AddCommand(
      app,
      session,
      "run",
      "Run a pipeline, or one command, and follow it to its end",
      "potok run pipeline.yml --set inputs.epochs=3\n"
      "  potok run --memory 8GiB --input data=./data -- python train.py '${{inputs.data}}'",
      options,
      RunRun);
  run.Text("file", "FILE", "Pipeline or job as YAML", &options->file);
  run.ManyTexts("--set", "PATH=VALUE", "Changes of the file, as inputs.lr=0.1", &options->set);
  run.Text("-n,--name", "NAME", "Name of the run", &options->step.name);
  run.Flag("--detach", "Print the run's name and do not follow it", &options->detach);
  run.Text(
      "--download", "FOLDER", "Then download outputs and logs to this folder", &options->download);
  AddNotifyOptions(run, &options->notify);
  AddServerOptions(run, &options->common);
  AddStepOptions(run, &options->step);
}

}  // namespace potok::client
