// Writes of many rows with one statement for each table, on the caller's connection and
// transaction. Errors are those of PgConnection::Run.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "server/store/postgres/pg_connection.h"
#include "server/store/projection.h"

namespace potok::server {

struct StepWrite {
  const StepMoved* moved = nullptr;  // the latest
  StepFacts facts;
  std::int64_t revision = 0;
  bool is_new = false;  // the table has no row of it
};
struct MachineWrite {
  const MachineChanged* machine = nullptr;
  std::int64_t revision = 0;
};

struct PoolWrite {
  const PoolChanged* pool = nullptr;
  std::int64_t revision = 0;
};

// Each step, run, attempt, machine and pool at most once in its list. Applying one twice is
// harmless but for new steps, of which the caller knows what the table has: ALREADY_EXISTS if it is
// wrong.
absl::Status WriteSteps(PgConnection& connection, const std::vector<StepWrite>& steps);
absl::Status WriteRuns(PgConnection& connection, const std::vector<const RunFacts*>& runs);
absl::Status WriteAttempts(PgConnection& connection, const std::vector<AttemptEnded>& attempts);
absl::Status WriteMachines(PgConnection& connection, const std::vector<MachineWrite>& machines);
absl::Status WritePools(PgConnection& connection, const std::vector<PoolWrite>& pools);
absl::Status WriteServer(PgConnection& connection, const ServerStarted& started);

}  // namespace potok::server
