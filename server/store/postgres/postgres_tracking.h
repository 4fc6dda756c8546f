// What steps log, on PostgreSQL.
#pragma once

#include <memory>
#include <string>

#include "server/store/tracking_store.h"

namespace potok::server {

// On a database that OpenPostgres has opened. Connects when it is needed: one connection of its own
// for writing, a few for reading.
std::unique_ptr<TrackingStore> OpenTracking(const std::string& url);

}  // namespace potok::server
