#include "agent/artifacts/step_folders.h"

#include <dirent.h>
#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::agent {
namespace {

absl::Status MakeStepFolder(const std::string& path) {
  if (mkdir(path.c_str(), 0777) == 0 || errno == EEXIST) return absl::OkStatus();
  return absl::UnavailableError(
      fmt::format("could not make the folder {}: {}", path, std::strerror(errno)));
}

// True of a folder without entries, and of none.
bool IsEmpty(const std::string& path) {
  DIR* folder = opendir(path.c_str());
  if (folder == nullptr) return errno == ENOENT;
  int entries = 0;
  while (readdir(folder) != nullptr) ++entries;
  closedir(folder);
  return entries <= 2;  // itself and its parent
}

// Gives the owner the right to remove what lies in the folders below.
void MakeRemovable(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  fs::permissions(folder, fs::perms::owner_all, fs::perm_options::add, ignored);
  for (fs::directory_iterator it(folder, ignored), end; it != end; it.increment(ignored)) {
    if (it->is_directory(ignored) && !it->is_symlink(ignored)) MakeRemovable(it->path());
  }
}

}  // namespace

absl::Status MakeStepFolders(const AttemptOrder& order, const AttemptPaths& paths) {
  const std::string work = paths.work();
  POTOK_RETURN_IF_ERROR(MakeStepFolder(work));
  POTOK_RETURN_IF_ERROR(MakeStepFolder(work + "/outputs"));
  POTOK_RETURN_IF_ERROR(MakeStepFolder(work + "/logs"));
  POTOK_RETURN_IF_ERROR(MakeStepFolder(paths.temporary()));
  if (!order.outputs.empty()) POTOK_RETURN_IF_ERROR(MakeStepFolder(paths.outputs()));
  for (const Output& output : order.outputs) {
    if (IsPrimitive(output.type) || IsArtifactRoot(output)) continue;
    POTOK_RETURN_IF_ERROR(MakeStepFolder(paths.outputs() + "/" + output.name));
  }
  return absl::OkStatus();
}

bool HasDefaultArtifacts(const AttemptPaths& paths) {
  const std::string outputs = paths.work() + "/outputs";
  const std::string logs = paths.work() + "/logs";
  const bool no_outputs = IsEmpty(outputs);
  const bool no_logs = IsEmpty(logs);
  if (no_outputs && no_logs) return false;
  // The artifact root has both, so that its consumers need not look; the command may have removed
  // one.
  mkdir(outputs.c_str(), 0777);
  mkdir(logs.c_str(), 0777);
  return true;
}

void RemoveFolder(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (!error) return;
  MakeRemovable(path);
  std::filesystem::remove_all(path, error);
  if (error) spdlog::warn("folder not removed path={} error=\"{}\"", path, error.message());
}

}  // namespace potok::agent
