// Keeps an embedded PostgreSQL running while the server runs.
#pragma once

#include <condition_variable>
#include <thread>

#include "absl/time/time.h"
#include "common/runtime/mutex.h"
#include "server/embedded/embedded_postgres.h"

namespace potok::server {

// Looks on a thread of its own; starts PostgreSQL again within about `interval` of its end.
class PostgresWatch {
 public:
  // `postgres` outlives the watch.
  explicit PostgresWatch(EmbeddedPostgres& postgres, absl::Duration interval = absl::Seconds(1));
  // Ends the watch; waits for a start in progress.
  ~PostgresWatch();
  PostgresWatch(const PostgresWatch&) = delete;
  PostgresWatch& operator=(const PostgresWatch&) = delete;

 private:
  void Run();

  EmbeddedPostgres& postgres_;
  const absl::Duration interval_;
  Mutex mutex_;
  std::condition_variable stopped_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last: it uses the rest
};

}  // namespace potok::server
