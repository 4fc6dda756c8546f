// What the steps of runs logged. Thread-safe; every call blocks.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "potok/v1/metrics.pb.h"

namespace grpc {
class Channel;
}

namespace potok::client {

class MetricsClient {
 public:
  explicit MetricsClient(const std::shared_ptr<grpc::Channel>& channel);
  ~MetricsClient();

  absl::StatusOr<v1::ListMetricsResponse> List(const v1::ListMetricsRequest& request);
  // All pages from the offset on.
  absl::StatusOr<v1::MetricHistoryResponse> History(v1::MetricHistoryRequest request);

 private:
  class Calls;
  std::unique_ptr<Calls> calls_;
};

}  // namespace potok::client
