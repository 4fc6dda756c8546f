#include "server/storage.h"

#include <spdlog/spdlog.h>

#include <filesystem>
#include <string>
#include <system_error>

#include "common/base/resources.h"
#include "common/base/status_macros.h"
#include "fmt/format.h"
#include "server/store/postgres/postgres_notifications.h"
#include "server/store/postgres/postgres_store.h"
#include "server/store/postgres/postgres_tracking.h"

namespace potok::server {

namespace {

// Of another store's blobs: folders, and files on their way.
constexpr std::int64_t kCacheBytes = std::int64_t{1} << 30;

absl::Status MakeHome(const ServerConfig& config) {
  std::error_code error;
  std::filesystem::create_directories(config.home, error);
  if (error) {
    return absl::UnavailableError(
        fmt::format("--home={}: cannot make the folder: {}", config.home, error.message()));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Storage> OpenStorage(const ServerConfig& config) {
  POTOK_RETURN_IF_ERROR(MakeHome(config));
  Storage storage;
  std::string url = config.database;
  if (!config.embedded_postgres.empty()) {
    POTOK_ASSIGN_OR_RETURN(storage.postgres, EmbeddedPostgres::Start(config.embedded_postgres));
    storage.watch = std::make_unique<PostgresWatch>(*storage.postgres);
    url = storage.postgres->url();
  }
  POTOK_ASSIGN_OR_RETURN(storage.bundle, OpenPostgres(url));
  storage.tracking = OpenTracking(url);
  storage.notifications = std::make_unique<PostgresNotifications>(url);
  BlobStoreOptions blobs{.root = config.home + "/blobs",
                         .quota_bytes = *ParseBytes(config.artifacts_quota),
                         .free_bytes_min = *ParseBytes(config.disk_reserve)};
  if (!config.artifacts.empty()) {
    blobs = {.root = config.home + "/cache", .durable = false, .bytes_max = kCacheBytes};
  }
  POTOK_ASSIGN_OR_RETURN(storage.blobs, BlobStore::Open(blobs));
  storage.artifacts = config.artifacts.empty() ? LocalArtifacts(*storage.blobs)
                                               : RemoteArtifacts(config.artifacts, *storage.blobs);
  POTOK_ASSIGN_OR_RETURN(storage.datastores,
                         Datastores::Open(config.datastores, *storage.artifacts));
  POTOK_ASSIGN_OR_RETURN(storage.logs, LogStore::Open(config.home + "/step-logs"));
  return storage;
}

void CloseStorage(Storage& storage, const absl::Status& outcome) {
  storage.bundle = StoreBundle{};
  storage.watch.reset();
  if (storage.postgres == nullptr || outcome.code() == absl::StatusCode::kFailedPrecondition) {
    return;
  }
  if (const absl::Status stopped = storage.postgres->Stop(); !stopped.ok()) {
    spdlog::error("stopping PostgreSQL failed: {}", stopped.ToString());
  }
}

}  // namespace potok::server
