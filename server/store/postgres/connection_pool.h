// A few connections for statements that can be repeated.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/runtime/mutex.h"
#include "server/store/postgres/pg_connection.h"

namespace potok::server {

// Thread-safe; blocks.
class ConnectionPool {
 public:
  explicit ConnectionPool(std::string url) : url_(std::move(url)) {}

  // Calls `use` with a connection of the pool, waiting for one; once more with a new connection if
  // the pooled one was lost: so only what is harmless to do twice.
  absl::Status Use(const std::function<absl::Status(PgConnection&)>& use);
  // Runs one statement so.
  absl::StatusOr<PgResult> Query(const Statement& statement, const PgParams& params);

 private:
  // Null: no idle connection, but one may be opened.
  std::unique_ptr<PgConnection> Take();
  void Return(std::unique_ptr<PgConnection> connection);

  const std::string url_;
  Mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<PgConnection>> idle_ ABSL_GUARDED_BY(mutex_);
  int taken_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace potok::server
