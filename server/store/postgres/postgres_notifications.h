// The NotificationStore on PostgreSQL, of a database whose schema is made (postgres_store.h).
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "server/store/notification_store.h"
#include "server/store/postgres/connection_pool.h"

namespace potok::server {

class PostgresNotifications final : public NotificationStore {
 public:
  explicit PostgresNotifications(std::string url) : pool_(std::move(url)) {}

  absl::StatusOr<std::vector<std::int64_t>> Begin(const std::vector<Receiver>& receivers) override;
  absl::StatusOr<std::vector<EndedRun>> Ended(int limit) override;
  absl::Status Settle(RunId run, const std::vector<Delivery>& deliveries) override;
  absl::StatusOr<std::vector<Delivery>> Due(absl::Time now,
                                            const std::vector<Receiver>& busy,
                                            int limit) override;
  absl::StatusOr<absl::Time> NextDue() override;
  absl::Status Put(const Delivery& delivery) override;
  absl::StatusOr<std::vector<Delivery>> OfRun(RunId run) override;
  absl::Status DeleteFinished(absl::Time before) override;

 private:
  // What it does is harmless to do twice, as the pool asks.
  ConnectionPool pool_;
};

}  // namespace potok::server
