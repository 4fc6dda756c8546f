#include "client/cli/submit.h"

#include "client/cli/text/printable.h"
#include "client/frontend/azureml/load.h"
#include "client/potok_client/runs_client.h"
#include "client/potok_client/upload.h"
#include "common/base/resources.h"
#include "common/base/status_macros.h"
#include "common/cas/cas_client.h"
#include "common/rpc/pipeline_convert.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

// Says how far an upload is, once it takes longer than a moment. Called from any thread.
class UploadProgress {
 public:
  UploadProgress(const Context& context, std::string path)
      : context_(context), path_(std::move(path)), next_(absl::Now() + absl::Seconds(1)) {}
  ~UploadProgress() {
    if (said_ && context_.err_is_terminal) *context_.err << "\r\x1b[K" << std::flush;
  }
  UploadProgress(const UploadProgress&) = delete;
  UploadProgress& operator=(const UploadProgress&) = delete;

  void Say(const TransferProgress& progress) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (context_.only_errors || absl::Now() < next_) return;
    next_ = absl::Now() + (context_.err_is_terminal ? absl::Milliseconds(200) : absl::Seconds(5));
    said_ = true;
    const std::string text = fmt::format("Uploading {}: {} of {}",
                                         Printable(path_),
                                         FormatBytes(progress.bytes_done),
                                         FormatBytes(progress.bytes_total));
    if (context_.err_is_terminal) {
      *context_.err << "\r\x1b[K" << text << std::flush;
    } else {
      *context_.err << text << std::endl;
    }
  }

 private:
  const Context& context_;
  const std::string path_;
  std::mutex mutex_;
  absl::Time next_;
  bool said_ = false;
};

}  // namespace

absl::StatusOr<PipelineSpec> LoadSpec(const Context& context,
                                      const std::string& file,
                                      const std::vector<std::string>& set) {
  LoadOptions options;
  options.set = set;
  Loaded loaded = LoadJob(file, options);
  int errors = 0;
  for (const Diagnostic& diagnostic : loaded.diagnostics) {
    if (context.only_errors && diagnostic.severity != Severity::kError) continue;
    *context.err << Printable(ToString(diagnostic)) << "\n";
    if (diagnostic.severity == Severity::kError) ++errors;
  }
  context.err->flush();
  if (loaded.HasErrors() || !loaded.spec.has_value()) {
    return absl::InvalidArgumentError(
        fmt::format("{} was not submitted: {} error(s) in it", file, errors));
  }
  return *std::move(loaded.spec);
}

absl::StatusOr<std::string> Submit(const Context& context,
                                   const Connection& connection,
                                   PipelineSpec spec) {
  CasClient cas(connection.channel());
  POTOK_RETURN_IF_ERROR(UploadLocal(&spec, [&](const std::string& path, const Snapshot& snapshot) {
    UploadProgress progress(context, path);
    return cas.Upload(snapshot, [&](const TransferProgress& now) { progress.Say(now); });
  }));
  RunsClient runs(connection.channel());
  POTOK_ASSIGN_OR_RETURN(const v1::CreateRunResponse created,
                         runs.Create(ToProto(spec), context.user));
  for (const std::string& warning : created.warnings()) {
    if (context.only_errors) break;
    *context.err << "warning: " << Printable(warning) << std::endl;
  }
  return created.name();
}

}  // namespace potok::client
