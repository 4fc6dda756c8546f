// The table run_growth: what runs became after they were added (steps that control steps made, what
// sweeps measured, how people ordered them). On the caller's
// connection and transaction; errors are those of PgConnection::Run, and DATA_LOSS for what cannot
// be read.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/store/postgres/pg_connection.h"
#include "server/store/projection.h"

namespace potok::server {

struct GrowthWrite {
  RunId run = 0;
  std::int64_t revision = 0;
  std::int64_t position = 0;  // in its batch
  Change change;              // StepsAdded, TrialMeasured or RunOrdered
};

// Rows that are there already stay; `runs` are written before.
absl::Status WriteGrowth(PgConnection& connection,
                         const std::vector<GrowthWrite>& growth,
                         const std::vector<const RunFacts*>& runs);

// Of all runs that have not ended, in the order in which it happened within each.
absl::StatusOr<std::vector<Change>> ReadLiveGrowth(PgConnection& connection);

// For a query of GetAddedSteps: its statement, and a row as a value.
extern const Statement kSelectAddedSteps;
absl::StatusOr<StepsAdded> AddedStepsFrom(const PgResult& rows, int row);

}  // namespace potok::server
