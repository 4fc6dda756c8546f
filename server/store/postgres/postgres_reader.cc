#include "server/store/postgres/postgres_reader.h"

#include <algorithm>
#include <utility>

#include "common/base/status_macros.h"
#include "fmt/format.h"
#include "server/journal/codec.h"
#include "server/store/postgres/artifact_uses.h"
#include "server/store/postgres/growth.h"
#include "server/store/postgres/rows.h"
#include "server/store/postgres/run_edits.h"
#include "server/store/postgres/run_terms.h"

namespace potok::server {

namespace {

constexpr int kListMax = 1000;

const Statement kPutSpec = {"put spec",
                            "INSERT INTO specs (sha256, size_bytes, spec) "
                            "VALUES ($1::bytea, $2::bigint, $3::bytea) ON CONFLICT DO NOTHING"};
const Statement kGetSpec = {
    "get spec", "SELECT spec FROM specs WHERE sha256 = $1::bytea AND size_bytes = $2::bigint"};
const Statement kGetRun = {
    "get run", std::string(kSelectEditedRuns) + " WHERE name = $1::text ORDER BY id DESC LIMIT 1"};
const Statement kGetRunById = {"get run by id",
                               std::string(kSelectEditedRuns) + " WHERE id = $1::bigint"};
const Statement kGetSteps = {
    "get steps",
    std::string("SELECT ") + kStepColumns + " FROM steps WHERE run = $1::bigint ORDER BY index"};
const Statement kGetStepsAfter = {
    "get steps after revision",
    std::string("SELECT ") + kStepColumns +
        " FROM steps WHERE run = $1::bigint AND revision > $2::bigint ORDER BY index"};
const Statement kListMachines = {"list machines", "SELECT machine FROM machines ORDER BY id"};

PgParams KeyOf(const Digest& digest) {
  PgParams params;
  params.Bytes(Sha256Of(digest)).Int64(digest.size_bytes);
  return params;
}

// The first text after all that begin with `prefix`, bytewise as COLLATE "C" has it. No byte of
// UTF-8 is 0xFF, and U+10FFFF sorts behind all that users write.
std::string EndOf(const std::string& prefix) {
  return prefix + "\xF4\x8F\xBF\xBF";
}

// Only the conditions that the filter has, so that PostgreSQL plans for them.
Statement ListStatement(const RunFilter& filter, PgParams* params) {
  std::vector<std::string> conditions;
  if (!filter.status.empty()) {
    std::vector<int> numbers;
    for (const RunStatus status : filter.status) numbers.push_back(NumberOf(status));
    params->Int16s(numbers);
    conditions.push_back(fmt::format("status = ANY(${}::smallint[])", params->count()));
  }
  if (!filter.experiment_name.empty()) {
    params->Bytes(AsText(filter.experiment_name));
    conditions.push_back(fmt::format("experiment = ${}::text", params->count()));
  }
  if (!filter.name_prefix.empty()) {
    const std::string prefix = AsText(filter.name_prefix);
    params->Bytes(prefix);
    conditions.push_back(fmt::format("name >= ${}::text", params->count()));
    params->Bytes(EndOf(prefix));
    conditions.push_back(fmt::format("name < ${}::text", params->count()));
  }
  if (filter.created_after_us != 0) {
    params->Int64(filter.created_after_us);
    conditions.push_back(fmt::format("created_us >= ${}::bigint", params->count()));
  }
  if (filter.created_before_us != 0) {
    params->Int64(filter.created_before_us);
    conditions.push_back(fmt::format("created_us < ${}::bigint", params->count()));
  }
  if (filter.archived == RunFilter::Archived::kLeftOut) {
    conditions.emplace_back("NOT coalesce(run_edits.archived, false)");
  } else if (filter.archived == RunFilter::Archived::kOnly) {
    conditions.emplace_back("run_edits.archived");
  }
  for (std::string& condition : TermConditions(filter, params)) {
    conditions.push_back(std::move(condition));
  }
  if (filter.before_run != 0) {
    params->Int64(filter.before_run);
    conditions.push_back(fmt::format("id < ${}::bigint", params->count()));
  }
  std::string sql = kSelectEditedRuns;
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    sql += (i == 0 ? " WHERE " : " AND ") + conditions[i];
  }
  params->Int64(std::clamp(filter.limit, 0, kListMax));
  sql += fmt::format(" ORDER BY id DESC LIMIT ${}::bigint", params->count());
  return {"list runs", sql, /*prepared=*/false};
}

}  // namespace

absl::StatusOr<std::vector<RunRow>> PostgresReader::QueryRuns(const Statement& statement,
                                                              const PgParams& params) {
  POTOK_ASSIGN_OR_RETURN(const PgResult rows, Query(statement, params));
  std::vector<RunRow> runs;
  for (int row = 0; row < rows.rows(); ++row) {
    POTOK_ASSIGN_OR_RETURN(runs.emplace_back(), EditedRunRowFrom(rows, row));
  }
  return runs;
}

absl::Status PostgresReader::PutSpec(const Digest& digest, const std::string& spec) {
  PgParams params = KeyOf(digest);
  params.Bytes(spec);
  return Query(kPutSpec, params).status();
}

absl::StatusOr<std::string> PostgresReader::GetSpec(const Digest& digest) {
  POTOK_ASSIGN_OR_RETURN(const PgResult rows, Query(kGetSpec, KeyOf(digest)));
  if (rows.rows() == 1) return rows.Bytes(0, 0);
  return absl::NotFoundError(fmt::format("no pipeline with digest {} is stored", digest.Hex()));
}

absl::StatusOr<RunRow> PostgresReader::GetRun(const std::string& name) {
  POTOK_ASSIGN_OR_RETURN(const std::vector<RunRow> runs,
                         QueryRuns(kGetRun, PgParams().Bytes(AsText(name))));
  if (runs.empty()) return absl::NotFoundError(fmt::format("there is no run '{}'", name));
  return runs.front();
}

absl::StatusOr<RunRow> PostgresReader::GetRunById(RunId id) {
  POTOK_ASSIGN_OR_RETURN(const std::vector<RunRow> runs,
                         QueryRuns(kGetRunById, PgParams().Int64(id)));
  if (runs.empty()) return absl::NotFoundError(fmt::format("there is no run number {}", id));
  return runs.front();
}

absl::StatusOr<std::vector<StepRow>> PostgresReader::GetSteps(RunId run,
                                                              std::int64_t after_revision) {
  PgParams params;
  params.Int64(run);
  if (after_revision > 0) params.Int64(after_revision);
  POTOK_ASSIGN_OR_RETURN(const PgResult rows,
                         Query(after_revision > 0 ? kGetStepsAfter : kGetSteps, params));
  std::vector<StepRow> steps;
  for (int row = 0; row < rows.rows(); ++row) {
    POTOK_ASSIGN_OR_RETURN(steps.emplace_back(), StepRowFrom(rows, row));
  }
  return steps;
}

absl::StatusOr<std::vector<StepsAdded>> PostgresReader::GetAddedSteps(RunId run,
                                                                      std::uint32_t from) {
  POTOK_ASSIGN_OR_RETURN(const PgResult rows,
                         Query(kSelectAddedSteps, PgParams().Int64(run).Int32(from)));
  std::vector<StepsAdded> added;
  for (int row = 0; row < rows.rows(); ++row) {
    POTOK_ASSIGN_OR_RETURN(added.emplace_back(), AddedStepsFrom(rows, row));
  }
  return added;
}

absl::StatusOr<std::vector<RunRow>> PostgresReader::ListRuns(const RunFilter& filter) {
  PgParams params;
  const Statement statement = ListStatement(filter, &params);
  return QueryRuns(statement, params);
}

absl::StatusOr<std::vector<MachineChanged>> PostgresReader::ListMachines() {
  POTOK_ASSIGN_OR_RETURN(const PgResult rows, Query(kListMachines, {}));
  std::vector<MachineChanged> machines;
  for (int row = 0; row < rows.rows(); ++row) {
    POTOK_ASSIGN_OR_RETURN(machines.emplace_back(), DecodeMachineChanged(rows.Bytes(row, 0)));
  }
  return machines;
}

absl::StatusOr<RunRow> PostgresReader::EditRun(RunId id,
                                               const std::function<absl::Status(RunRow&)>& edit) {
  absl::StatusOr<RunRow> edited;
  const absl::Status used = pool_.Use([&](PgConnection& connection) {
    edited = EditRunIn(connection, id, edit);
    return edited.status();
  });
  if (!used.ok()) return used;
  return edited;
}

absl::StatusOr<std::vector<RunId>> PostgresReader::ListRunsWithoutUses(int limit) {
  absl::StatusOr<std::vector<RunId>> runs;
  const absl::Status used = pool_.Use([&](PgConnection& connection) {
    runs = ListRunsWithoutUsesIn(connection, limit);
    return runs.status();
  });
  if (!used.ok()) return used;
  return runs;
}

absl::Status PostgresReader::PutUses(RunId run, const std::vector<ArtifactUse>& uses) {
  return pool_.Use([&](PgConnection& connection) { return PutUsesIn(connection, run, uses); });
}

absl::StatusOr<std::vector<ArtifactUse>> PostgresReader::FindUses(const ArtifactUseFilter& filter) {
  absl::StatusOr<std::vector<ArtifactUse>> uses;
  const absl::Status used = pool_.Use([&](PgConnection& connection) {
    uses = FindUsesIn(connection, filter);
    return uses.status();
  });
  if (!used.ok()) return used;
  return uses;
}

}  // namespace potok::server
