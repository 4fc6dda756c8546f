// Who was told that a run has ended. Thread-safe; blocks on the database.
#pragma once

#include <grpcpp/grpcpp.h>

#include "potok/v1/notifications.grpc.pb.h"
#include "server/store/notification_store.h"
#include "server/store/store.h"

namespace potok::server {

class NotificationsService final : public v1::Notifications::Service {
 public:
  // Both outlive this.
  NotificationsService(Reader& reader, NotificationStore& store) : reader_(reader), store_(store) {}

  grpc::Status List(grpc::ServerContext* context,
                    const v1::ListNotificationsRequest* request,
                    v1::ListNotificationsResponse* response) override;

 private:
  Reader& reader_;
  NotificationStore& store_;
};

}  // namespace potok::server
