#include "server/embedded/postgres_watch.h"

#include <spdlog/spdlog.h>

#include "common/runtime/logging.h"

namespace potok::server {

PostgresWatch::PostgresWatch(EmbeddedPostgres& postgres, absl::Duration interval)
    : postgres_(postgres), interval_(interval), thread_([this] { Run(); }) {}

PostgresWatch::~PostgresWatch() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    stopped_.notify_all();
  }
  thread_.join();
}

void PostgresWatch::Run() {
  NameThread("postgres-watch");
  while (true) {
    {
      MutexLock lock(mutex_);
      if (!stopping_) stopped_.wait_for(lock.native(), absl::ToChronoMilliseconds(interval_));
      if (stopping_) return;
    }
    if (absl::Status status = postgres_.EnsureRunning(); !status.ok()) {
      spdlog::error("PostgreSQL does not run and cannot be started: {}", status.ToString());
    }
  }
}

}  // namespace potok::server
