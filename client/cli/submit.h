// From a pipeline, as a file or a command, to a run on the server.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cli/context.h"
#include "client/cli/server_assets.h"
#include "client/frontend/azureml/diagnostics.h"
#include "client/potok_client/connection.h"
#include "client/potok_client/upload.h"
#include "common/cas/cas_client.h"
#include "common/pipeline/spec.h"
#include "potok/v1/runs.pb.h"

namespace potok::client {

// Reads a pipeline with all that it names; prints every diagnostic. INVALID_ARGUMENT with a count
// if one is an error. Calls `connect` only if the file names something that is registered.
absl::StatusOr<PipelineSpec> LoadSpec(const Context& context,
                                      const std::string& file,
                                      const std::vector<std::string>& set,
                                      const ServerAssets::Connecting& connect);

// Prints what was found in files; how many errors it was.
int SayDiagnostics(const Context& context, const std::vector<Diagnostic>& diagnostics);

// Stores snapshots in the server's store, and shows how far each is. Both must outlive the result.
StoreSnapshot StoreOver(const Context& context, CasClient& cas);

// Uploads what is local, with progress, and puts its place in the store into the spec. Blocks;
// errors are those of UploadLocal and CasClient::Upload, and then the spec is not to be used.
absl::Status Upload(const Context& context, const Connection& connection, PipelineSpec* spec);

// Uploads what is local and starts the run, once all of `after` have ended. Its name.
absl::StatusOr<std::string> Submit(const Context& context,
                                   const Connection& connection,
                                   PipelineSpec spec,
                                   const std::vector<v1::RunDependency>& after = {});

}  // namespace potok::client
