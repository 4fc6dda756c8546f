// The machines of a server. Thread-safe; every call blocks.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "potok/v1/machines.pb.h"

namespace grpc {
class Channel;
}

namespace potok::client {

class MachinesClient {
 public:
  explicit MachinesClient(const std::shared_ptr<grpc::Channel>& channel);
  ~MachinesClient();

  absl::StatusOr<std::vector<v1::Machine>> List(absl::Duration timeout = absl::Seconds(30));
  absl::StatusOr<v1::Machine> Get(const std::string& name);
  // The machines as they are then.
  absl::StatusOr<v1::MachinesResponse> Cordon(const v1::CordonMachinesRequest& request);
  absl::StatusOr<v1::MachinesResponse> Uncordon(const v1::UncordonMachinesRequest& request);
  absl::StatusOr<v1::MachinesResponse> Label(const v1::LabelMachinesRequest& request);
  absl::StatusOr<v1::Machine> DeclareDead(const std::string& name);

 private:
  class Calls;
  std::unique_ptr<Calls> calls_;
};

}  // namespace potok::client
