// The Teams service: the scheduler's own view, asked between turns, and its decisions on edits.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "potok/v1/teams.grpc.pb.h"
#include "server/rpc/replies.h"
#include "server/scheduler/scheduler.h"

namespace potok::server {

class TeamsService final : public v1::Teams::Service {
 public:
  // Both outlive this.
  TeamsService(Scheduler& scheduler, Replies& replies) : scheduler_(scheduler), replies_(replies) {}

  grpc::Status List(grpc::ServerContext* context,
                    const v1::ListTeamsRequest* request,
                    v1::ListTeamsResponse* response) override;
  grpc::Status Get(grpc::ServerContext* context,
                   const v1::GetTeamRequest* request,
                   v1::Team* response) override;
  grpc::Status Create(grpc::ServerContext* context,
                      const v1::EditTeamRequest* request,
                      v1::Team* response) override;
  grpc::Status Update(grpc::ServerContext* context,
                      const v1::EditTeamRequest* request,
                      v1::Team* response) override;
  grpc::Status Delete(grpc::ServerContext* context,
                      const v1::DeleteTeamRequest* request,
                      v1::DeleteTeamResponse* response) override;

 private:
  absl::StatusOr<std::vector<v1::Team>> Teams();
  absl::StatusOr<v1::Team> Find(const std::string& name);
  absl::Status Order(TeamEdited edited);

  Scheduler& scheduler_;
  Replies& replies_;
};

}  // namespace potok::server
