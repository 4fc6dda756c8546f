#include <cerrno>
#include <fstream>
#include <system_error>

#include "client/cli/again.h"
#include "client/cli/commands/command.h"
#include "client/cli/commands/show_run.h"
#include "client/cli/commands/stream_run.h"
#include "client/cli/show/job_file.h"
#include "client/cli/submit.h"
#include "client/cli/text/printable.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

struct CloneOptions {
  CommonOptions common;
  std::string name;
  std::string file;
  std::vector<std::string> set;
  bool submit = false;
  bool stream = false;
};

absl::StatusOr<int> Write(const Context& context, const CloneOptions& options, PipelineSpec spec) {
  if (!options.set.empty()) {
    POTOK_ASSIGN_OR_RETURN(spec, WithChanges(context, spec, options.set));
  }
  POTOK_ASSIGN_OR_RETURN(const std::string text, JobFile(spec));
  const std::string head =
      fmt::format("# The run {} with everything pinned; submit it with: potok job create -f {}\n",
                  options.name,
                  options.file.empty() ? "FILE" : options.file);
  if (options.file.empty()) {
    *context.out << head << text << std::flush;
    return kExitOk;
  }
  errno = 0;
  std::ofstream file(options.file, std::ios::trunc);
  file << head << text;
  if (!file.flush()) {
    return absl::InternalError(fmt::format(
        "{} cannot be written: {}", options.file, std::generic_category().message(errno)));
  }
  if (!context.only_errors) *context.err << "Wrote " << Printable(options.file) << std::endl;
  return kExitOk;
}

absl::StatusOr<int> Clone(const Context& context, const CloneOptions& options) {
  POTOK_ASSIGN_OR_RETURN(const Connection connection, Connect(context, options.common));
  RunsClient runs(connection.channel());
  POTOK_ASSIGN_OR_RETURN(const v1::Run run, runs.Get(options.name, /*without_spec=*/false));
  POTOK_ASSIGN_OR_RETURN(PipelineSpec spec, SpecOfRun(run, kClonedFrom));
  if (!options.submit) return Write(context, options, std::move(spec));
  if (!options.set.empty()) {
    POTOK_ASSIGN_OR_RETURN(spec, WithChanges(context, spec, options.set));
  }
  POTOK_ASSIGN_OR_RETURN(const std::string name, Submit(context, connection, std::move(spec)));
  if (!options.stream) return ShowRun(context, options.common, connection, name);
  return StreamRun(context, options.common, connection, name);
}

int RunClone(Session& session, const CloneOptions& options) {
  const absl::StatusOr<int> code = Clone(session.context, options);
  return code.ok() ? *code : Complain(session.context, code.status());
}

}  // namespace

void AddJobClone(CLI::App& job, Session& session) {
  const auto options = std::make_shared<CloneOptions>();
  CommandOptions clone =
      AddCommand(job,
                 session,
                 "clone",
                 "Write a run as a file to edit, with code and data pinned; or submit it again",
                 "potok job clone -n brave_river_1 -f again.yml\n"
                 "  potok job clone -n brave_river_1 --submit --set inputs.epochs=3",
                 options,
                 RunClone);
  clone.RequiredText("-n,--name", "NAME", "Name of the run", &options->name);
  clone.Text("-f,--file", "FILE", "Write here (default: print it)", &options->file);
  clone.ManyTexts("--set", "PATH=VALUE", "Changes, as inputs.lr=0.1", &options->set);
  clone.Flag("--submit", "Submit it as a new run instead", &options->submit);
  clone.Flag("-s,--stream", "With --submit: follow it to its end", &options->stream);
  clone.Exclude("--submit", "--file");
  AddServerOptions(clone, &options->common);
  AddOutputOptions(clone, session, &options->common);
  clone.Check([options]() -> absl::Status {
    if (!options->stream || options->submit) return absl::OkStatus();
    return absl::InvalidArgumentError("--stream follows a new run: it goes with --submit");
  });
}

}  // namespace potok::client
