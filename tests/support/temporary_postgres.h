// A PostgreSQL for tests: one private cluster for each test process, in a folder under /tmp,
// stopped and removed when the process ends. A process that is killed leaves its cluster behind.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "server/embedded/embedded_postgres.h"

namespace potok::server {

// Of one thread. Failures abort: a test without its database is worthless.
class TemporaryPostgres {
 public:
  // The process's own, started at the first call.
  static TemporaryPostgres& Shared();

  TemporaryPostgres();
  ~TemporaryPostgres();
  TemporaryPostgres(const TemporaryPostgres&) = delete;
  TemporaryPostgres& operator=(const TemporaryPostgres&) = delete;

  // Makes an empty schema, which is as good as a database and has no files to copy; returns how to
  // connect to it.
  std::string NewDatabase();

  // Runs one statement there as superuser; the first column of the first row, or nothing.
  std::string Query(const std::string& url, const std::string& sql);

  // Ends the postmaster with SIGKILL, as a crash would. Start brings it back.
  void Kill();
  void Start();

  const std::string& folder() const { return folder_; }
  pid_t postmaster() const;

 private:
  std::string folder_;
  std::unique_ptr<EmbeddedPostgres> postgres_;
  int databases_ = 0;
};

}  // namespace potok::server
