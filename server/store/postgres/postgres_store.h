// The store on PostgreSQL. The only folder that knows libpq (docs/decisions/0006).
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "server/store/store.h"

namespace potok::server {

// Connects, applies the migrations (one transaction; a newer schema than ours is refused with
// FAILED_PRECONDITION) and starts the projector. `url` is a libpq connection string or
// postgresql:// URI. Passwords come from PGPASSFILE.
absl::StatusOr<StoreBundle> OpenPostgres(const std::string& url);

}  // namespace potok::server
