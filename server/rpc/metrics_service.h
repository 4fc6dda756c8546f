// The Metrics service: reads what steps logged.
#pragma once

#include "potok/v1/metrics.grpc.pb.h"
#include "server/rpc/run_view.h"
#include "server/scheduler/scheduler.h"
#include "server/store/tracking_store.h"

namespace potok::server {

// Thread-safe; blocks on the database.
class MetricsService final : public v1::Metrics::Service {
 public:
  // All references outlive the service.
  MetricsService(TrackingStore& tracking,
                 RunView& view,
                 Projector& projector,
                 const Scheduler& scheduler)
      : tracking_(tracking), view_(view), projector_(projector), scheduler_(scheduler) {}

  grpc::Status List(grpc::ServerContext* context,
                    const v1::ListMetricsRequest* request,
                    v1::ListMetricsResponse* response) override;
  grpc::Status History(grpc::ServerContext* context,
                       const v1::MetricHistoryRequest* request,
                       v1::MetricHistoryResponse* response) override;

 private:
  // Something that logged, as it is shown: a reused step shows what its source logged.
  struct Shown {
    TrackedRunData data;
    std::uint32_t index = 0;
    std::string step;  // its name
    std::vector<LoggedArtifact> files;
  };
  using ShownRuns = std::vector<Shown>;

  absl::StatusOr<RunRow> FindRun(const std::string& name);
  // What all steps of a run logged, or one.
  absl::StatusOr<ShownRuns> FindShown(const RunRow& run, const std::string& step);
  absl::Status FillList(const v1::ListMetricsRequest& request, v1::ListMetricsResponse* response);
  absl::Status FillHistory(const v1::MetricHistoryRequest& request,
                           v1::MetricHistoryResponse* response);

  TrackingStore& tracking_;
  RunView& view_;
  Projector& projector_;
  const Scheduler& scheduler_;
};

}  // namespace potok::server
