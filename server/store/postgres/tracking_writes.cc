#include "server/store/postgres/tracking_writes.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "common/base/status_macros.h"
#include "fmt/format.h"

namespace potok::server {

namespace {

// A row's number and a name below it.
using RowKey = std::pair<std::int64_t, std::string>;

const Statement kAddTracked = {
    "add tracked runs",
    R"sql(INSERT INTO tracked_runs (mlflow_id, run, index, attempt, is_child, run_name, step_name,
  name, experiment, user_name, status, start_ms, end_ms)
SELECT mlflow_id, run, index, attempt, is_child <> 0, run_name, step_name, name, experiment,
  user_name, status, start_ms, end_ms
FROM unnest($1::text[], $2::bigint[], $3::integer[], $4::integer[], $5::smallint[], $6::text[],
  $7::text[], $8::text[], $9::text[], $10::text[], $11::smallint[], $12::bigint[], $13::bigint[])
  AS new (mlflow_id, run, index, attempt, is_child, run_name, step_name, name, experiment,
    user_name, status, start_ms, end_ms)
ON CONFLICT DO NOTHING)sql"};

const Statement kFindTracked = {"find tracked runs",
                                R"sql(SELECT wanted.number, t.id
FROM unnest($1::text[], $2::bigint[], $3::integer[], $4::integer[]) WITH ORDINALITY
  AS wanted (mlflow_id, run, index, attempt, number)
JOIN tracked_runs t USING (mlflow_id, run, index, attempt))sql"};

const Statement kReadParams = {"read params of keys",
                               R"sql(SELECT p.tracked, p.key, p.value
FROM unnest($1::bigint[], $2::text[]) AS wanted (tracked, key)
JOIN params p USING (tracked, key))sql"};

const Statement kAddParams = {"add params",
                              R"sql(INSERT INTO params (tracked, key, value)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[]) ON CONFLICT DO NOTHING)sql"};

// PostgreSQL counts NaN as the greatest number, and as equal to itself.
const Statement kAddMetrics = {"add metrics",
                               R"sql(WITH added AS (
  INSERT INTO metrics (tracked, key, step, timestamp_ms, value)
  SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::double precision[])
  ON CONFLICT DO NOTHING
  RETURNING tracked, key, step, timestamp_ms, value)
INSERT INTO latest_metrics AS latest (tracked, key, step, timestamp_ms, value, count, min, max)
SELECT DISTINCT ON (tracked, key) tracked, key, step, timestamp_ms, value,
  count(*) OVER all_of_it, min(value) OVER all_of_it, max(value) OVER all_of_it
FROM added WINDOW all_of_it AS (PARTITION BY tracked, key)
ORDER BY tracked, key, step DESC, timestamp_ms DESC, value DESC
ON CONFLICT (tracked, key) DO UPDATE SET
  (step, timestamp_ms, value) = (SELECT * FROM (VALUES
    (latest.step, latest.timestamp_ms, latest.value),
    (excluded.step, excluded.timestamp_ms, excluded.value)) AS two (step, timestamp_ms, value)
    ORDER BY step DESC, timestamp_ms DESC, value DESC LIMIT 1),
  count = latest.count + excluded.count,
  min = least(latest.min, excluded.min),
  max = greatest(latest.max, excluded.max)
RETURNING tracked, key, count)sql"};

const Statement kPutTags = {"put tracking tags",
                            R"sql(INSERT INTO tracking_tags (tracked, key, value)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[])
ON CONFLICT (tracked, key) DO UPDATE SET value = excluded.value)sql"};
const Statement kRemoveTags = {
    "remove tracking tags",
    R"sql(DELETE FROM tracking_tags USING unnest($1::bigint[], $2::text[]) AS gone (tracked, key)
WHERE tracking_tags.tracked = gone.tracked AND tracking_tags.key = gone.key)sql"};

const Statement kUpdateTracked = {
    "update tracked run",
    R"sql(UPDATE tracked_runs SET status = coalesce($2::smallint, status),
  end_ms = coalesce($3::bigint, end_ms), name = coalesce($4::text, name),
  is_deleted = coalesce($5::smallint <> 0, is_deleted)
WHERE id = $1::bigint)sql"};

// The columns of some rows, as unnest wants them.
struct RowColumns {
  std::vector<std::int64_t> rows;
  std::vector<std::string> names;
  std::vector<std::string> texts;

  void Add(const RowKey& key, const std::string& text = "") {
    rows.push_back(key.first);
    names.push_back(key.second);
    texts.push_back(text);
  }
};

void AppendKeys(const std::vector<TrackedWrite>& writes, PgParams* params) {
  std::vector<std::string> ids;
  std::vector<std::int64_t> runs;
  std::vector<std::int64_t> indices;
  std::vector<std::int64_t> attempts;
  for (const TrackedWrite& write : writes) {
    ids.push_back(write.run.mlflow_id);
    runs.push_back(write.run.attempt.run);
    indices.push_back(write.run.attempt.index);
    attempts.push_back(write.run.attempt.attempt);
  }
  params->Texts(ids).Int64s(runs).Int32s(indices).Int32s(attempts);
}

absl::Status AddTracked(PgConnection& connection, const std::vector<TrackedWrite>& writes) {
  std::vector<int> is_child;
  std::vector<std::string> run_names;
  std::vector<std::string> step_names;
  std::vector<std::string> names;
  std::vector<std::string> experiments;
  std::vector<std::string> users;
  std::vector<int> statuses;
  std::vector<std::int64_t> starts;
  std::vector<std::int64_t> ends;
  for (const TrackedWrite& write : writes) {
    const TrackedRun& run = write.run;
    is_child.push_back(run.is_child ? 1 : 0);
    run_names.push_back(run.run_name);
    step_names.push_back(run.step_name);
    names.push_back(run.name);
    experiments.push_back(run.experiment);
    users.push_back(run.user);
    statuses.push_back(static_cast<int>(run.status));
    starts.push_back(run.start_ms);
    ends.push_back(run.end_ms);
  }
  PgParams params;
  AppendKeys(writes, &params);
  params.Int16s(is_child).Texts(run_names).Texts(step_names).Texts(names).Texts(experiments);
  params.Texts(users).Int16s(statuses).Int64s(starts).Int64s(ends);
  return connection.Run(kAddTracked, params).status();
}

// The rows of the writes' runs, in their order; 0 for those that have none.
absl::StatusOr<std::vector<std::int64_t>> FindTracked(PgConnection& connection,
                                                      const std::vector<TrackedWrite>& writes) {
  PgParams params;
  AppendKeys(writes, &params);
  POTOK_ASSIGN_OR_RETURN(const PgResult found, connection.Run(kFindTracked, params));
  std::vector<std::int64_t> rows(writes.size());
  for (int row = 0; row < found.rows(); ++row) {
    rows[static_cast<std::size_t>(found.Int(row, 0)) - 1] = found.Int(row, 1);
  }
  return rows;
}

// One transaction's work.
class TrackedTransaction {
 public:
  TrackedTransaction(PgConnection& connection, const std::vector<TrackedWrite>& writes)
      : connection_(connection), writes_(writes), written_(writes.size()) {}

  absl::StatusOr<std::vector<TrackedWritten>> Run() {
    POTOK_ASSIGN_OR_RETURN(rows_, FindTracked(connection_, writes_));
    if (std::find(rows_.begin(), rows_.end(), 0) != rows_.end()) {
      POTOK_RETURN_IF_ERROR(AddTracked(connection_, writes_));
      POTOK_ASSIGN_OR_RETURN(rows_, FindTracked(connection_, writes_));
    }
    POTOK_RETURN_IF_ERROR(AddParams());
    POTOK_RETURN_IF_ERROR(AddMetrics());
    POTOK_RETURN_IF_ERROR(PutTags());
    POTOK_RETURN_IF_ERROR(Update());
    return std::move(written_);
  }

 private:
  absl::StatusOr<std::map<RowKey, std::string>> StoredParams() {
    RowColumns wanted;
    for (std::size_t i = 0; i < writes_.size(); ++i) {
      for (const NameAndText& param : writes_[i].params) wanted.Add({rows_[i], param.name});
    }
    std::map<RowKey, std::string> stored;
    if (wanted.rows.empty()) return stored;
    POTOK_ASSIGN_OR_RETURN(
        const PgResult found,
        connection_.Run(kReadParams, PgParams().Int64s(wanted.rows).Texts(wanted.names)));
    for (int row = 0; row < found.rows(); ++row) {
      stored[{found.Int(row, 0), found.Bytes(row, 1)}] = found.Bytes(row, 2);
    }
    return stored;
  }

  // Decides which of the writes are refused, too.
  absl::Status AddParams() {
    POTOK_ASSIGN_OR_RETURN(auto stored, StoredParams());
    RowColumns added;
    for (std::size_t i = 0; i < writes_.size(); ++i) {
      const TrackedWrite& write = writes_[i];
      std::map<RowKey, std::string> of_write;
      for (const NameAndText& param : write.params) {
        const RowKey key{rows_[i], param.name};
        const auto known = stored.find(key);
        const std::string& value =
            known != stored.end() ? known->second : of_write.emplace(key, param.text).first->second;
        if (value == param.text) continue;
        // MLflow's own words (sqlalchemy_store, log_params), which programs look for.
        written_[i].status = absl::InvalidArgumentError(fmt::format(
            "Changing param values is not allowed. Param with key='{}' was already logged with "
            "value='{}' for run ID='{}'. Attempted logging new value '{}'.",
            param.name,
            value,
            write.run.mlflow_id,
            param.text));
      }
      if (!written_[i].status.ok()) continue;
      for (const auto& [key, value] : of_write) added.Add(key, value);
      stored.merge(of_write);
    }
    if (added.rows.empty()) return absl::OkStatus();
    return connection_
        .Run(kAddParams, PgParams().Int64s(added.rows).Texts(added.names).Texts(added.texts))
        .status();
  }

  absl::Status AddMetrics() {
    RowColumns added;
    std::vector<std::int64_t> steps;
    std::vector<std::int64_t> times;
    std::vector<double> values;
    for (std::size_t i = 0; i < writes_.size(); ++i) {
      if (!written_[i].status.ok()) continue;
      for (const MetricValue& metric : writes_[i].metrics) {
        added.Add({rows_[i], metric.name});
        steps.push_back(metric.step);
        times.push_back(metric.timestamp_ms);
        values.push_back(metric.value);
      }
    }
    if (added.rows.empty()) return absl::OkStatus();
    POTOK_ASSIGN_OR_RETURN(const PgResult counted,
                           connection_.Run(kAddMetrics,
                                           PgParams()
                                               .Int64s(added.rows)
                                               .Texts(added.names)
                                               .Int64s(steps)
                                               .Int64s(times)
                                               .Doubles(values)));
    std::map<RowKey, std::int64_t> counts;
    for (int row = 0; row < counted.rows(); ++row) {
      counts[{counted.Int(row, 0), counted.Bytes(row, 1)}] = counted.Int(row, 2);
    }
    NoteCounts(counts);
    return absl::OkStatus();
  }

  // The last value of a metric in these writes has the count that there is now; those before it
  // count down.
  void NoteCounts(std::map<RowKey, std::int64_t> counts) {
    for (std::size_t i = writes_.size(); i-- > 0;) {
      if (!written_[i].status.ok()) continue;
      const std::vector<MetricValue>& metrics = writes_[i].metrics;
      written_[i].counts.resize(metrics.size());
      for (std::size_t j = metrics.size(); j-- > 0;) {
        const auto left = counts.find({rows_[i], metrics[j].name});
        if (left != counts.end()) written_[i].counts[j] = left->second--;
      }
    }
  }

  absl::Status PutTags() {
    std::map<RowKey, std::optional<std::string>> tags;  // the last word on each counts
    for (std::size_t i = 0; i < writes_.size(); ++i) {
      if (!written_[i].status.ok()) continue;
      for (const NameAndText& tag : writes_[i].tags) tags[{rows_[i], tag.name}] = tag.text;
      for (const std::string& name : writes_[i].removed_tags) tags[{rows_[i], name}].reset();
    }
    RowColumns put;
    RowColumns removed;
    for (const auto& [key, value] : tags) {
      if (value.has_value()) {
        put.Add(key, *value);
      } else {
        removed.Add(key);
      }
    }
    if (!put.rows.empty()) {
      POTOK_RETURN_IF_ERROR(
          connection_.Run(kPutTags, PgParams().Int64s(put.rows).Texts(put.names).Texts(put.texts))
              .status());
    }
    if (removed.rows.empty()) return absl::OkStatus();
    return connection_.Run(kRemoveTags, PgParams().Int64s(removed.rows).Texts(removed.names))
        .status();
  }

  absl::Status Update() {
    for (std::size_t i = 0; i < writes_.size(); ++i) {
      const TrackedWrite& write = writes_[i];
      if (!written_[i].status.ok()) continue;
      if (!write.status && !write.end_ms && !write.name && !write.is_deleted) continue;
      PgParams params;
      params.Int64(rows_[i]);
      write.status ? params.Int16(static_cast<int>(*write.status)) : params.Null();
      write.end_ms ? params.Int64(*write.end_ms) : params.Null();
      write.name ? params.Bytes(*write.name) : params.Null();
      write.is_deleted ? params.Int16(*write.is_deleted ? 1 : 0) : params.Null();
      POTOK_RETURN_IF_ERROR(connection_.Run(kUpdateTracked, params).status());
    }
    return absl::OkStatus();
  }

  PgConnection& connection_;
  const std::vector<TrackedWrite>& writes_;
  std::vector<TrackedWritten> written_;
  std::vector<std::int64_t> rows_;  // of the writes' runs
};

}  // namespace

absl::StatusOr<std::vector<TrackedWritten>> WriteTracked(PgConnection& connection,
                                                         const std::vector<TrackedWrite>& writes) {
  return TrackedTransaction(connection, writes).Run();
}

}  // namespace potok::server
