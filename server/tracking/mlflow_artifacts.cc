// Which files a run has logged. Their bytes go by another way: server/http/mlflow_routes.cc.
#include <utility>

#include "common/base/status_macros.h"
#include "server/tracking/logged_files.h"
#include "server/tracking/mlflow_handlers.h"

namespace potok::server {

absl::StatusOr<Json> ListRunArtifacts(const MlflowContext& context, const Json& request) {
  POTOK_ASSIGN_OR_RETURN(const std::string id, RunIdOf(request));
  POTOK_ASSIGN_OR_RETURN(const std::string path, OptionalTextOf(request, "path"));
  POTOK_ASSIGN_OR_RETURN(const TrackedRunData run, ReadableRun(context, id));
  POTOK_ASSIGN_OR_RETURN(const LoggedName name, ParseLoggedName(HolderOf(run.run) + "/" + path));
  POTOK_ASSIGN_OR_RETURN(const std::vector<LoggedArtifact> logged,
                         context.store.ListArtifacts(name.holder, name.path));
  Json files = Json::array();
  for (const LoggedEntry& entry : EntriesOf(logged, name.path)) {
    Json file = {{"path", name.path.empty() ? entry.name : name.path + "/" + entry.name},
                 {"is_dir", entry.is_folder}};
    if (!entry.is_folder) file["file_size"] = entry.size_bytes;
    files.push_back(std::move(file));
  }
  return Json{{"root_uri", ArtifactUriOf(name.holder)}, {"files", std::move(files)}};
}

}  // namespace potok::server
