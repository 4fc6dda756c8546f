// One connection to PostgreSQL, thin over libpq: binary parameters and results, statements prepared
// at first use, errors as Status. One thread at a time; every call blocks. Never reconnects: a
// connection that is broken is thrown away by its owner.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/store/postgres/pg_values.h"

struct pg_conn;

namespace potok::server {

// A query and its name, which must be unique among all statements: it names the prepared statement
// and appears in errors. A statement whose text is made at run time has an unprepared name.
struct Statement {
  std::string name;
  std::string sql;
  bool prepared = true;
};

class PgConnection {
 public:
  // Connects with synchronous_commit on. UNAVAILABLE.
  static absl::StatusOr<std::unique_ptr<PgConnection>> Open(const std::string& url);
  ~PgConnection();
  PgConnection(const PgConnection&) = delete;
  PgConnection& operator=(const PgConnection&) = delete;

  // Runs one statement. Errors, with what PostgreSQL said:
  //   UNAVAILABLE     the connection is lost; whether the statement took effect is not known
  //   ALREADY_EXISTS  unique violation
  //   ABORTED         failed without effect and may succeed later: deadlock, serialisation, locks,
  //                   disk or memory full
  //   INTERNAL        anything else: a bug or a database that somebody changed
  absl::StatusOr<PgResult> Run(const Statement& statement, const PgParams& params = {});

  // Runs "COPY ... FROM STDIN (FORMAT binary)" with these rows. All of them or none; errors as
  // above.
  absl::Status Copy(const Statement& statement, const PgRows& rows);

  // Runs text of one or more commands without parameters. Errors as above.
  absl::Status Execute(const std::string& sql);

  // True once the connection is of no more use.
  bool broken() const;

 private:
  explicit PgConnection(pg_conn* connection) : connection_(connection) {}
  absl::StatusOr<PgResult> Checked(const std::string& what, PgResult result);

  pg_conn* const connection_;
  std::set<std::string> prepared_;
};

}  // namespace potok::server
