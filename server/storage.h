// What owns the server's data: PostgreSQL, blobs, datastores, logs.
#pragma once

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/cas/blob_store.h"
#include "server/artifacts/artifact_store.h"
#include "server/artifacts/datastore.h"
#include "server/config.h"
#include "server/embedded/embedded_postgres.h"
#include "server/embedded/postgres_watch.h"
#include "server/logs/log_store.h"
#include "server/store/notification_store.h"
#include "server/store/store.h"
#include "server/store/tracking_store.h"

namespace potok::server {

// Opened first, closed last.
struct Storage {
  std::unique_ptr<EmbeddedPostgres> postgres;
  std::unique_ptr<PostgresWatch> watch;
  StoreBundle bundle;
  std::unique_ptr<TrackingStore> tracking;
  std::unique_ptr<NotificationStore> notifications;
  std::unique_ptr<BlobStore> blobs;  // the store, or a cache of another
  std::unique_ptr<ArtifactStore> artifacts;
  std::unique_ptr<Datastores> datastores;
  std::unique_ptr<LogStore> logs;
};

// Makes the home, starts PostgreSQL if it is embedded, and opens everything. An error says what
// could not be opened and why.
absl::StatusOr<Storage> OpenStorage(const ServerConfig& config);

// In order, PostgreSQL last. It is left to whoever took over from this server, if somebody did:
// then `outcome` of the scheduler is FAILED_PRECONDITION.
void CloseStorage(Storage& storage, const absl::Status& outcome);

}  // namespace potok::server
