// gRPC alone, without a server behind it: what its streams can do at best on this machine.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace grpc {
class Channel;
}

namespace potok::bench {

class ReferenceServer {
 public:
  // Serves at a unix socket in `folder`, in this process. UNAVAILABLE.
  static absl::StatusOr<std::unique_ptr<ReferenceServer>> Start(const std::string& folder);
  ~ReferenceServer();
  ReferenceServer(const ReferenceServer&) = delete;
  ReferenceServer& operator=(const ReferenceServer&) = delete;

  // From the call to the last byte of one server stream of messages of 64 KiB, in us.
  absl::StatusOr<double> Stream(std::int64_t bytes);
  // Round trips on one bidirectional stream, in us each.
  absl::StatusOr<std::vector<double>> RoundTrips(int count);

 private:
  class Service;
  ReferenceServer();
  std::unique_ptr<Service> service_;
  std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace potok::bench
