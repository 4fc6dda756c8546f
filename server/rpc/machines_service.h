// The Machines service: the scheduler's own view, asked between turns, and what people say of
// machines, which the scheduler decides. Thread-safe; its calls block.
#pragma once

#include <string>
#include <vector>

#include "potok/v1/machines.grpc.pb.h"
#include "server/rpc/replies.h"
#include "server/rpc/switchboard.h"
#include "server/scheduler/scheduler.h"

namespace potok::server {

class MachinesService final : public v1::Machines::Service {
 public:
  // The references outlive this.
  MachinesService(Scheduler& scheduler,
                  Replies& replies,
                  Switchboard& switchboard,
                  const DecideOptions& options)
      : scheduler_(scheduler), replies_(replies), switchboard_(switchboard), options_(options) {}

  grpc::Status List(grpc::ServerContext* context,
                    const v1::ListMachinesRequest* request,
                    v1::ListMachinesResponse* response) override;
  grpc::Status Get(grpc::ServerContext* context,
                   const v1::GetMachineRequest* request,
                   v1::Machine* response) override;
  grpc::Status Cordon(grpc::ServerContext* context,
                      const v1::CordonMachinesRequest* request,
                      v1::MachinesResponse* response) override;
  grpc::Status Uncordon(grpc::ServerContext* context,
                        const v1::UncordonMachinesRequest* request,
                        v1::MachinesResponse* response) override;
  grpc::Status Label(grpc::ServerContext* context,
                     const v1::LabelMachinesRequest* request,
                     v1::MachinesResponse* response) override;
  grpc::Status DeclareDead(grpc::ServerContext* context,
                           const v1::DeclareDeadRequest* request,
                           v1::Machine* response) override;

 private:
  using Names = google::protobuf::RepeatedPtrField<std::string>;

  absl::StatusOr<std::vector<v1::Machine>> Machines();
  absl::StatusOr<v1::Machine> MachineNamed(const std::string& name);
  // Posts the event, whose answer is expected under that token, and waits.
  absl::Status Decide(Event event, Replies::Pending pending);
  // The machines as they are once the event is decided.
  grpc::Status DecideAndShow(Event event,
                             Replies::Pending pending,
                             const Names& names,
                             v1::MachinesResponse* response);

  Scheduler& scheduler_;
  Replies& replies_;
  Switchboard& switchboard_;
  const DecideOptions options_;
};

}  // namespace potok::server
