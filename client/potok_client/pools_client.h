// The pools of a server. Thread-safe; every call blocks. Statuses are those of pools.proto.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "potok/v1/pools.pb.h"

namespace grpc {
class Channel;
}

namespace potok::client {

class PoolsClient {
 public:
  explicit PoolsClient(const std::shared_ptr<grpc::Channel>& channel);
  ~PoolsClient();

  absl::StatusOr<v1::PutPoolResponse> Put(const v1::PutPoolRequest& request);
  absl::StatusOr<v1::Pool> Get(const std::string& name);
  absl::StatusOr<std::vector<v1::Pool>> List();
  absl::Status Delete(const std::string& name);

 private:
  class Calls;
  std::unique_ptr<Calls> calls_;
};

}  // namespace potok::client
