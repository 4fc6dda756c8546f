#include "client/potok_client/notifications_client.h"

#include <grpcpp/channel.h>

#include "absl/time/clock.h"
#include "common/rpc/status.h"
#include "potok/v1/notifications.grpc.pb.h"

namespace potok::client {

absl::StatusOr<std::vector<v1::Notification>> ListNotifications(
    const std::shared_ptr<grpc::Channel>& channel, const std::string& run) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(30)));
  v1::ListNotificationsRequest request;
  request.set_run(run);
  v1::ListNotificationsResponse response;
  const absl::Status listed =
      FromGrpc(v1::Notifications::NewStub(channel)->List(&context, request, &response));
  if (absl::IsUnimplemented(listed)) return std::vector<v1::Notification>();
  if (!listed.ok()) return listed;
  return std::vector<v1::Notification>(response.notifications().begin(),
                                       response.notifications().end());
}

}  // namespace potok::client
