#include "client/potok_client/pools_client.h"

#include <grpcpp/channel.h>

#include "client/potok_client/unary_call.h"
#include "common/base/status_macros.h"
#include "potok/v1/pools.grpc.pb.h"

namespace potok::client {

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
  return CallUnary<v1::PutPoolResponse>(calls_->stub(), &v1::Pools::Stub::Put, request);
}

absl::StatusOr<v1::Pool> PoolsClient::Get(const std::string& name) {
  v1::GetPoolRequest request;
  request.set_name(name);
  return CallUnary<v1::Pool>(calls_->stub(), &v1::Pools::Stub::Get, request);
}

absl::StatusOr<std::vector<v1::Pool>> PoolsClient::List() {
  POTOK_ASSIGN_OR_RETURN(const v1::ListPoolsResponse response,
                         CallUnary<v1::ListPoolsResponse>(
                             calls_->stub(), &v1::Pools::Stub::List, v1::ListPoolsRequest()));
  return std::vector<v1::Pool>(response.pools().begin(), response.pools().end());
}

absl::Status PoolsClient::Delete(const std::string& name) {
  v1::DeletePoolRequest request;
  request.set_name(name);
  return CallUnary<v1::DeletePoolResponse>(calls_->stub(), &v1::Pools::Stub::Delete, request)
      .status();
}

}  // namespace potok::client
