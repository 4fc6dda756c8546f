#include "client/cli/stack/home.h"

#include <unistd.h>

#include <filesystem>

#include "fmt/format.h"

namespace potok::client {

absl::Status Home::MakeFolders() const {
  namespace fs = std::filesystem;
  std::error_code error;
  for (const std::string& folder : {root, logs(), root + "/run", root + "/agents"}) {
    fs::create_directories(folder, error);
    if (error) {
      return absl::PermissionDeniedError(
          fmt::format("cannot make the folder {}: {}; choose another with POTOK_HOME",
                      folder,
                      error.message()));
    }
    fs::permissions(folder, fs::perms::owner_all, error);
  }
  if (geteuid() == 0) {
    const fs::perms pass = fs::perms::group_exec | fs::perms::others_exec;
    fs::permissions(root, fs::perms::owner_all | pass, error);
  }
  if (error) {
    return absl::PermissionDeniedError(
        fmt::format("cannot close {} to other users: {}", root, error.message()));
  }
  return absl::OkStatus();
}

}  // namespace potok::client
