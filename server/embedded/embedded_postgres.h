// A private PostgreSQL cluster: initdb, start, stop. Unix socket only, durable settings, never as
// root.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace potok::server {

class EmbeddedPostgres {
 public:
  // Makes the cluster under `folder` if there is none, and starts it if it does not run; a
  // postmaster that an earlier, killed server left running is taken over as it is. When started as
  // root everything of PostgreSQL's runs as an unprivileged user (`postgres`) and pg_ident maps
  // root to it. Blocks until it answers. Errors say which program failed, with the end of its log.
  static absl::StatusOr<std::unique_ptr<EmbeddedPostgres>> Start(const std::string& folder);

  // libpq connection string.
  virtual const std::string& url() const = 0;

  // Starts it again if it does not answer: its postmaster was killed, or the machine's memory ran
  // out. Cheap when it answers. Blocks as Start does.
  virtual absl::Status EnsureRunning() = 0;

  // Fast shutdown (pg_ctl -m fast), waits for it.
  virtual absl::Status Stop() = 0;

  // Leaves PostgreSQL running.
  virtual ~EmbeddedPostgres() = default;
};

}  // namespace potok::server
