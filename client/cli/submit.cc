#include "client/cli/submit.h"

#include <algorithm>

#include "client/cli/text/printable.h"
#include "client/cli/transfer_report.h"
#include "client/frontend/azureml/load.h"
#include "client/potok_client/artifacts_client.h"
#include "client/potok_client/runs_client.h"
#include "client/potok_client/upload.h"
#include "common/base/status_macros.h"
#include "common/cas/cas_client.h"
#include "common/pipeline/webhooks.h"
#include "common/rpc/pipeline_convert.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

int CountFromWeb(const std::vector<Input>& inputs) {
  return static_cast<int>(std::ranges::count_if(inputs, [](const Input& input) {
    const auto* uri = std::get_if<UriValue>(&input.value);
    return uri != nullptr && input.mode != Mode::kDirect && uri->uri.rfind("http", 0) == 0;
  }));
}

int CountFromWeb(const PipelineSpec& spec) {
  int count = CountFromWeb(spec.inputs);
  for (const Step& step : spec.steps) count += CountFromWeb(step.inputs);
  return count;
}

}  // namespace

int SayDiagnostics(const Context& context, const std::vector<Diagnostic>& diagnostics) {
  int errors = 0;
  for (const Diagnostic& diagnostic : diagnostics) {
    if (context.only_errors && diagnostic.severity != Severity::kError) continue;
    *context.err << Printable(ToString(diagnostic)) << "\n";
    if (diagnostic.severity == Severity::kError) ++errors;
  }
  context.err->flush();
  return errors;
}

absl::StatusOr<PipelineSpec> LoadSpec(const Context& context,
                                      const std::string& file,
                                      const std::vector<std::string>& set,
                                      const ServerAssets::Connecting& connect) {
  ServerAssets assets(connect, ServerAssets::WithoutServer::kIsAnError);
  LoadOptions options;
  options.set = set;
  options.refuse_opaque = true;
  options.assets = &assets;
  options.folder_content = [](const std::string& folder) {
    return ContentOfCode(LocalCode{folder, {}});
  };
  Loaded loaded = LoadJob(file, options);
  const int errors = SayDiagnostics(context, loaded.diagnostics);
  if (loaded.HasErrors() || !loaded.spec.has_value()) {
    return absl::InvalidArgumentError(
        fmt::format("{} is not a valid pipeline or job: {} error(s) in it", file, errors));
  }
  return *std::move(loaded.spec);
}

StoreSnapshot StoreOver(const Context& context, CasClient& cas) {
  return [&context, &cas](const std::string& path, const Snapshot& snapshot) {
    TransferReport report(context, "Uploading " + path);
    return cas.Upload(snapshot, [&](const TransferProgress& now) { report.Say(now); });
  };
}

absl::Status Upload(const Context& context, const Connection& connection, PipelineSpec* spec) {
  POTOK_ASSIGN_OR_RETURN(const auto channel, ArtifactChannel(connection.channel()));
  CasClient cas(channel);
  return UploadLocal(spec, StoreOver(context, cas));
}

absl::StatusOr<std::string> Submit(const Context& context,
                                   const Connection& connection,
                                   PipelineSpec spec,
                                   const std::vector<v1::RunDependency>& after) {
  POTOK_RETURN_IF_ERROR(WebhooksOf(spec.properties).status());
  POTOK_RETURN_IF_ERROR(Upload(context, connection, &spec));
  if (const int count = CountFromWeb(spec); count > 0 && !context.only_errors) {
    *context.err << fmt::format("The server fetches {} file{} from the web first\n",
                                count,
                                count == 1 ? "" : "s")
                 << std::flush;
  }
  RunsClient runs(connection.channel());
  POTOK_ASSIGN_OR_RETURN(const v1::CreateRunResponse created,
                         runs.Create(ToProto(spec), context.user, after));
  for (const std::string& warning : created.warnings()) {
    if (context.only_errors) break;
    *context.err << "warning: " << Printable(warning) << std::endl;
  }
  return created.name();
}

}  // namespace potok::client
