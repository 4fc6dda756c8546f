#include "tests/bench/database.h"

#include <endian.h>
#include <libpq-fe.h>

#include <algorithm>
#include <future>

#include "common/base/status_macros.h"
#include "fmt/format.h"
#include "tests/bench/machine.h"

namespace potok::bench {
namespace {

using server::PgConnection;
using server::PgParams;
using server::Statement;

constexpr int kRowsPerCommit = 1000;

const Statement kInsertSteps = {
    "bench insert",
    "INSERT INTO bench.steps (run, index, revision, attempt, machine_lost, status, machine, "
    "queued_us, started_us, ended_us, since_us, state) "
    "SELECT 1, index, 7, 1, 0, 3, 1, 1, 0, 0, 1, state "
    "FROM unnest($1::integer[], $2::bytea[]) AS moved (index, state)"};
const Statement kUpdateSteps = {
    "bench update",
    "UPDATE bench.steps SET revision = 8, status = 7, started_us = 2, ended_us = 3, since_us = 3, "
    "state = moved.state FROM unnest($1::integer[], $2::bytea[]) AS moved (index, state) "
    "WHERE steps.run = 1 AND steps.index = moved.index"};
const Statement kUpdateNarrow = {"bench narrow",
                                 "UPDATE bench.narrow SET state = state + 1, at = 8 "
                                 "FROM unnest($1::integer[], $2::bytea[]) AS moved (id, "
                                 "state_bytes) WHERE narrow.id = moved.id"};

// Runs the statements over steps `from` to `to`, each statement over all of them.
absl::Status WriteRange(const std::string& url,
                        const std::vector<Statement>& statements,
                        int from,
                        int to) {
  POTOK_ASSIGN_OR_RETURN(const std::unique_ptr<PgConnection> connection, PgConnection::Open(url));
  for (const Statement& statement : statements) {
    for (int first = from; first < to; first += kRowsPerCommit) {
      std::vector<std::int64_t> indices;
      for (int i = first; i < std::min(first + kRowsPerCommit, to); ++i) indices.push_back(i);
      // As long as the bytes of a state that succeeded.
      const std::vector<std::string> states(indices.size(), std::string(6, 's'));
      POTOK_RETURN_IF_ERROR(
          connection->Run(statement, PgParams().Int32s(indices).ByteStrings(states)).status());
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Measure> WriteByTwo(const std::string& url,
                                   const std::vector<Statement>& statements,
                                   int steps) {
  const double began = NowMicros();
  std::future<absl::Status> second =
      std::async(std::launch::async, [&] { return WriteRange(url, statements, steps / 2, steps); });
  const absl::Status first = WriteRange(url, statements, 0, steps / 2);
  POTOK_RETURN_IF_ERROR(second.get());
  POTOK_RETURN_IF_ERROR(first);
  return Measure{NowMicros() - began};
}

void AppendNumber(std::uint32_t value, std::string* out) {
  value = htobe32(value);
  out->append(reinterpret_cast<const char*>(&value), sizeof value);
}

void AppendField(const std::string& bytes, std::string* out) {
  AppendNumber(static_cast<std::uint32_t>(bytes.size()), out);
  *out += bytes;
}

// PostgreSQL documentation, COPY, "Binary Format".
void AppendRow(std::uint32_t index, const Database::PlannedStep& step, std::string* out) {
  out->append("\0\5", 2);
  AppendNumber(8, out);
  AppendNumber(0, out);
  AppendNumber(1, out);
  AppendNumber(4, out);
  AppendNumber(index, out);
  AppendField(step.name, out);
  AppendField(step.upstreams, out);
  AppendField(step.spec, out);
}

absl::Status Copied(pg_conn* connection, bool ok) {
  if (ok) return absl::OkStatus();
  return absl::UnavailableError(fmt::format("COPY failed: {}", PQerrorMessage(connection)));
}

absl::Status Copy(pg_conn* connection, const std::vector<Database::PlannedStep>& plan) {
  constexpr std::size_t kBufferBytes = 1 << 16;
  PGresult* began = PQexec(connection, "COPY bench.plan FROM STDIN (FORMAT binary)");
  const bool is_copying = PQresultStatus(began) == PGRES_COPY_IN;
  PQclear(began);
  POTOK_RETURN_IF_ERROR(Copied(connection, is_copying));
  std::string buffer("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
  for (std::uint32_t i = 0; i < plan.size(); ++i) {
    AppendRow(i, plan[i], &buffer);
    if (buffer.size() < kBufferBytes && i + 1 < plan.size()) continue;
    if (i + 1 == plan.size()) buffer.append("\377\377", 2);
    const int put = PQputCopyData(connection, buffer.data(), static_cast<int>(buffer.size()));
    POTOK_RETURN_IF_ERROR(Copied(connection, put == 1));
    buffer.clear();
  }
  POTOK_RETURN_IF_ERROR(Copied(connection, PQputCopyEnd(connection, nullptr) == 1));
  bool ok = true;
  while (PGresult* result = PQgetResult(connection)) {
    ok = ok && PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
  }
  return Copied(connection, ok);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Database>> Database::Open(const std::string& url) {
  std::unique_ptr<Database> database(new Database(url));
  POTOK_ASSIGN_OR_RETURN(database->connection_, PgConnection::Open(url));
  POTOK_RETURN_IF_ERROR(database->Execute("DROP SCHEMA IF EXISTS bench CASCADE"));
  POTOK_RETURN_IF_ERROR(database->Execute("CREATE SCHEMA bench"));
  POTOK_RETURN_IF_ERROR(database->Execute(
      "CREATE TABLE bench.steps (LIKE public.steps INCLUDING ALL) WITH (fillfactor = 60)"));
  POTOK_RETURN_IF_ERROR(
      database->Execute("CREATE TABLE bench.narrow (id integer PRIMARY KEY, state integer, "
                        "attempt integer, machine integer, at bigint) WITH (fillfactor = 50)"));
  POTOK_RETURN_IF_ERROR(
      database->Execute("CREATE TABLE bench.plan (run bigint, index integer, name text, "
                        "upstreams text, spec bytea, PRIMARY KEY (run, index))"));
  POTOK_RETURN_IF_ERROR(
      database->Execute("CREATE TABLE bench.journal (revision bigint PRIMARY KEY, batch bytea)"));
  return database;
}

absl::Status Database::Execute(const std::string& sql) {
  return connection_->Execute(sql);
}

absl::StatusOr<Measure> Database::WriteSteps(int steps) {
  POTOK_RETURN_IF_ERROR(Execute("TRUNCATE bench.steps"));
  return WriteByTwo(url_, {kInsertSteps, kUpdateSteps}, steps);
}

absl::StatusOr<Measure> Database::UpdateNarrowRows(int steps) {
  POTOK_RETURN_IF_ERROR(Execute("TRUNCATE bench.narrow"));
  POTOK_RETURN_IF_ERROR(
      Execute(fmt::format("INSERT INTO bench.narrow SELECT i, 0, 0, 0, 0 "
                          "FROM generate_series(0, {}) AS i",
                          steps - 1)));
  return WriteByTwo(url_, {kUpdateNarrow, kUpdateNarrow}, steps);
}

absl::StatusOr<std::vector<double>> Database::Commit(int count) {
  const Statement insert = {
      "bench commit", "INSERT INTO bench.journal (revision, batch) VALUES ($1::bigint, $2::bytea)"};
  POTOK_RETURN_IF_ERROR(Execute("TRUNCATE bench.journal"));
  std::vector<double> micros;
  for (int i = 0; i < count; ++i) {
    const double began = NowMicros();
    POTOK_RETURN_IF_ERROR(
        connection_->Run(insert, PgParams().Int64(i).Bytes(std::string(64, 'b'))).status());
    micros.push_back(NowMicros() - began);
  }
  return micros;
}

absl::StatusOr<Measure> Database::CopyPlan(const std::vector<PlannedStep>& plan) {
  POTOK_RETURN_IF_ERROR(Execute("TRUNCATE bench.plan"));
  const std::unique_ptr<pg_conn, decltype(&PQfinish)> connection(PQconnectdb(url_.c_str()),
                                                                 PQfinish);
  const double began = NowMicros();
  POTOK_RETURN_IF_ERROR(Copy(connection.get(), plan));
  return Measure{NowMicros() - began};
}

}  // namespace potok::bench
