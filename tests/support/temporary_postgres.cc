#include "tests/support/temporary_postgres.h"

#include <libpq-fe.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "common/base/check.h"
#include "fmt/format.h"

namespace potok::server {

TemporaryPostgres& TemporaryPostgres::Shared() {
  static TemporaryPostgres shared;
  return shared;
}

TemporaryPostgres::TemporaryPostgres() {
  char name[] = "/tmp/potok-test-XXXXXX";
  POTOK_CHECK(mkdtemp(name) != nullptr);
  // PostgreSQL's user has to get to its folder below.
  POTOK_CHECK(chmod(name, 0755) == 0);
  folder_ = name;
  Start();
}

TemporaryPostgres::~TemporaryPostgres() {
  // Immediate shutdown: nothing of it is needed any more.
  kill(postmaster(), SIGQUIT);
  std::error_code error;
  // Its last act is to remove the file; the process itself may stay a zombie of a lazy init.
  const std::string pid_file = folder_ + "/postgres/data/postmaster.pid";
  while (std::filesystem::exists(pid_file, error)) usleep(1000);
  std::filesystem::remove_all(folder_, error);
}

void TemporaryPostgres::Start() {
  absl::StatusOr<std::unique_ptr<EmbeddedPostgres>> started =
      EmbeddedPostgres::Start(folder_ + "/postgres");
  if (!started.ok()) std::fprintf(stderr, "%s\n", started.status().ToString().c_str());
  POTOK_CHECK(started.ok());
  postgres_ = *std::move(started);
  // Tests kill processes and not the machine: what the kernel has is safe enough.
  std::ofstream(folder_ + "/postgres/data/own.conf") << "fsync = off\n";
  POTOK_CHECK(kill(postmaster(), SIGHUP) == 0);
}

std::string TemporaryPostgres::NewDatabase() {
  const std::string name = fmt::format("test{}", ++databases_);
  Query(postgres_->url(), "CREATE SCHEMA " + name);
  return fmt::format("{} options='-c search_path={}'", postgres_->url(), name);
}

std::string TemporaryPostgres::Query(const std::string& url, const std::string& sql) {
  PGconn* connection = PQconnectdb(url.c_str());
  PGresult* result = PQexec(connection, sql.c_str());
  const ExecStatusType status = PQresultStatus(result);
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
    std::fprintf(stderr, "%s: %s\n", sql.c_str(), PQerrorMessage(connection));
    std::abort();
  }
  const std::string value = PQntuples(result) == 0 ? "" : PQgetvalue(result, 0, 0);
  PQclear(result);
  PQfinish(connection);
  return value;
}

pid_t TemporaryPostgres::postmaster() const {
  pid_t pid = 0;
  std::ifstream(folder_ + "/postgres/data/postmaster.pid") >> pid;
  POTOK_CHECK(pid > 1);
  return pid;
}

void TemporaryPostgres::Kill() {
  POTOK_CHECK(kill(postmaster(), SIGKILL) == 0);
}

}  // namespace potok::server
