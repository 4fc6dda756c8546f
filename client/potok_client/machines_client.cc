#include "client/potok_client/machines_client.h"

#include <grpcpp/channel.h>

#include "client/potok_client/unary_call.h"
#include "common/base/status_macros.h"
#include "common/rpc/status.h"
#include "potok/v1/machines.grpc.pb.h"

namespace potok::client {

class MachinesClient::Calls {
 public:
  explicit Calls(const std::shared_ptr<grpc::Channel>& channel)
      : stub_(v1::Machines::NewStub(channel)) {}
  v1::Machines::Stub& stub() { return *stub_; }

 private:
  std::unique_ptr<v1::Machines::Stub> stub_;
};

MachinesClient::MachinesClient(const std::shared_ptr<grpc::Channel>& channel)
    : calls_(std::make_unique<Calls>(channel)) {}
MachinesClient::~MachinesClient() = default;

absl::StatusOr<std::vector<v1::Machine>> MachinesClient::List(absl::Duration timeout) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
  v1::ListMachinesResponse response;
  POTOK_RETURN_IF_ERROR(
      FromGrpc(calls_->stub().List(&context, v1::ListMachinesRequest(), &response)));
  return std::vector<v1::Machine>(response.machines().begin(), response.machines().end());
}

absl::StatusOr<v1::Machine> MachinesClient::Get(const std::string& name) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(30)));
  v1::GetMachineRequest request;
  request.set_name(name);
  v1::Machine machine;
  POTOK_RETURN_IF_ERROR(FromGrpc(calls_->stub().Get(&context, request, &machine)));
  return machine;
}

absl::StatusOr<v1::MachinesResponse> MachinesClient::Cordon(
    const v1::CordonMachinesRequest& request) {
  return CallUnary<v1::MachinesResponse>(calls_->stub(), &v1::Machines::Stub::Cordon, request);
}

absl::StatusOr<v1::MachinesResponse> MachinesClient::Uncordon(
    const v1::UncordonMachinesRequest& request) {
  return CallUnary<v1::MachinesResponse>(calls_->stub(), &v1::Machines::Stub::Uncordon, request);
}

absl::StatusOr<v1::MachinesResponse> MachinesClient::Label(
    const v1::LabelMachinesRequest& request) {
  return CallUnary<v1::MachinesResponse>(calls_->stub(), &v1::Machines::Stub::Label, request);
}

absl::StatusOr<v1::Machine> MachinesClient::DeclareDead(const std::string& name) {
  v1::DeclareDeadRequest request;
  request.set_name(name);
  return CallUnary<v1::Machine>(calls_->stub(), &v1::Machines::Stub::DeclareDead, request);
}

}  // namespace potok::client
