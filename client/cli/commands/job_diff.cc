#include "client/cli/commands/command.h"
#include "client/cli/folder_diff.h"
#include "client/cli/show/run_diff.h"
#include "client/cli/show/table_style.h"
#include "client/cli/text/printable.h"
#include "client/potok_client/artifacts_client.h"
#include "client/potok_client/metrics_client.h"
#include "client/potok_client/runs_client.h"
#include "common/base/status_macros.h"
#include "common/cas/cas_client.h"
#include "common/rpc/pipeline_convert.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

constexpr std::int64_t kFolderBytesMax = 256 << 20;  // common/cas/tree_plan.h

struct DiffOptions {
  CommonOptions common;
  std::string a;
  std::string b;
  bool exit_code = false;
};

absl::StatusOr<std::vector<Difference>> FilesOf(CasClient& cas,
                                                const v1::Artifact& a,
                                                const v1::Artifact& b) {
  POTOK_ASSIGN_OR_RETURN(const Digest of_a, potok::FromProto(a.digest()));
  POTOK_ASSIGN_OR_RETURN(const Digest of_b, potok::FromProto(b.digest()));
  return DiffFolders(
      of_a, of_b, [&cas](const Digest& digest) { return cas.ReadBlob(digest, kFolderBytesMax); });
}

// Empty with a warning if it cannot be told: a server may keep no metrics.
LoggedValues LoggedBy(const Context& context, MetricsClient& client, const std::string& run) {
  v1::ListMetricsRequest request;
  request.set_name(run);
  const absl::StatusOr<v1::ListMetricsResponse> listed = client.List(request);
  LoggedValues logged;
  if (!listed.ok()) {
    *context.err << "warning: metrics of " << Printable(run)
                 << " cannot be told: " << Printable(std::string(listed.status().message()))
                 << std::endl;
    return logged;
  }
  for (const v1::TrackedRun& tracked : listed->runs()) {
    if (tracked.is_child()) continue;
    std::map<std::string, std::string>& values = logged[tracked.step()];
    for (const v1::Metric& metric : tracked.metrics()) {
      values["metrics." + metric.name()] = fmt::format("{}", metric.value());
    }
    for (const auto& [name, text] : tracked.params()) values["params." + name] = text;
  }
  return logged;
}

absl::StatusOr<int> DiffRuns(const Context& context, const DiffOptions& options) {
  POTOK_ASSIGN_OR_RETURN(const Connection connection, Connect(context, options.common));
  RunsClient runs(connection.channel());
  POTOK_ASSIGN_OR_RETURN(const v1::Run a, runs.Get(options.a, /*without_spec=*/false));
  POTOK_ASSIGN_OR_RETURN(const v1::Run b, runs.Get(options.b, /*without_spec=*/false));
  POTOK_ASSIGN_OR_RETURN(const auto channel, ArtifactChannel(connection.channel()));
  CasClient cas(channel);
  RunDifference difference = Diff(a, b, [&](const v1::Artifact& of_a, const v1::Artifact& of_b) {
    auto files = FilesOf(cas, of_a, of_b);
    if (files.ok()) return *std::move(files);
    *context.err << "warning: what differs in two folders cannot be told: "
                 << Printable(std::string(files.status().message())) << std::endl;
    return std::vector<Difference>();
  });
  MetricsClient metrics(connection.channel());
  AddMetrics(
      LoggedBy(context, metrics, a.name()), LoggedBy(context, metrics, b.name()), &difference);
  const int printed = PrintObject(context,
                                  options.common,
                                  DefaultOutput::kJsonUnlessTerminal,
                                  DiffObject(a, b, difference),
                                  [&] { return DiffText(a, b, difference, StyleOf(context)); });
  if (printed != kExitOk || !options.exit_code) return printed;
  return difference.IsSame() ? kExitOk : kExitFailed;
}

int RunDiff(Session& session, const DiffOptions& options) {
  const absl::StatusOr<int> code = DiffRuns(session.context, options);
  return code.ok() ? *code : Complain(session.context, code.status());
}

}  // namespace

void AddJobDiff(CLI::App& job, Session& session) {
  const auto options = std::make_shared<DiffOptions>();
  CommandOptions diff =
      AddCommand(job,
                 session,
                 "diff",
                 "What differs between two runs: definition, results, outputs file by file",
                 "potok job diff brave_river_1 calm_sea_2",
                 options,
                 RunDiff);
  diff.RequiredText("run", "RUN", "Name of a run", &options->a);
  diff.RequiredText("other", "OTHER", "Name of the run to compare it with", &options->b);
  diff.Flag(
      "--exit-code", "Exit with 1 if definition, states or outputs differ", &options->exit_code);
  AddServerOptions(diff, &options->common);
  AddOutputOptions(diff, session, &options->common);
}

}  // namespace potok::client
