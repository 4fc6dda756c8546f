// The Pools service: what is registered, which the scheduler decides, and what pools hold now.
// Thread-safe; its calls block.
#pragma once

#include <string>
#include <vector>

#include "potok/v1/pools.grpc.pb.h"
#include "server/rpc/replies.h"
#include "server/scheduler/scheduler.h"

namespace potok::server {

class PoolsService final : public v1::Pools::Service {
 public:
  // The references outlive this.
  PoolsService(Scheduler& scheduler, Replies& replies, const DecideOptions& options)
      : scheduler_(scheduler), replies_(replies), options_(options) {}

  grpc::Status Put(grpc::ServerContext* context,
                   const v1::PutPoolRequest* request,
                   v1::PutPoolResponse* response) override;
  grpc::Status Get(grpc::ServerContext* context,
                   const v1::GetPoolRequest* request,
                   v1::Pool* response) override;
  grpc::Status List(grpc::ServerContext* context,
                    const v1::ListPoolsRequest* request,
                    v1::ListPoolsResponse* response) override;
  grpc::Status Delete(grpc::ServerContext* context,
                      const v1::DeletePoolRequest* request,
                      v1::DeletePoolResponse* response) override;

 private:
  // All of them as they are now; of one name only if that is not empty: NOT_FOUND.
  absl::StatusOr<std::vector<v1::Pool>> AskPools(const std::string& name);
  // Posts the event, whose answer is expected under that token, and waits.
  absl::StatusOr<std::string> Decide(Event event, Replies::Pending pending);

  Scheduler& scheduler_;
  Replies& replies_;
  const DecideOptions options_;
};

}  // namespace potok::server
