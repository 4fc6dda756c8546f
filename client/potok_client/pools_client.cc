#include "client/potok_client/pools_client.h"

#include <grpcpp/channel.h>

#include "absl/time/clock.h"
#include "common/base/status_macros.h"
#include "common/rpc/status.h"
#include "potok/v1/pools.grpc.pb.h"

namespace potok::client {
namespace {

constexpr absl::Duration kPoolCallTimeout = absl::Seconds(40);

// One call of the service, with a deadline.
template <class Method, class Request, class Response>
absl::StatusOr<Response> CallPools(v1::Pools::Stub& stub,
                                   Method method,
                                   const Request& request,
                                   Response response) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + kPoolCallTimeout));
  POTOK_RETURN_IF_ERROR(FromGrpc((stub.*method)(&context, request, &response)));
  return response;
}

}  // namespace

class PoolsClient::Calls {
 public:
  explicit Calls(const std::shared_ptr<grpc::Channel>& channel)
      : stub_(v1::Pools::NewStub(channel)) {}
  v1::Pools::Stub& stub() { return *stub_; }

 private:
  std::unique_ptr<v1::Pools::Stub> stub_;
};

PoolsClient::PoolsClient(const std::shared_ptr<grpc::Channel>& channel)
    : calls_(std::make_unique<Calls>(channel)) {}
PoolsClient::~PoolsClient() = default;

absl::StatusOr<v1::PutPoolResponse> PoolsClient::Put(const v1::PutPoolRequest& request) {
  return CallPools(calls_->stub(), &v1::Pools::Stub::Put, request, v1::PutPoolResponse());
}

absl::StatusOr<v1::Pool> PoolsClient::Get(const std::string& name) {
  v1::GetPoolRequest request;
  request.set_name(name);
  return CallPools(calls_->stub(), &v1::Pools::Stub::Get, request, v1::Pool());
}

absl::StatusOr<std::vector<v1::Pool>> PoolsClient::List() {
  POTOK_ASSIGN_OR_RETURN(
      const v1::ListPoolsResponse response,
      CallPools(
          calls_->stub(), &v1::Pools::Stub::List, v1::ListPoolsRequest(), v1::ListPoolsResponse()));
  return std::vector<v1::Pool>(response.pools().begin(), response.pools().end());
}

absl::Status PoolsClient::Delete(const std::string& name) {
  v1::DeletePoolRequest request;
  request.set_name(name);
  return CallPools(calls_->stub(), &v1::Pools::Stub::Delete, request, v1::DeletePoolResponse())
      .status();
}

}  // namespace potok::client
