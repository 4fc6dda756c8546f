// The files by which a private cluster is configured.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "server/embedded/postgres_user.h"

namespace potok::server {

// The role and superuser of the cluster.
inline constexpr char kRole[] = "potok";

// Where the socket of a cluster in `folder` lies: below it, or in /tmp if that path is too long for
// a socket.
std::string SocketFolder(const std::string& folder);

// Writes potok.conf, pg_hba.conf and pg_ident.conf of a cluster that does not run, owned by `user`.
absl::Status WriteConfig(const std::string& data,
                         const std::string& socket_folder,
                         const PostgresUser& user);

}  // namespace potok::server
