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

absl::StatusOr<v1::CollectGarbageProgress> CollectGarbage(
    const std::shared_ptr<grpc::Channel>& channel,
    const v1::CollectGarbageRequest& request,
    const std::function<void(const v1::CollectGarbageProgress&)>& said,
    const std::stop_token& stop) {
  const auto stub = v1::Admin::NewStub(channel);
  grpc::ClientContext context;
  const std::stop_callback cancel(stop, [&context] { context.TryCancel(); });
  const auto stream = stub->CollectGarbage(&context, request);
  v1::CollectGarbageProgress last;
  while (stream->Read(&last)) said(last);
  POTOK_RETURN_IF_ERROR(FromGrpc(stream->Finish()));
  if (!last.done()) return absl::DataLossError("the server did not say what it freed");
  return last;
}

}  // namespace potok::client
