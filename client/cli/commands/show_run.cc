#include "client/cli/commands/show_run.h"

#include "client/cli/profiles.h"
#include "client/cli/show/run_text.h"
#include "client/cli/show/table_style.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

absl::StatusOr<Value> ChildJob(const v1::Run& run,
                               const std::string& name,
                               const std::string& runs_at) {
  for (const Value& job : ChildJobs(run, runs_at)) {
    if (*(*job.AsObject())[0].second.AsText() == name) return job;
  }
  return absl::NotFoundError(
      fmt::format("the run {} has no step {}; `potok job list -p {}` shows them",
                  run.name(),
                  name.substr(run.name().size() + 1),
                  run.name()));
}

}  // namespace

std::string RunsAt(const Context& context,
                   const CommonOptions& options,
                   const Connection& connection) {
  const std::string& address = connection.address().address;
  std::string web = context.Variable("POTOK_WEB");
  const absl::StatusOr<std::optional<Profile>> profile = ChosenProfile(context, options.profile);
  // --server and POTOK_SERVER may have led elsewhere.
  const bool is_its_server = profile.ok() && profile->has_value() && (*profile)->server == address;
  if (web.empty() && is_its_server) web = (*profile)->web;
  return RunsAt(address, web);
}

int ShowRun(const Context& context,
            const CommonOptions& options,
            const Connection& connection,
            const std::string& name) {
  RunsClient runs(connection.channel());
  const std::string runs_at = RunsAt(context, options, connection);
  // A run's name has no '/'.
  const std::size_t slash = name.find('/');
  const absl::StatusOr<v1::Run> run = runs.Get(name.substr(0, slash), /*without_spec=*/false);
  if (!run.ok()) return Complain(context, run.status());
  if (slash != std::string::npos) {
    const absl::StatusOr<Value> child = ChildJob(*run, name, runs_at);
    if (!child.ok()) return Complain(context, child.status());
    return PrintObject(context, options, DefaultOutput::kJsonUnlessTerminal, *child, [&] {
      return ToYaml(*child);
    });
  }
  return PrintObject(
      context, options, DefaultOutput::kJsonUnlessTerminal, JobObject(*run, runs_at), [&] {
        return RunSummary(*run, absl::Now(), StyleOf(context));
      });
}

}  // namespace potok::client
