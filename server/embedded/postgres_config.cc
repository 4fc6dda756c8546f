#include "server/embedded/postgres_config.h"

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "common/base/digest.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::server {

namespace {

// Replaces the file as a whole, so that a crash leaves the old or the new one.
absl::Status WriteFile(const std::string& file, const std::string& text, const PostgresUser& user) {
  const std::string made = file + ".new";
  {
    std::ofstream stream(made, std::ios::binary | std::ios::trunc);
    stream << text;
    stream.close();
    if (!stream) return absl::InternalError(fmt::format("cannot write {}", made));
  }
  std::error_code error;
  std::filesystem::permissions(
      made, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write, error);
  if (chown(made.c_str(), user.uid, user.gid) != 0 ||
      std::rename(made.c_str(), file.c_str()) != 0) {
    return absl::InternalError(fmt::format("cannot put {} in its place", file));
  }
  return absl::OkStatus();
}

// As a string of postgresql.conf and pg_ident.conf.
std::string Quoted(const std::string& text, char quote) {
  std::string out(1, quote);
  for (const char c : text) out.append(c == quote ? 2 : 1, c);
  out.push_back(quote);
  return out;
}

}  // namespace

std::string SocketFolder(const std::string& folder) {
  // sun_path has 108 bytes with its zero (unix(7)); PostgreSQL appends "/.s.PGSQL.5432".
  constexpr std::size_t kPathMax = 107;
  constexpr std::size_t kNameSize = 14;
  std::string inside = folder + "/socket";
  if (inside.size() + kNameSize <= kPathMax) return inside;
  return fmt::format("/tmp/potok-postgres-{}", DigestOf(folder).Hex().substr(0, 16));
}

absl::Status WriteConfig(const std::string& data,
                         const std::string& socket_folder,
                         const PostgresUser& user) {
  const std::string settings = fmt::format(
      "# Written at each start of potok-server; put your own settings into own.conf.\n"
      "listen_addresses = ''\n"
      "port = 5432\n"
      "unix_socket_directories = {}\n"
      "unix_socket_permissions = 0700\n"
      "fsync = on\n"
      "full_page_writes = on\n"
      "synchronous_commit = on\n"
      "wal_recycle = on\n"
      "min_wal_size = 256MB\n"
      "max_wal_size = 1GB\n"
      "checkpoint_timeout = 15min\n"
      "shared_buffers = 128MB\n"
      "max_connections = 40\n"
      "jit = off\n"
      "log_line_prefix = '%m [%p] '\n"
      "log_timezone = 'UTC'\n"
      "logging_collector = off\n"
      "include_if_exists = 'own.conf'\n",
      Quoted(socket_folder, '\''));
  // Who may be whom: root, the owner of the files, and nobody else.
  const std::string ident =
      fmt::format("potok root {0}\npotok {1} {0}\n", kRole, Quoted(user.name, '"'));
  const std::string hba = "local all all peer map=potok\n";
  POTOK_RETURN_IF_ERROR(WriteFile(data + "/potok.conf", settings, user));
  POTOK_RETURN_IF_ERROR(WriteFile(data + "/pg_ident.conf", ident, user));
  return WriteFile(data + "/pg_hba.conf", hba, user);
}

}  // namespace potok::server
