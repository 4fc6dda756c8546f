#include "client/potok_client/artifacts_client.h"

#include <grpcpp/channel.h>

#include <chrono>

#include "common/base/status_macros.h"
#include "common/rpc/channel.h"
#include "common/rpc/status.h"
#include "potok/v1/artifacts.grpc.pb.h"

namespace potok::client {

absl::StatusOr<std::shared_ptr<grpc::Channel>> ArtifactChannel(
    const std::shared_ptr<grpc::Channel>& server) {
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
  v1::GetStoreResponse store;
  const absl::Status asked =
      FromGrpc(v1::Artifacts::NewStub(server)->GetStore(&context, v1::GetStoreRequest(), &store));
  // A server that knows no others is its own.
  if (absl::IsUnimplemented(asked)) return server;
  POTOK_RETURN_IF_ERROR(asked);
  return store.address().empty() ? server : MakeChannel(store.address());
}

}  // namespace potok::client
