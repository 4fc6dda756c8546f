#include "server/rpc/metrics_service.h"

#include <algorithm>
#include <map>
#include <utility>

#include "common/base/status_macros.h"
#include "common/rpc/status.h"
#include "fmt/format.h"
#include "server/tracking/tracked_run.h"

namespace potok::server {

namespace {

constexpr std::int64_t kPointsDefault = 10'000;
constexpr std::int64_t kPointsMax = 100'000;

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

// What the runs of one of Potok's runs logged, by the attempts that they go with.
struct LoggedByAttempt {
  std::map<AttemptKey, std::vector<TrackedRunData>> runs;
  std::map<std::string, std::vector<LoggedArtifact>> files;  // by holder
};

absl::StatusOr<LoggedByAttempt> ReadLogged(TrackingStore& tracking, RunId run) {
  LoggedByAttempt logged;
  POTOK_ASSIGN_OR_RETURN(std::vector<TrackedRunData> runs, tracking.OfRun(run));
  for (TrackedRunData& data : runs) {
    if (!data.run.is_deleted) logged.runs[data.run.attempt].push_back(std::move(data));
  }
  POTOK_ASSIGN_OR_RETURN(std::vector<LoggedArtifact> files, tracking.ArtifactsOf(run));
  for (LoggedArtifact& file : files) logged.files[file.holder].push_back(std::move(file));
  return logged;
}

// Of each reused step, whose result it took.
absl::StatusOr<std::map<std::uint32_t, AttemptKey>> SourcesOf(RunView& view, const RunRow& run) {
  std::map<std::uint32_t, AttemptKey> sources;
  POTOK_ASSIGN_OR_RETURN(const std::vector<StepRow> steps, view.StepsOf(run));
  for (const StepRow& step : steps) {
    const auto* succeeded = std::get_if<Succeeded>(&step.state);
    if (succeeded != nullptr && succeeded->reused.has_value()) {
      sources[step.index] = succeeded->reused->from;
    }
  }
  return sources;
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

absl::StatusOr<MetricsService::ShownRuns> MetricsService::FindShown(const RunRow& run,
                                                                    const std::string& step) {
  std::vector<std::string> all;
  if (step.empty()) all.emplace_back("*");
  POTOK_ASSIGN_OR_RETURN(const auto steps, view_.FindSteps(run, step, all));
  POTOK_ASSIGN_OR_RETURN(const auto sources, SourcesOf(view_, run));
  std::map<RunId, LoggedByAttempt> logged;
  ShownRuns shown;
  for (const auto& [index, name] : steps) {
    const auto source = sources.find(index);
    const RunId of = source == sources.end() ? run.added.id : source->second.run;
    if (!logged.contains(of)) {
      POTOK_ASSIGN_OR_RETURN(logged[of], ReadLogged(tracking_, of));
    }
    const LoggedByAttempt& found = logged[of];
    // Own ones are all attempts of the step.
    AttemptKey from{of, index, 0};
    AttemptKey to{of, index + 1, 0};
    if (source != sources.end()) {
      from = to = source->second;
      ++to.attempt;
    }
    for (auto at = found.runs.lower_bound(from); at != found.runs.lower_bound(to); ++at) {
      for (const TrackedRunData& data : at->second) {
        const auto files = found.files.find(HolderOf(data.run));
        shown.push_back(
            {data,
             index,
             name,
             files == found.files.end() ? std::vector<LoggedArtifact>() : files->second});
      }
    }
  }
  return shown;
}

absl::Status MetricsService::FillList(const v1::ListMetricsRequest& request,
                                      v1::ListMetricsResponse* response) {
  POTOK_ASSIGN_OR_RETURN(const RunRow run, FindRun(request.name()));
  POTOK_ASSIGN_OR_RETURN(const ShownRuns shown, FindShown(run, request.step()));
  std::map<std::uint32_t, std::uint32_t> latest;  // attempt of each step
  for (const Shown& one : shown) latest[one.index] = one.data.run.attempt.attempt;
  for (const Shown& one : shown) {
    if (!request.all_attempts() && latest[one.index] != one.data.run.attempt.attempt) continue;
    v1::TrackedRun& added = *response->add_runs();
    added = TrackedProto(one.data);
    added.set_index(static_cast<std::int32_t>(one.index));
    added.set_step(one.step);
    for (const LoggedArtifact& file : one.files) {
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
  if (request.page_size() < 0 || request.page_size() > kPointsMax || request.offset() < 0) {
    return absl::InvalidArgumentError(
        fmt::format("page_size is 1 to {}, and offset at least 0", kPointsMax));
  }
  POTOK_ASSIGN_OR_RETURN(const RunRow run, FindRun(request.name()));
  POTOK_ASSIGN_OR_RETURN(const auto steps, view_.FindSteps(run, request.step(), {}));
  const std::string& step = steps.front().second;
  POTOK_ASSIGN_OR_RETURN(const ShownRuns shown, FindShown(run, step));
  const Shown* found = nullptr;
  for (const Shown& one : shown) {
    const auto attempt = static_cast<std::int32_t>(one.data.run.attempt.attempt);
    if (request.attempt() != 0 && request.attempt() != attempt) continue;
    const bool is_asked = request.run_id().empty() ? !one.data.run.is_child
                                                   : one.data.run.mlflow_id == request.run_id();
    if (is_asked) found = &one;  // of several attempts the last
  }
  const auto is_it = [&](const MetricSummary& metric) {
    return metric.latest.name == request.metric();
  };
  if (found == nullptr || std::ranges::none_of(found->data.metrics, is_it)) {
    return absl::NotFoundError(
        fmt::format("the step '{}' of run '{}' has logged no metric '{}'; `potok job metrics` "
                    "shows those it has",
                    step,
                    request.name(),
                    request.metric()));
  }
  const std::int64_t limit = request.page_size() == 0 ? kPointsDefault : request.page_size();
  const TrackedRun& tracked = found->data.run;
  POTOK_ASSIGN_OR_RETURN(
      const std::vector<MetricValue> values,
      tracking_.History(
          {tracked.mlflow_id, tracked.attempt}, request.metric(), request.offset(), limit + 1));
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
