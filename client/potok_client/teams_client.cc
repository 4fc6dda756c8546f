#include "client/potok_client/teams_client.h"

#include <grpcpp/channel.h>

#include "common/base/status_macros.h"
#include "common/rpc/status.h"
#include "potok/v1/teams.grpc.pb.h"

namespace potok::client {

namespace {

void GiveTeamsTime(absl::Duration timeout, grpc::ClientContext* context) {
  context->set_deadline(absl::ToChronoTime(absl::Now() + timeout));
}

}  // namespace

class TeamsClient::Calls {
 public:
  explicit Calls(const std::shared_ptr<grpc::Channel>& channel)
      : stub_(v1::Teams::NewStub(channel)) {}
  v1::Teams::Stub& stub() { return *stub_; }

 private:
  std::unique_ptr<v1::Teams::Stub> stub_;
};

TeamsClient::TeamsClient(const std::shared_ptr<grpc::Channel>& channel)
    : calls_(std::make_unique<Calls>(channel)) {}
TeamsClient::~TeamsClient() = default;

absl::StatusOr<std::vector<v1::Team>> TeamsClient::List(absl::Duration timeout) {
  grpc::ClientContext context;
  GiveTeamsTime(timeout, &context);
  v1::ListTeamsResponse response;
  POTOK_RETURN_IF_ERROR(FromGrpc(calls_->stub().List(&context, v1::ListTeamsRequest(), &response)));
  return std::vector<v1::Team>(response.teams().begin(), response.teams().end());
}

absl::StatusOr<v1::Team> TeamsClient::Get(const std::string& name) {
  grpc::ClientContext context;
  GiveTeamsTime(absl::Seconds(30), &context);
  v1::GetTeamRequest request;
  request.set_name(name);
  v1::Team team;
  POTOK_RETURN_IF_ERROR(FromGrpc(calls_->stub().Get(&context, request, &team)));
  return team;
}

absl::StatusOr<v1::Team> TeamsClient::Create(const v1::EditTeamRequest& request) {
  grpc::ClientContext context;
  GiveTeamsTime(absl::Seconds(60), &context);
  v1::Team team;
  POTOK_RETURN_IF_ERROR(FromGrpc(calls_->stub().Create(&context, request, &team)));
  return team;
}

absl::StatusOr<v1::Team> TeamsClient::Update(const v1::EditTeamRequest& request) {
  grpc::ClientContext context;
  GiveTeamsTime(absl::Seconds(60), &context);
  v1::Team team;
  POTOK_RETURN_IF_ERROR(FromGrpc(calls_->stub().Update(&context, request, &team)));
  return team;
}

absl::Status TeamsClient::Delete(const std::string& name) {
  grpc::ClientContext context;
  GiveTeamsTime(absl::Seconds(60), &context);
  v1::DeleteTeamRequest request;
  request.set_name(name);
  v1::DeleteTeamResponse response;
  return FromGrpc(calls_->stub().Delete(&context, request, &response));
}

}  // namespace potok::client
