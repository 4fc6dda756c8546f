// The teams of a server. Thread-safe; every call blocks. Errors are those of potok.v1.Teams.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "potok/v1/teams.pb.h"

namespace grpc {
class Channel;
}

namespace potok::client {

class TeamsClient {
 public:
  explicit TeamsClient(const std::shared_ptr<grpc::Channel>& channel);
  ~TeamsClient();

  absl::StatusOr<std::vector<v1::Team>> List(absl::Duration timeout = absl::Seconds(30));
  absl::StatusOr<v1::Team> Get(const std::string& name);
  absl::StatusOr<v1::Team> Create(const v1::EditTeamRequest& request);
  absl::StatusOr<v1::Team> Update(const v1::EditTeamRequest& request);
  absl::Status Delete(const std::string& name);

 private:
  class Calls;
  std::unique_ptr<Calls> calls_;
};

}  // namespace potok::client
