// As whom PostgreSQL runs, and where it and its folders are.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace potok::server {

// A user of this machine.
struct PostgresUser {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
  // True if programs must be started through setpriv(1), because we are root and it is not.
  bool is_other = false;
};

// The user `postgres` when we are root, else ourselves. NOT_FOUND if there is no such user.
absl::StatusOr<PostgresUser> FindPostgresUser();

// `argv` as that user.
std::vector<std::string> As(const PostgresUser& user, std::vector<std::string> argv);

// The folder of initdb, pg_ctl and postgres: Debian's of major version `major`, or (if empty) of
// 15, else the newest, else of PATH. NOT_FOUND naming the package.
absl::StatusOr<std::string> FindPostgresPrograms(const std::string& major);

// Makes `folder` (and what is missing above it), private to the user. FAILED_PRECONDITION if it is
// somebody else's, or a folder above it cannot be entered by the user.
absl::Status MakeFolder(const std::string& folder, const PostgresUser& user);

}  // namespace potok::server
