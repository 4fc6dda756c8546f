#include "server/rpc/metrics_service.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "common/base/status_macros.h"
#include "common/rpc/status.h"
#include "fmt/format.h"
#include "server/tracking/tracked_run.h"

namespace potok::server {

namespace {

constexpr std::int64_t kPageDefault = 10'000;
constexpr std::int64_t kPageMax = 100'000;

v1::Metric MetricProto(const MetricSummary& metric) {
  v1::Metric out;
  out.set_name(metric.latest.name);
  out.set_value(metric.latest.value);
  out.set_step(metric.latest.step);
  out.set_time_us(metric.latest.timestamp_ms * 1000);
  out.set_count(metric.count);
  out.set_min(metric.min);
  out.set_max(metric.max);
  return out;
}

v1::TrackedRun TrackedProto(const TrackedRunData& data) {
  v1::TrackedRun out;
  const TrackedRun& run = data.run;
  out.set_step(run.step_name);
  out.set_index(static_cast<std::int32_t>(run.attempt.index));
  out.set_attempt(static_cast<std::int32_t>(run.attempt.attempt));
  out.set_run_id(run.mlflow_id);
  out.set_name(run.name);
  out.set_is_child(run.is_child);
  out.set_status(NameOf(run.status));
  out.set_experiment_name(run.experiment);
  out.set_started_us(run.start_ms * 1000);
  out.set_ended_us(run.end_ms * 1000);
  for (const MetricSummary& metric : data.metrics) *out.add_metrics() = MetricProto(metric);
  for (const NameAndText& param : data.params) (*out.mutable_params())[param.name] = param.text;
  for (const NameAndText& tag : data.tags) {
    if (!IsHiddenTag(tag.name)) (*out.mutable_tags())[tag.name] = tag.text;
  }
  return out;
}

// The latest attempt of each step.
std::map<std::uint32_t, std::uint32_t> LatestAttempts(const std::vector<TrackedRunData>& runs) {
  std::map<std::uint32_t, std::uint32_t> latest;
  for (const TrackedRunData& data : runs) {
    std::uint32_t& attempt = latest[data.run.attempt.index];
    attempt = std::max(attempt, data.run.attempt.attempt);
  }
  return latest;
}

}  // namespace

absl::StatusOr<RunRow> MetricsService::FindRun(const std::string& name) {
  const absl::Status shown =
      projector_.WaitFor(scheduler_.committed_revision(), absl::Seconds(10), Haste::kNow);
  if (!shown.ok()) {
    return absl::UnavailableError("the tables are behind the journal; try again in a few seconds");
  }
  return view_.reader().GetRun(name);
}

absl::Status MetricsService::FillList(const v1::ListMetricsRequest& request,
                                      v1::ListMetricsResponse* response) {
  POTOK_ASSIGN_OR_RETURN(const RunRow run, FindRun(request.name()));
  std::optional<std::uint32_t> index;
  if (!request.step().empty()) {
    POTOK_ASSIGN_OR_RETURN(const auto steps, view_.FindSteps(run, request.step(), {}));
    index = steps.front().first;
  }
  POTOK_ASSIGN_OR_RETURN(const std::vector<TrackedRunData> tracked, tracking_.OfRun(run.added.id));
  const std::map<std::uint32_t, std::uint32_t> latest = LatestAttempts(tracked);
  for (const TrackedRunData& data : tracked) {
    const AttemptKey& attempt = data.run.attempt;
    if (index.has_value() && attempt.index != *index) continue;
    if (data.run.is_deleted) continue;
    if (!request.all_attempts() && latest.at(attempt.index) != attempt.attempt) continue;
    v1::TrackedRun& added = *response->add_runs();
    added = TrackedProto(data);
    POTOK_ASSIGN_OR_RETURN(const std::vector<LoggedArtifact> files,
                           tracking_.ListArtifacts(HolderOf(data.run), ""));
    for (const LoggedArtifact& file : files) {
      v1::LoggedFile& to = *added.add_files();
      to.set_path(file.path);
      to.mutable_digest()->set_hash(file.digest.Hex());
      to.mutable_digest()->set_size_bytes(file.digest.size_bytes);
    }
  }
  return absl::OkStatus();
}

absl::Status MetricsService::FillHistory(const v1::MetricHistoryRequest& request,
                                         v1::MetricHistoryResponse* response) {
  if (request.metric().empty()) return absl::InvalidArgumentError("metric: name one");
  if (request.page_size() < 0 || request.page_size() > kPageMax || request.offset() < 0) {
    return absl::InvalidArgumentError(
        fmt::format("page_size is 1 to {}, and offset at least 0", kPageMax));
  }
  POTOK_ASSIGN_OR_RETURN(const RunRow run, FindRun(request.name()));
  POTOK_ASSIGN_OR_RETURN(const auto steps, view_.FindSteps(run, request.step(), {}));
  POTOK_ASSIGN_OR_RETURN(const std::vector<TrackedRunData> tracked, tracking_.OfRun(run.added.id));
  const TrackedRunData* found = nullptr;
  std::set<std::string> known;
  for (const TrackedRunData& data : tracked) {
    if (data.run.attempt.index != steps.front().first) continue;
    const auto attempt = static_cast<std::int32_t>(data.run.attempt.attempt);
    if (request.attempt() != 0 && request.attempt() != attempt) continue;
    const bool is_asked =
        request.run_id().empty() ? !data.run.is_child : data.run.mlflow_id == request.run_id();
    if (!is_asked) continue;
    found = &data;  // of several attempts the last
  }
  if (found != nullptr) {
    for (const MetricSummary& metric : found->metrics) known.insert(metric.latest.name);
  }
  if (!known.contains(request.metric())) {
    return absl::NotFoundError(fmt::format("the step '{}' of run '{}' has logged no metric '{}'{}",
                                           steps.front().second,
                                           request.name(),
                                           request.metric(),
                                           known.empty() ? "; it has logged none" : ""));
  }
  const std::int64_t limit = request.page_size() == 0 ? kPageDefault : request.page_size();
  POTOK_ASSIGN_OR_RETURN(const std::vector<MetricValue> values,
                         tracking_.History({found->run.mlflow_id, found->run.attempt},
                                           request.metric(),
                                           request.offset(),
                                           limit + 1));
  for (const MetricValue& value : values) {
    if (response->points_size() == limit) {
      response->set_has_more(true);
      break;
    }
    v1::MetricPoint& point = *response->add_points();
    point.set_value(value.value);
    point.set_step(value.step);
    point.set_time_us(value.timestamp_ms * 1000);
  }
  return absl::OkStatus();
}

grpc::Status MetricsService::List(grpc::ServerContext* /*context*/,
                                  const v1::ListMetricsRequest* request,
                                  v1::ListMetricsResponse* response) {
  return ToGrpc(FillList(*request, response));
}

grpc::Status MetricsService::History(grpc::ServerContext* /*context*/,
                                     const v1::MetricHistoryRequest* request,
                                     v1::MetricHistoryResponse* response) {
  return ToGrpc(FillHistory(*request, response));
}

}  // namespace potok::server
