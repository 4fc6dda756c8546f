#include "server/store/postgres/postgres_tracking.h"

#include <map>
#include <utility>

#include "common/base/status_macros.h"
#include "common/runtime/mutex.h"
#include "fmt/format.h"
#include "server/store/postgres/connection_pool.h"
#include "server/store/postgres/rows.h"
#include "server/store/postgres/tracking_search.h"
#include "server/store/postgres/tracking_writes.h"
#include "server/store/postgres/transaction.h"

namespace potok::server {

namespace {

const Statement kGetTracked = {
    "get tracked run",
    std::string(kSelectTracked) + " WHERE t.mlflow_id = $1::text ORDER BY t.id DESC LIMIT 1"};
const Statement kGetTrackedOf = {
    "get tracked run of attempt",
    std::string(kSelectTracked) +
        " WHERE t.mlflow_id = $1::text AND t.run = $2::bigint AND t.index = $3::integer "
        "AND t.attempt = $4::integer"};
const Statement kTrackedOfRun = {
    "tracked runs of run",
    std::string(kSelectTracked) +
        " WHERE t.run = $1::bigint ORDER BY t.index, t.attempt, t.is_child, t.id"};
const Statement kTrackedOfStep = {"tracked runs of step",
                                  std::string(kSelectTracked) +
                                      " WHERE t.run = $1::bigint AND t.index = $2::integer "
                                      "AND NOT t.is_child ORDER BY t.attempt"};
const Statement kLatestMetrics = {
    "latest metrics of",
    "SELECT tracked, key, step, timestamp_ms, value, count, min, max FROM latest_metrics "
    "WHERE tracked = ANY ($1::bigint[]) ORDER BY tracked, key"};
const Statement kParamsOf = {"params of",
                             "SELECT tracked, key, value FROM params "
                             "WHERE tracked = ANY ($1::bigint[]) ORDER BY tracked, key"};
const Statement kTagsOf = {"tags of",
                           "SELECT tracked, key, value FROM tracking_tags "
                           "WHERE tracked = ANY ($1::bigint[]) ORDER BY tracked, key"};
const Statement kMetricHistory = {
    "metric history",
    "SELECT step, timestamp_ms, value FROM metrics WHERE tracked = $1::bigint AND key = $2::text "
    "ORDER BY step, timestamp_ms, value LIMIT $3::bigint OFFSET $4::bigint"};
const Statement kAddExperiment = {
    "add experiment",
    "INSERT INTO tracking_experiments (name, created_ms) VALUES ($1::text, $2::bigint) "
    "ON CONFLICT DO NOTHING"};
const Statement kExperiments = {"experiments",
                                "SELECT name FROM tracking_experiments "
                                "UNION SELECT experiment FROM tracked_runs ORDER BY 1"};
const Statement kPutArtifact = {
    "put logged artifact",
    "INSERT INTO logged_artifacts (holder, path, sha256, size_bytes, run, logged_ms) "
    "VALUES ($1::text, $2::text, $3::bytea, $4::bigint, $5::bigint, $6::bigint) "
    "ON CONFLICT (holder, path) DO UPDATE SET sha256 = excluded.sha256, "
    "size_bytes = excluded.size_bytes, logged_ms = excluded.logged_ms"};
const Statement kGetArtifact = {
    "get logged artifact",
    "SELECT holder, path, sha256, size_bytes, run, logged_ms FROM logged_artifacts "
    "WHERE holder = $1::text AND path = $2::text"};
const Statement kListArtifacts = {
    "list logged artifacts",
    "SELECT holder, path, sha256, size_bytes, run, logged_ms FROM logged_artifacts "
    "WHERE holder = $1::text AND starts_with(path, $2::text) ORDER BY path"};
const Statement kArtifactsOfRun = {
    "logged artifacts of run",
    "SELECT holder, path, sha256, size_bytes, run, logged_ms FROM logged_artifacts "
    "WHERE run = $1::bigint ORDER BY holder, path"};
const Statement kPutModel = {"put logged model",
                             "INSERT INTO logged_models (id, run, index, attempt, model) "
                             "VALUES ($1::text, $2::bigint, $3::integer, $4::integer, $5::bytea) "
                             "ON CONFLICT (id) DO UPDATE SET model = excluded.model"};
const Statement kGetModel = {
    "get logged model",
    "SELECT id, run, index, attempt, model FROM logged_models WHERE id = $1::text"};

TrackedRun TrackedRunFrom(const PgResult& rows, int row) {
  TrackedRun run;
  run.mlflow_id = rows.Bytes(row, 1);
  run.attempt = {rows.Int(row, 2),
                 static_cast<std::uint32_t>(rows.Int(row, 3)),
                 static_cast<std::uint32_t>(rows.Int(row, 4))};
  run.is_child = rows.Bool(row, 5);
  run.run_name = rows.Bytes(row, 6);
  run.step_name = rows.Bytes(row, 7);
  run.name = rows.Bytes(row, 8);
  run.experiment = rows.Bytes(row, 9);
  run.user = rows.Bytes(row, 10);
  run.status = static_cast<TrackedStatus>(rows.Int(row, 11));
  run.is_deleted = rows.Bool(row, 12);
  run.start_ms = rows.Int(row, 13);
  run.end_ms = rows.Int(row, 14);
  return run;
}

LoggedArtifact LoggedArtifactFrom(const PgResult& rows, int row) {
  LoggedArtifact artifact;
  artifact.holder = rows.Bytes(row, 0);
  artifact.path = rows.Bytes(row, 1);
  const std::string sha256 = rows.Bytes(row, 2);
  std::copy_n(sha256.begin(), artifact.digest.sha256.size(), artifact.digest.sha256.begin());
  artifact.digest.size_bytes = rows.Int(row, 3);
  artifact.run = rows.Int(row, 4);
  artifact.logged_ms = rows.Int(row, 5);
  return artifact;
}

std::vector<LoggedArtifact> LoggedArtifactsFrom(const PgResult& rows) {
  return FromRows(rows, LoggedArtifactFrom);
}

class PostgresTracking final : public TrackingStore {
 public:
  explicit PostgresTracking(std::string url) : url_(url), pool_(std::move(url)) {}

  absl::StatusOr<std::vector<TrackedWritten>> Write(
      const std::vector<TrackedWrite>& writes) override;
  absl::StatusOr<TrackedRunData> Get(const TrackedId& id) override;
  absl::StatusOr<std::vector<TrackedRunData>> OfRun(RunId run) override;
  absl::StatusOr<std::vector<TrackedRunData>> Search(const TrackedSearch& search) override;
  absl::StatusOr<std::vector<MetricValue>> History(const TrackedId& id,
                                                   const std::string& metric,
                                                   std::int64_t offset,
                                                   std::int64_t limit) override;
  absl::StatusOr<std::vector<TrackedRun>> AttemptsOf(const StepKey& step) override;
  absl::StatusOr<bool> AddExperiment(const std::string& name, std::int64_t created_ms) override;
  absl::StatusOr<std::vector<std::string>> Experiments() override;
  absl::Status PutArtifact(const LoggedArtifact& artifact) override;
  absl::StatusOr<LoggedArtifact> GetArtifact(const std::string& holder,
                                             const std::string& path) override;
  absl::StatusOr<std::vector<LoggedArtifact>> ListArtifacts(const std::string& holder,
                                                            const std::string& folder) override;
  absl::StatusOr<std::vector<LoggedArtifact>> ArtifactsOf(RunId run) override;
  absl::Status PutModel(const LoggedModel& model) override;
  absl::StatusOr<LoggedModel> GetModel(const std::string& id) override;

 private:
  // Rows of kSelectTracked.
  absl::StatusOr<PgResult> Find(const TrackedId& id);
  // With all that they logged.
  absl::StatusOr<std::vector<TrackedRunData>> DataOf(const PgResult& rows);

  const std::string url_;
  ConnectionPool pool_;
  Mutex mutex_;
  std::unique_ptr<PgConnection> writer_ ABSL_GUARDED_BY(mutex_);
};

absl::StatusOr<std::vector<TrackedWritten>> PostgresTracking::Write(
    const std::vector<TrackedWrite>& writes) {
  MutexLock lock(mutex_);
  if (writer_ == nullptr || writer_->broken()) {
    POTOK_ASSIGN_OR_RETURN(writer_, PgConnection::Open(url_));
  }
  PgConnection& connection = *writer_;
  std::vector<TrackedWritten> written;
  const absl::Status status = InTransaction(connection, kReadWrite, [&]() -> absl::Status {
    POTOK_ASSIGN_OR_RETURN(written, WriteTracked(connection, writes));
    return absl::OkStatus();
  });
  if (absl::IsUnavailable(status)) writer_.reset();
  POTOK_RETURN_IF_ERROR(status);
  return written;
}

absl::StatusOr<PgResult> PostgresTracking::Find(const TrackedId& id) {
  PgParams params;
  params.Bytes(id.mlflow_id);
  if (id.attempt.run != 0) {
    params.Int64(id.attempt.run).Int32(id.attempt.index).Int32(id.attempt.attempt);
  }
  POTOK_ASSIGN_OR_RETURN(PgResult found,
                         pool_.Query(id.attempt.run != 0 ? kGetTrackedOf : kGetTracked, params));
  if (found.rows() == 1) return found;
  return absl::NotFoundError(fmt::format("Run with id={} not found", id.mlflow_id));
}

absl::StatusOr<std::vector<TrackedRunData>> PostgresTracking::DataOf(const PgResult& rows) {
  std::vector<TrackedRunData> runs;
  std::vector<std::int64_t> ids;
  std::map<std::int64_t, std::size_t> places;
  for (int row = 0; row < rows.rows(); ++row) {
    places[rows.Int(row, 0)] = runs.size();
    ids.push_back(rows.Int(row, 0));
    runs.emplace_back().run = TrackedRunFrom(rows, row);
  }
  if (ids.empty()) return runs;
  const PgParams of = PgParams().Int64s(ids);
  POTOK_ASSIGN_OR_RETURN(const PgResult metrics, pool_.Query(kLatestMetrics, of));
  for (int row = 0; row < metrics.rows(); ++row) {
    MetricSummary& metric = runs[places[metrics.Int(row, 0)]].metrics.emplace_back();
    metric.latest.name = metrics.Bytes(row, 1);
    metric.latest.step = metrics.Int(row, 2);
    metric.latest.timestamp_ms = metrics.Int(row, 3);
    metric.latest.value = metrics.Double(row, 4);
    metric.count = metrics.Int(row, 5);
    metric.min = metrics.Double(row, 6);
    metric.max = metrics.Double(row, 7);
  }
  POTOK_ASSIGN_OR_RETURN(const PgResult params, pool_.Query(kParamsOf, of));
  for (int row = 0; row < params.rows(); ++row) {
    runs[places[params.Int(row, 0)]].params.push_back({params.Bytes(row, 1), params.Bytes(row, 2)});
  }
  POTOK_ASSIGN_OR_RETURN(const PgResult tags, pool_.Query(kTagsOf, of));
  for (int row = 0; row < tags.rows(); ++row) {
    runs[places[tags.Int(row, 0)]].tags.push_back({tags.Bytes(row, 1), tags.Bytes(row, 2)});
  }
  return runs;
}

absl::StatusOr<TrackedRunData> PostgresTracking::Get(const TrackedId& id) {
  POTOK_ASSIGN_OR_RETURN(const PgResult found, Find(id));
  POTOK_ASSIGN_OR_RETURN(std::vector<TrackedRunData> runs, DataOf(found));
  return std::move(runs.front());
}

absl::StatusOr<std::vector<TrackedRunData>> PostgresTracking::OfRun(RunId run) {
  POTOK_ASSIGN_OR_RETURN(const PgResult rows, pool_.Query(kTrackedOfRun, PgParams().Int64(run)));
  return DataOf(rows);
}

absl::StatusOr<std::vector<TrackedRunData>> PostgresTracking::Search(const TrackedSearch& search) {
  PgParams params;
  const Statement statement = SearchStatement(search, &params);
  POTOK_ASSIGN_OR_RETURN(const PgResult rows, pool_.Query(statement, params));
  return DataOf(rows);
}

absl::StatusOr<std::vector<MetricValue>> PostgresTracking::History(const TrackedId& id,
                                                                   const std::string& metric,
                                                                   std::int64_t offset,
                                                                   std::int64_t limit) {
  POTOK_ASSIGN_OR_RETURN(const PgResult found, Find(id));
  POTOK_ASSIGN_OR_RETURN(
      const PgResult rows,
      pool_.Query(kMetricHistory,
                  PgParams().Int64(found.Int(0, 0)).Bytes(metric).Int64(limit).Int64(offset)));
  return FromRows(rows, [&metric](const PgResult& all, int row) {
    return MetricValue{metric, all.Double(row, 2), all.Int(row, 1), all.Int(row, 0)};
  });
}

absl::StatusOr<std::vector<TrackedRun>> PostgresTracking::AttemptsOf(const StepKey& step) {
  POTOK_ASSIGN_OR_RETURN(const PgResult rows,
                         pool_.Query(kTrackedOfStep, PgParams().Int64(step.run).Int32(step.index)));
  return FromRows(rows, TrackedRunFrom);
}

absl::StatusOr<bool> PostgresTracking::AddExperiment(const std::string& name,
                                                     std::int64_t created_ms) {
  POTOK_ASSIGN_OR_RETURN(const PgResult added,
                         pool_.Query(kAddExperiment, PgParams().Bytes(name).Int64(created_ms)));
  return added.affected() == 1;
}

absl::StatusOr<std::vector<std::string>> PostgresTracking::Experiments() {
  POTOK_ASSIGN_OR_RETURN(const PgResult rows, pool_.Query(kExperiments, {}));
  return FromRows(rows, [](const PgResult& all, int row) { return all.Bytes(row, 0); });
}

absl::Status PostgresTracking::PutArtifact(const LoggedArtifact& artifact) {
  return pool_
      .Query(kPutArtifact,
             PgParams()
                 .Bytes(artifact.holder)
                 .Bytes(artifact.path)
                 .Bytes(Sha256Of(artifact.digest))
                 .Int64(artifact.digest.size_bytes)
                 .Int64(artifact.run)
                 .Int64(artifact.logged_ms))
      .status();
}

absl::StatusOr<LoggedArtifact> PostgresTracking::GetArtifact(const std::string& holder,
                                                             const std::string& path) {
  POTOK_ASSIGN_OR_RETURN(const PgResult rows,
                         pool_.Query(kGetArtifact, PgParams().Bytes(holder).Bytes(path)));
  if (rows.rows() == 1) return LoggedArtifactFrom(rows, 0);
  return absl::NotFoundError(fmt::format("No such artifact: {}", path));
}

absl::StatusOr<std::vector<LoggedArtifact>> PostgresTracking::ListArtifacts(
    const std::string& holder, const std::string& folder) {
  const std::string prefix = folder.empty() ? "" : folder + "/";
  POTOK_ASSIGN_OR_RETURN(const PgResult rows,
                         pool_.Query(kListArtifacts, PgParams().Bytes(holder).Bytes(prefix)));
  return LoggedArtifactsFrom(rows);
}

absl::StatusOr<std::vector<LoggedArtifact>> PostgresTracking::ArtifactsOf(RunId run) {
  POTOK_ASSIGN_OR_RETURN(const PgResult rows, pool_.Query(kArtifactsOfRun, PgParams().Int64(run)));
  return LoggedArtifactsFrom(rows);
}

absl::Status PostgresTracking::PutModel(const LoggedModel& model) {
  return pool_
      .Query(kPutModel,
             PgParams()
                 .Bytes(model.id)
                 .Int64(model.attempt.run)
                 .Int32(model.attempt.index)
                 .Int32(model.attempt.attempt)
                 .Bytes(model.json))
      .status();
}

absl::StatusOr<LoggedModel> PostgresTracking::GetModel(const std::string& id) {
  POTOK_ASSIGN_OR_RETURN(const PgResult rows, pool_.Query(kGetModel, PgParams().Bytes(id)));
  if (rows.rows() != 1) return absl::NotFoundError(fmt::format("Logged model {} not found", id));
  LoggedModel model;
  model.id = rows.Bytes(0, 0);
  model.attempt = {rows.Int(0, 1),
                   static_cast<std::uint32_t>(rows.Int(0, 2)),
                   static_cast<std::uint32_t>(rows.Int(0, 3))};
  model.json = rows.Bytes(0, 4);
  return model;
}

}  // namespace

std::unique_ptr<TrackingStore> OpenTracking(const std::string& url) {
  return std::make_unique<PostgresTracking>(url);
}

}  // namespace potok::server
