// Rows of the tables as values; nothing else knows the order of the columns.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "server/store/postgres/pg_values.h"
#include "server/store/store.h"

namespace potok::server {

// The SHA-256 of a digest, for a column of type bytea.
std::string Sha256Of(const Digest& digest);

// "SELECT ... FROM runs", for RunRowFrom and RunMovedFrom.
extern const char kSelectRuns[];
absl::StatusOr<RunRow> RunRowFrom(const PgResult& rows, int row);
// The latest move of a run that moved since it was added.
absl::StatusOr<RunMoved> RunMovedFrom(const PgResult& rows, int row);

// The columns of steps, for StepRowFrom and StepMovedFrom.
extern const char kStepColumns[];
absl::StatusOr<StepRow> StepRowFrom(const PgResult& rows, int row);
absl::StatusOr<StepMoved> StepMovedFrom(const PgResult& rows, int row);

}  // namespace potok::server
