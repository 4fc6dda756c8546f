#include "server/rpc/notifications_service.h"

#include "common/pipeline/webhooks.h"
#include "common/rpc/status.h"

namespace potok::server {

namespace {

// Without the secrets of its address.
v1::Notification NotificationOf(const Delivery& delivery) {
  v1::Notification out;
  out.set_id(delivery.id);
  const Receiver& receiver = delivery.receiver;
  out.set_receiver(static_cast<v1::Notification::Receiver>(receiver.kind));
  out.set_address(receiver.kind == ReceiverKind::kCommand ? receiver.address
                                                          : WithoutSecrets(receiver.address));
  out.set_state(static_cast<v1::Notification::State>(delivery.state));
  out.set_tries(static_cast<std::int32_t>(delivery.tries));
  out.set_last_error(delivery.last_error);
  if (delivery.state == DeliveryState::kWaiting) {
    out.set_next_try_us(absl::ToUnixMicros(delivery.next_try));
  } else {
    out.set_finished_us(absl::ToUnixMicros(delivery.finished));
  }
  return out;
}

}  // namespace

grpc::Status NotificationsService::List(grpc::ServerContext* /*context*/,
                                        const v1::ListNotificationsRequest* request,
                                        v1::ListNotificationsResponse* response) {
  const auto run = reader_.GetRun(request->run());
  if (!run.ok()) return ToGrpc(run.status());
  const auto deliveries = store_.OfRun(run->added.id);
  if (!deliveries.ok()) return ToGrpc(deliveries.status());
  for (const Delivery& delivery : *deliveries) {
    *response->add_notifications() = NotificationOf(delivery);
  }
  return grpc::Status::OK;
}

}  // namespace potok::server
