#include <filesystem>

#include "client/cli/commands/command.h"
#include "client/cli/show/lineage_text.h"
#include "client/cli/show/table_style.h"
#include "client/potok_client/registry_client.h"
#include "client/potok_client/runs_client.h"
#include "common/base/status_macros.h"
#include "common/cas/snapshot.h"
#include "common/rpc/pipeline_convert.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

struct LineageOptions {
  CommonOptions common;
  std::string subject;
  int results_max = 50;
};

// Of a registered model or data: its newest version if none is named.
absl::StatusOr<v1::LineageRequest> RequestForAsset(RegistryClient& registry,
                                                   const std::string& reference) {
  std::vector<v1::Asset> found;
  absl::Status why;
  for (const v1::AssetKind kind : {v1::ASSET_KIND_MODEL, v1::ASSET_KIND_DATA}) {
    absl::StatusOr<v1::Asset> asset = registry.Resolve(kind, reference);
    if (asset.ok()) {
      found.push_back(*std::move(asset));
    } else if (!absl::IsNotFound(asset.status()) || why.ok()) {
      why = asset.status();
    }
  }
  if (found.empty()) return why;
  if (found.size() > 1) {
    return absl::InvalidArgumentError(
        fmt::format("'{}' is a model and also data; name one by its bytes, sha256:HEX/BYTES "
                    "(`potok model show`, `potok data show`)",
                    reference));
  }
  if (found.front().artifacts().empty()) {
    return absl::FailedPreconditionError(
        fmt::format("'{}' is an address outside the store; what it held is known by the runs that "
                    "read it",
                    reference));
  }
  v1::LineageRequest request;
  *request.mutable_artifact() = found.front().artifacts(0).digest();
  return request;
}

// A file or folder here is the artifact that has its bytes.
absl::StatusOr<v1::LineageRequest> RequestFor(const Context& context, const std::string& subject) {
  const std::filesystem::path path = std::filesystem::path(context.working_folder) / subject;
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return ParseLineageSubject(subject);
  SnapshotOptions options;
  options.follow_symlinks = true;
  const absl::StatusOr<Snapshot> snapshot =
      std::filesystem::is_directory(path) ? SnapshotFolder(path, options) : SnapshotFile(path);
  if (!snapshot.ok()) return snapshot.status();
  v1::LineageRequest request;
  *request.mutable_artifact() = potok::ToProto(snapshot->artifact.digest);
  return request;
}

absl::StatusOr<v1::LineageResponse> Ask(RunsClient& runs, v1::LineageRequest request, int max) {
  const auto wanted = [max](const v1::LineageResponse& so_far) {
    return std::max(so_far.made_by_size(), so_far.used_by_size()) < max;
  };
  request.set_limit(std::min(max, 1000));
  POTOK_ASSIGN_OR_RETURN(v1::LineageResponse all, runs.Lineage(request));
  while (all.next_before_run() != 0 && wanted(all)) {
    request.set_before_run(all.next_before_run());
    POTOK_ASSIGN_OR_RETURN(const v1::LineageResponse page, runs.Lineage(request));
    all.set_next_before_run(page.next_before_run());
    all.mutable_made_by()->MergeFrom(page.made_by());
    all.mutable_used_by()->MergeFrom(page.used_by());
  }
  return all;
}

bool IsKnown(const v1::LineageResponse& lineage) {
  return lineage.made_by_size() + lineage.used_by_size() + lineage.origins_size() > 0;
}

absl::Status Unknown(const std::string& subject, const v1::LineageResponse& lineage) {
  return absl::NotFoundError(
      fmt::format("no run of this server has made or used {} (sha256:{}/{}); what a run makes or "
                  "uses is known as a whole, not the files in a folder one by one",
                  subject,
                  lineage.artifact().digest().hash(),
                  lineage.artifact().digest().size_bytes()));
}

int RunLineage(Session& session, const LineageOptions& options) {
  const Context& context = session.context;
  const bool is_asset = options.subject.starts_with("azureml:");
  absl::StatusOr<v1::LineageRequest> request = v1::LineageRequest();
  if (!is_asset) request = RequestFor(context, options.subject);
  if (!request.ok()) return Complain(context, request.status());
  const absl::StatusOr<Connection> connection = Connect(context, options.common);
  if (!connection.ok()) return Complain(context, connection.status());
  if (is_asset) {
    RegistryClient registry(connection->channel());
    request = RequestForAsset(registry, options.subject);
    if (!request.ok()) return Complain(context, request.status());
  }
  RunsClient runs(connection->channel());
  const absl::StatusOr<v1::LineageResponse> lineage = Ask(runs, *request, options.results_max);
  if (!lineage.ok()) return Complain(context, lineage.status());
  if (!IsKnown(*lineage)) return Complain(context, Unknown(options.subject, *lineage));
  return PrintObject(
      context, options.common, DefaultOutput::kJsonUnlessTerminal, LineageObject(*lineage), [&] {
        return LineageText(*lineage, context.zone, StyleOf(context));
      });
}

}  // namespace

void AddJobLineage(CLI::App& job, Session& session) {
  const auto options = std::make_shared<LineageOptions>();
  CommandOptions lineage =
      AddCommand(job,
                 session,
                 "lineage",
                 "What made an artifact, what used it, and which data and code it goes back to",
                 "potok job lineage brave_river_1/train/model\n"
                 "  potok job lineage azureml:digits_model@latest\n"
                 "  potok job lineage ./downloaded/model",
                 options,
                 RunLineage);
  lineage.RequiredText("artifact",
                       "ARTIFACT",
                       "RUN/STEP/OUTPUT, RUN/OUTPUT, azureml:NAME:VERSION, sha256:HEX/BYTES, or a "
                       "file or folder here: an output as a whole",
                       &options->subject);
  lineage.Number("-r,--max-results",
                 "N",
                 "How many makers and users at most (default 50)",
                 1,
                 &options->results_max);
  AddServerOptions(lineage, &options->common);
  AddOutputOptions(lineage, session, &options->common);
}

}  // namespace potok::client
