#include "client/potok_client/admin_client.h"

#include <grpcpp/channel.h>

#include "absl/time/clock.h"
#include "common/base/status_macros.h"
#include "common/rpc/status.h"
#include "potok/v1/admin.grpc.pb.h"

namespace potok::client {

absl::StatusOr<std::string> CreateWebLink(const std::shared_ptr<grpc::Channel>& channel) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(30)));
  v1::CreateWebLinkResponse response;
  POTOK_RETURN_IF_ERROR(FromGrpc(
      v1::Admin::NewStub(channel)->CreateWebLink(&context, v1::CreateWebLinkRequest(), &response)));
  return response.url();
}

}  // namespace potok::client
