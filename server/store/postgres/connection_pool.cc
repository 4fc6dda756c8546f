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

absl::StatusOr<PgResult> ConnectionPool::Query(const Statement& statement, const PgParams& params) {
  std::unique_ptr<PgConnection> connection = Take();
  absl::StatusOr<PgResult> result = absl::UnavailableError("not connected");
  if (connection != nullptr) result = connection->Run(statement, params);
  if (absl::IsUnavailable(result.status())) {
    absl::StatusOr<std::unique_ptr<PgConnection>> opened = PgConnection::Open(url_);
    if (opened.ok()) {
      connection = *std::move(opened);
      result = connection->Run(statement, params);
    } else {
      connection = nullptr;
      result = opened.status();
    }
    if (absl::IsUnavailable(result.status())) connection = nullptr;
  }
  Return(std::move(connection));
  return result;
}

}  // namespace potok::server
