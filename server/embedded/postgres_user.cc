#include "server/embedded/postgres_user.h"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::server {

namespace fs = std::filesystem;

namespace {

constexpr char kPreferredMajor[] = "15";  // Debian 12's, with which Potok is tested

bool HasPrograms(const fs::path& folder) {
  return access((folder / "initdb").c_str(), X_OK) == 0 &&
         access((folder / "pg_ctl").c_str(), X_OK) == 0 &&
         access((folder / "postgres").c_str(), X_OK) == 0;
}

// Major versions that Debian's packages have installed, the preferred one first, then the newest.
std::vector<std::string> InstalledMajors() {
  std::vector<std::string> majors;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", error)) {
    if (HasPrograms(entry.path() / "bin")) majors.push_back(entry.path().filename());
  }
  std::sort(majors.begin(), majors.end(), [](const std::string& a, const std::string& b) {
    if ((a == kPreferredMajor) != (b == kPreferredMajor)) return a == kPreferredMajor;
    return std::atoi(a.c_str()) > std::atoi(b.c_str());
  });
  return majors;
}

std::string FindOnPath() {
  const char* path = std::getenv("PATH");
  std::string rest = path == nullptr ? "" : path;
  while (!rest.empty()) {
    const std::size_t end = rest.find(':');
    const std::string folder = rest.substr(0, end);
    if (!folder.empty() && HasPrograms(folder)) return folder;
    rest = end == std::string::npos ? "" : rest.substr(end + 1);
  }
  return "";
}

// The permission bits decide for the groups that the user has by passwd only: it runs with no
// others.
bool CanEnter(const struct stat& folder, const PostgresUser& user) {
  if (folder.st_uid == user.uid) return (folder.st_mode & S_IXUSR) != 0;
  if (folder.st_gid == user.gid) return (folder.st_mode & S_IXGRP) != 0;
  return (folder.st_mode & S_IXOTH) != 0;
}

absl::Status CheckParents(const fs::path& folder, const PostgresUser& user) {
  for (fs::path parent = folder.parent_path(); parent != parent.root_path();
       parent = parent.parent_path()) {
    struct stat found = {};
    if (stat(parent.c_str(), &found) != 0 || CanEnter(found, user)) continue;
    return absl::FailedPreconditionError(fmt::format(
        "PostgreSQL runs as user {}, which cannot enter {} (mode {:o}) and so not reach its data "
        "in {}: choose a folder elsewhere, such as /var/lib/potok, or allow it with chmod o+x {}",
        user.name,
        parent.string(),
        found.st_mode & 07777U,
        folder.string(),
        parent.string()));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<PostgresUser> FindPostgresUser() {
  const bool root = geteuid() == 0;
  const struct passwd* entry = root ? getpwnam("postgres") : getpwuid(geteuid());
  if (entry != nullptr) return PostgresUser{entry->pw_name, entry->pw_uid, entry->pw_gid, root};
  if (root) {
    return absl::NotFoundError(
        "PostgreSQL must not run as root, and there is no user postgres to run it: install the "
        "package postgresql-15, which makes that user");
  }
  return absl::NotFoundError(fmt::format(
      "user number {} has no name, and PostgreSQL needs one: add it to /etc/passwd", geteuid()));
}

std::vector<std::string> As(const PostgresUser& user, std::vector<std::string> argv) {
  if (!user.is_other) return argv;
  std::vector<std::string> all = {"/usr/bin/setpriv",
                                  fmt::format("--reuid={}", user.uid),
                                  fmt::format("--regid={}", user.gid),
                                  "--clear-groups",
                                  "--"};
  all.insert(all.end(), argv.begin(), argv.end());
  return all;
}

absl::StatusOr<std::string> FindPostgresPrograms(const std::string& major) {
  for (const std::string& installed : InstalledMajors()) {
    if (major.empty() || installed == major) return "/usr/lib/postgresql/" + installed + "/bin";
  }
  const std::string on_path = FindOnPath();
  // A version that does not fit the data says so itself, in its log.
  if (!on_path.empty()) return on_path;
  const std::string wanted = major.empty() ? kPreferredMajor : major;
  return absl::NotFoundError(fmt::format(
      "initdb, pg_ctl and postgres{} are neither in /usr/lib/postgresql/*/bin nor on the PATH: "
      "install the package postgresql-{}, or give a database with --database",
      major.empty() ? "" : fmt::format(" of version {}, which made this data,", major),
      wanted));
}

absl::Status MakeFolder(const std::string& folder, const PostgresUser& user) {
  std::error_code error;
  fs::create_directories(fs::path(folder).parent_path(), error);
  const bool made = mkdir(folder.c_str(), 0700) == 0;
  if (!made && errno != EEXIST) {
    return absl::FailedPreconditionError(
        fmt::format("cannot make the folder {}: {}", folder, std::strerror(errno)));
  }
  if (made && chown(folder.c_str(), user.uid, user.gid) != 0) {
    return absl::FailedPreconditionError(
        fmt::format("cannot give {} to user {}: {}", folder, user.name, std::strerror(errno)));
  }
  struct stat found = {};
  if (lstat(folder.c_str(), &found) != 0 || !S_ISDIR(found.st_mode) || found.st_uid != user.uid) {
    return absl::FailedPreconditionError(
        fmt::format("{} is not a folder of user {}, who runs PostgreSQL: move it away, or chown it",
                    folder,
                    user.name));
  }
  return CheckParents(folder, user);
}

}  // namespace potok::server
