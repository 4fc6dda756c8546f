// A search over what steps logged, as one statement. Pure.
#pragma once

#include "server/store/postgres/pg_connection.h"
#include "server/store/tracking_store.h"

namespace potok::server {

// "SELECT ... FROM tracked_runs t", for TrackedRunFrom.
extern const char kSelectTracked[];

// Its rows are those of kSelectTracked. Appends its parameters.
Statement SearchStatement(const TrackedSearch& search, PgParams* params);

}  // namespace potok::server
