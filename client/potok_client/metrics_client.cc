#include "client/potok_client/metrics_client.h"

#include <grpcpp/channel.h>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/base/status_macros.h"
#include "common/rpc/status.h"
#include "potok/v1/metrics.grpc.pb.h"

namespace potok::client {

namespace {

void SetMetricsDeadline(grpc::ClientContext& context) {
  context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(60)));
}

}  // namespace

class MetricsClient::Calls {
 public:
  explicit Calls(const std::shared_ptr<grpc::Channel>& channel)
      : stub_(v1::Metrics::NewStub(channel)) {}
  v1::Metrics::Stub& stub() { return *stub_; }

 private:
  std::unique_ptr<v1::Metrics::Stub> stub_;
};

MetricsClient::MetricsClient(const std::shared_ptr<grpc::Channel>& channel)
    : calls_(std::make_unique<Calls>(channel)) {}
MetricsClient::~MetricsClient() = default;

absl::StatusOr<v1::ListMetricsResponse> MetricsClient::List(const v1::ListMetricsRequest& request) {
  grpc::ClientContext context;
  SetMetricsDeadline(context);
  v1::ListMetricsResponse response;
  POTOK_RETURN_IF_ERROR(FromGrpc(calls_->stub().List(&context, request, &response)));
  return response;
}

absl::StatusOr<v1::MetricHistoryResponse> MetricsClient::History(v1::MetricHistoryRequest request) {
  v1::MetricHistoryResponse all;
  bool has_more = true;
  while (has_more) {
    grpc::ClientContext context;
    SetMetricsDeadline(context);
    v1::MetricHistoryResponse page;
    POTOK_RETURN_IF_ERROR(FromGrpc(calls_->stub().History(&context, request, &page)));
    all.mutable_points()->MergeFrom(page.points());
    request.set_offset(request.offset() + page.points_size());
    has_more = page.has_more();
  }
  return all;
}

}  // namespace potok::client
