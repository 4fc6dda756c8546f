#include "server/store/postgres/pg_connection.h"

#include <libpq-fe.h>

#include <algorithm>
#include <utility>

#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::server {

namespace {

// libpq ends its messages with a line end, and may write several lines.
std::string OneLine(const std::string& text) {
  std::string line;
  for (const char c : text) line.push_back(c == '\n' ? ' ' : c);
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

// By SQLSTATE (PostgreSQL documentation, appendix A) when the connection still stands.
absl::StatusCode CodeOf(const std::string& sqlstate) {
  const std::string category = sqlstate.substr(0, 2);
  if (sqlstate == "23505") return absl::StatusCode::kAlreadyExists;
  // The server is going down, or was told to drop us: the connection is as good as lost.
  if (category == "08" || sqlstate == "57P01" || sqlstate == "57P02" || sqlstate == "57P03") {
    return absl::StatusCode::kUnavailable;
  }
  if (category == "40" || category == "53" || category == "55" || category == "57") {
    return absl::StatusCode::kAborted;
  }
  return absl::StatusCode::kInternal;
}

}  // namespace

absl::StatusOr<std::unique_ptr<PgConnection>> PgConnection::Open(const std::string& url) {
  // What the URL says comes later and wins over the first two; a dead peer is noticed in half a
  // minute rather than in the kernel's quarter of an hour.
  const char* const keys[] = {"connect_timeout",
                              "tcp_user_timeout",
                              "dbname",
                              "client_encoding",
                              "fallback_application_name",
                              nullptr};
  const char* const values[] = {"10", "30000", url.c_str(), "UTF8", "potok-server", nullptr};
  std::unique_ptr<PgConnection> connection(
      new PgConnection(PQconnectdbParams(keys, values, /*expand_dbname=*/1)));
  if (PQstatus(connection->connection_) != CONNECTION_OK) {
    return absl::UnavailableError(fmt::format("cannot connect to PostgreSQL: {}",
                                              OneLine(PQerrorMessage(connection->connection_))));
  }
  PQsetNoticeProcessor(
      connection->connection_, [](void*, const char*) {}, nullptr);
  // Durable whatever the database's default is; compiling short queries costs more than they do.
  POTOK_RETURN_IF_ERROR(connection->Execute("SET synchronous_commit = on; SET jit = off"));
  return connection;
}

PgConnection::~PgConnection() {
  PQfinish(connection_);
}

bool PgConnection::broken() const {
  return PQstatus(connection_) != CONNECTION_OK;
}

absl::StatusOr<PgResult> PgConnection::Checked(const std::string& what, PgResult result) {
  pg_result* const raw = result.raw();
  const ExecStatusType status = PQresultStatus(raw);
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return result;
  const char* sqlstate = PQresultErrorField(raw, PG_DIAG_SQLSTATE);
  const std::string state = sqlstate == nullptr ? "" : sqlstate;
  const absl::StatusCode code = broken() ? absl::StatusCode::kUnavailable : CodeOf(state);
  return absl::Status(code,
                      fmt::format("PostgreSQL failed at {}: {}{}",
                                  what,
                                  OneLine(PQerrorMessage(connection_)),
                                  state.empty() ? "" : " (SQLSTATE " + state + ")"));
}

absl::StatusOr<PgResult> PgConnection::Run(const Statement& statement, const PgParams& params) {
  const std::vector<const char*> pointers = params.pointers();
  const std::vector<int> lengths = params.lengths();
  const std::vector<int> formats(lengths.size(), 1);
  if (!statement.prepared) {
    return Checked(statement.name,
                   PgResult(PQexecParams(connection_,
                                         statement.sql.c_str(),
                                         params.count(),
                                         nullptr,
                                         pointers.data(),
                                         lengths.data(),
                                         formats.data(),
                                         1)));
  }
  if (!prepared_.contains(statement.name)) {
    const auto prepared =
        Checked(statement.name,
                PgResult(PQprepare(
                    connection_, statement.name.c_str(), statement.sql.c_str(), 0, nullptr)));
    if (!prepared.ok()) return prepared.status();
    prepared_.insert(statement.name);
  }
  return Checked(statement.name,
                 PgResult(PQexecPrepared(connection_,
                                         statement.name.c_str(),
                                         params.count(),
                                         pointers.data(),
                                         lengths.data(),
                                         formats.data(),
                                         1)));
}

absl::Status PgConnection::Copy(const Statement& statement, const PgRows& rows) {
  PgResult begun(PQexec(connection_, statement.sql.c_str()));
  if (PQresultStatus(begun.raw()) != PGRES_COPY_IN) {
    return Checked(statement.name, begun).status();
  }
  // What is refused here is said by the result below. libpq's limit is an int.
  constexpr std::size_t kPieceBytes = std::size_t{1} << 20;
  const std::string& bytes = rows.bytes();
  bool put = true;
  for (std::size_t at = 0; put && at < bytes.size(); at += kPieceBytes) {
    const auto size = static_cast<int>(std::min(kPieceBytes, bytes.size() - at));
    put = PQputCopyData(connection_, bytes.data() + at, size) == 1;
  }
  constexpr char kTrailer[] = {'\xff', '\xff'};
  put = put && PQputCopyData(connection_, kTrailer, sizeof kTrailer) == 1;
  if (PQputCopyEnd(connection_, put ? nullptr : "the rows could not be sent") != 1) {
    return absl::UnavailableError(fmt::format(
        "PostgreSQL failed at {}: {}", statement.name, OneLine(PQerrorMessage(connection_))));
  }
  absl::Status status;
  while (pg_result* raw = PQgetResult(connection_)) {
    const absl::Status checked = Checked(statement.name, PgResult(raw)).status();
    if (status.ok()) status = checked;
  }
  return status;
}

absl::Status PgConnection::Execute(const std::string& sql) {
  const std::string what = sql.substr(0, sql.find_first_of("\n;("));
  return Checked(what, PgResult(PQexec(connection_, sql.c_str()))).status();
}

}  // namespace potok::server
