// The table artifact_uses: which steps made and took which artifacts.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "server/store/postgres/pg_connection.h"
#include "server/store/store.h"

namespace potok::server {

// What Reader says of the calls of these names. Errors are those of PgConnection::Run.
absl::StatusOr<std::vector<RunId>> ListRunsWithoutUsesIn(PgConnection& connection, int limit);
absl::Status PutUsesIn(PgConnection& connection, RunId run, const std::vector<ArtifactUse>& uses);
absl::StatusOr<std::vector<ArtifactUse>> FindUsesIn(PgConnection& connection,
                                                    const ArtifactUseFilter& filter);

}  // namespace potok::server
