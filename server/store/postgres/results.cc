#include "server/store/postgres/results.h"

#include <algorithm>
#include <map>
#include <utility>

#include "common/base/status_macros.h"
#include "server/journal/codec.h"
#include "server/store/postgres/postgres_reader.h"

namespace potok::server {

namespace {

const Statement kWriteResults = {
    "write results",
    "INSERT INTO results (fingerprint, kin, run, index, offered_us) "
    "SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::integer[], $5::bigint[]) "
    "ON CONFLICT (fingerprint) DO UPDATE SET kin = excluded.kin, run = excluded.run, "
    "index = excluded.index, offered_us = excluded.offered_us"};
// A cursor, because there may be millions.
constexpr char kOpenOffered[] =
    "DECLARE offered NO SCROLL CURSOR FOR SELECT substr(fingerprint, 1, 8) FROM results";
const Statement kFetchOffered = {"load results", "FETCH 50000 FROM offered"};

#define POTOK_SELECT_RESULTS                                                              \
  "SELECT fingerprint, results.run, results.index, attempt, started_us, ended_us, state " \
  "FROM results JOIN steps ON steps.run = results.run AND steps.index = results.index WHERE "
const Statement kFindResults = {"find results",
                                POTOK_SELECT_RESULTS "fingerprint = ANY($1::bytea[])"};
const Statement kResultsOfRun = {"results of run", POTOK_SELECT_RESULTS "results.run = $1::bigint"};
const Statement kResultsOfKin = {"results of kin",
                                 POTOK_SELECT_RESULTS
                                 "kin = $1::bigint AND offered_us < $2::bigint "
                                 "ORDER BY offered_us DESC LIMIT $3::bigint"};
#undef POTOK_SELECT_RESULTS

std::string BytesOf(const Fingerprint& fingerprint) {
  return {reinterpret_cast<const char*>(fingerprint.data()), fingerprint.size()};
}

// PostgreSQL's bigint has no larger values than an int64; the bits are the same.
std::int64_t SignedOf(std::uint64_t number) {
  return static_cast<std::int64_t>(number);
}

absl::StatusOr<FoundResult> ResultFrom(const PgResult& rows, int row) {
  FoundResult found;
  const std::string fingerprint = rows.Bytes(row, 0);
  if (fingerprint.size() != found.fingerprint.size()) {
    return absl::DataLossError("a fingerprint in the table of results is not of 32 bytes");
  }
  std::copy(fingerprint.begin(), fingerprint.end(), found.fingerprint.begin());
  found.result.made_by = {rows.Int(row, 1),
                          static_cast<std::uint32_t>(rows.Int(row, 2)),
                          static_cast<std::uint32_t>(rows.Int(row, 3))};
  found.result.duration_us = rows.Int(row, 4) == 0 ? 0 : rows.Int(row, 5) - rows.Int(row, 4);
  found.result.ended = absl::FromUnixMicros(rows.Int(row, 5));
  POTOK_ASSIGN_OR_RETURN(StepState state, DecodeStepState(rows.Bytes(row, 6)));
  auto* succeeded = std::get_if<Succeeded>(&state);
  if (succeeded == nullptr)
    return absl::DataLossError("a result is of a step that did not succeed");
  found.result.outputs = std::move(succeeded->outputs);
  return found;
}

}  // namespace

absl::Status WriteResults(PgConnection& connection, const std::vector<const StepMoved*>& offers) {
  if (offers.empty()) return absl::OkStatus();
  std::map<Fingerprint, const StepMoved*> last;
  for (const StepMoved* moved : offers) last[moved->offer->fingerprint] = moved;
  std::vector<std::string> fingerprint;
  std::vector<std::int64_t> kin, run, index, offered;
  for (const auto& [key, moved] : last) {
    fingerprint.push_back(BytesOf(key));
    kin.push_back(SignedOf(moved->offer->kin));
    run.push_back(moved->step.run);
    index.push_back(moved->step.index);
    offered.push_back(absl::ToUnixMicros(moved->at));
  }
  PgParams params;
  params.ByteStrings(fingerprint).Int64s(kin).Int64s(run).Int32s(index).Int64s(offered);
  return connection.Run(kWriteResults, params).status();
}

absl::StatusOr<std::vector<std::uint64_t>> ReadOffered(PgConnection& connection) {
  std::vector<std::uint64_t> offered;
  POTOK_RETURN_IF_ERROR(connection.Execute(kOpenOffered));
  while (true) {
    POTOK_ASSIGN_OR_RETURN(const PgResult rows, connection.Run(kFetchOffered));
    if (rows.rows() == 0) return offered;
    for (int row = 0; row < rows.rows(); ++row) {
      std::uint64_t prefix = 0;
      for (const char byte : rows.Bytes(row, 0)) {
        prefix = prefix << 8 | static_cast<std::uint8_t>(byte);
      }
      offered.push_back(prefix);
    }
  }
}

absl::StatusOr<std::vector<FoundResult>> PostgresReader::QueryResults(const Statement& statement,
                                                                      const PgParams& params) {
  POTOK_ASSIGN_OR_RETURN(const PgResult rows, Query(statement, params));
  std::vector<FoundResult> results;
  results.reserve(static_cast<std::size_t>(rows.rows()));
  for (int row = 0; row < rows.rows(); ++row) {
    POTOK_ASSIGN_OR_RETURN(results.emplace_back(), ResultFrom(rows, row));
  }
  return results;
}

absl::StatusOr<std::vector<FoundResult>> PostgresReader::FindResults(
    const std::vector<Fingerprint>& fingerprints) {
  std::vector<std::string> keys;
  keys.reserve(fingerprints.size());
  for (const Fingerprint& fingerprint : fingerprints) keys.push_back(BytesOf(fingerprint));
  return QueryResults(kFindResults, PgParams().ByteStrings(keys));
}

absl::StatusOr<std::vector<FoundResult>> PostgresReader::ResultsOfRun(RunId run) {
  return QueryResults(kResultsOfRun, PgParams().Int64(run));
}

absl::StatusOr<std::vector<FoundResult>> PostgresReader::ResultsOfKin(std::uint64_t kin,
                                                                      std::int64_t before_us,
                                                                      int limit) {
  return QueryResults(kResultsOfKin, PgParams().Int64(SignedOf(kin)).Int64(before_us).Int64(limit));
}

}  // namespace potok::server
