// The Machines service: the scheduler's own view, asked between turns.
#pragma once

#include "potok/v1/machines.grpc.pb.h"
#include "server/rpc/switchboard.h"
#include "server/scheduler/scheduler.h"

namespace potok::server {

class MachinesService final : public v1::Machines::Service {
 public:
  // Both outlive this.
  MachinesService(Scheduler& scheduler, Switchboard& switchboard)
      : scheduler_(scheduler), switchboard_(switchboard) {}

  grpc::Status List(grpc::ServerContext* context,
                    const v1::ListMachinesRequest* request,
                    v1::ListMachinesResponse* response) override;
  grpc::Status Get(grpc::ServerContext* context,
                   const v1::GetMachineRequest* request,
                   v1::Machine* response) override;

 private:
  absl::StatusOr<std::vector<v1::Machine>> Machines();

  Scheduler& scheduler_;
  Switchboard& switchboard_;
};

}  // namespace potok::server
