#include "server/store/postgres/connection_pool.h"

#include <utility>

namespace potok::server {

namespace {

constexpr int kConnectionsMax = 4;

}  // namespace

std::unique_ptr<PgConnection> ConnectionPool::Take() {
  MutexLock lock(mutex_);
  while (taken_ == kConnectionsMax) returned_.wait(lock.native());
  ++taken_;
  if (idle_.empty()) return nullptr;
  std::unique_ptr<PgConnection> connection = std::move(idle_.back());
  idle_.pop_back();
  return connection;
}

void ConnectionPool::Return(std::unique_ptr<PgConnection> connection) {
  {
    MutexLock lock(mutex_);
    --taken_;
    if (connection != nullptr) idle_.push_back(std::move(connection));
  }
  returned_.notify_one();
}

absl::Status ConnectionPool::Use(const std::function<absl::Status(PgConnection&)>& use) {
  std::unique_ptr<PgConnection> connection = Take();
  absl::Status status = absl::UnavailableError("not connected");
  if (connection != nullptr) status = use(*connection);
  if (absl::IsUnavailable(status)) {
    absl::StatusOr<std::unique_ptr<PgConnection>> opened = PgConnection::Open(url_);
    if (opened.ok()) {
      connection = *std::move(opened);
      status = use(*connection);
    } else {
      connection = nullptr;
      status = opened.status();
    }
    if (absl::IsUnavailable(status)) connection = nullptr;
  }
  Return(std::move(connection));
  return status;
}

absl::StatusOr<PgResult> ConnectionPool::Query(const Statement& statement, const PgParams& params) {
  absl::StatusOr<PgResult> result = absl::UnavailableError("not connected");
  const absl::Status used = Use([&](PgConnection& connection) {
    result = connection.Run(statement, params);
    return result.status();
  });
  if (!used.ok()) return used;
  return result;
}

}  // namespace potok::server
