#include "server/store/postgres/loader.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "common/base/status_macros.h"
#include "server/journal/codec.h"
#include "server/store/postgres/growth.h"
#include "server/store/postgres/journal_table.h"
#include "server/store/postgres/results.h"
#include "server/store/postgres/rows.h"
#include "server/store/postgres/team_tables.h"
#include "server/store/postgres/transaction.h"

namespace potok::server {

namespace {

const Statement kHeads = {"load heads",
                          "SELECT projected_revision, "
                          "(SELECT coalesce(max(id), 0) + 1 FROM runs), "
                          "(SELECT coalesce(max(id), 0) + 1 FROM machines) FROM projection"};
const Statement kLoadMachines = {"load machines", "SELECT machine FROM machines ORDER BY id"};
const Statement kLoadPools = {"load pools", "SELECT pool FROM pools ORDER BY name"};
const Statement kLoadRuns = {"load runs",
                             std::string(kSelectRuns) + " WHERE ended_us = 0 ORDER BY id"};
// A cursor, because the steps may be millions.
const std::string kOpenSteps =
    std::string("DECLARE live_steps NO SCROLL CURSOR FOR SELECT ") + kStepColumns +
    " FROM steps JOIN runs ON runs.id = steps.run AND runs.ended_us = 0 ORDER BY run, index";
const Statement kFetchSteps = {"load steps", "FETCH 10000 FROM live_steps"};

absl::Status ReadMachines(PgConnection& connection, Loaded* loaded) {
  POTOK_ASSIGN_OR_RETURN(const PgResult rows, connection.Run(kLoadMachines));
  for (int row = 0; row < rows.rows(); ++row) {
    POTOK_ASSIGN_OR_RETURN(MachineChanged machine, DecodeMachineChanged(rows.Bytes(row, 0)));
    loaded->changes.emplace_back(std::move(machine));
  }
  return absl::OkStatus();
}

absl::Status ReadPools(PgConnection& connection, Loaded* loaded) {
  POTOK_ASSIGN_OR_RETURN(const PgResult rows, connection.Run(kLoadPools));
  for (int row = 0; row < rows.rows(); ++row) {
    POTOK_ASSIGN_OR_RETURN(std::vector<Change> changes, Decode(rows.Bytes(row, 0)));
    std::ranges::move(changes, std::back_inserter(loaded->changes));
  }
  return absl::OkStatus();
}

absl::Status ReadRuns(PgConnection& connection, Loaded* loaded) {
  POTOK_ASSIGN_OR_RETURN(const PgResult rows, connection.Run(kLoadRuns));
  for (int row = 0; row < rows.rows(); ++row) {
    POTOK_ASSIGN_OR_RETURN(RunRow run, RunRowFrom(rows, row));
    POTOK_ASSIGN_OR_RETURN(RunMoved moved, RunMovedFrom(rows, row));
    loaded->changes.emplace_back(std::move(run.added));
    if (moved.at != absl::UnixEpoch()) loaded->changes.emplace_back(std::move(moved));
  }
  return absl::OkStatus();
}

absl::Status ReadCluster(PgConnection& connection, Loaded* loaded) {
  POTOK_RETURN_IF_ERROR(ReadMachines(connection, loaded));
  return ReadPools(connection, loaded);
}

absl::Status ReadSteps(PgConnection& connection, Loaded* loaded) {
  POTOK_RETURN_IF_ERROR(connection.Execute(kOpenSteps));
  while (true) {
    POTOK_ASSIGN_OR_RETURN(const PgResult rows, connection.Run(kFetchSteps));
    if (rows.rows() == 0) return absl::OkStatus();
    for (int row = 0; row < rows.rows(); ++row) {
      POTOK_ASSIGN_OR_RETURN(StepMoved moved, StepMovedFrom(rows, row));
      loaded->changes.emplace_back(std::move(moved));
    }
  }
}

}  // namespace

absl::StatusOr<Loaded> ReadLive(PgConnection& connection) {
  Loaded loaded;
  const absl::Status status = InTransaction(connection, kSnapshot, [&]() -> absl::Status {
    POTOK_ASSIGN_OR_RETURN(const PgResult heads, connection.Run(kHeads));
    loaded.revision = heads.Int(0, 0);
    loaded.next_run = heads.Int(0, 1);
    loaded.next_machine = static_cast<std::uint32_t>(heads.Int(0, 2));
    POTOK_ASSIGN_OR_RETURN(loaded.epoch, ReadHighestEpoch(connection));
    POTOK_ASSIGN_OR_RETURN(loaded.changes, ReadTeams(connection));
    POTOK_RETURN_IF_ERROR(ReadCluster(connection, &loaded));
    POTOK_RETURN_IF_ERROR(ReadRuns(connection, &loaded));
    POTOK_ASSIGN_OR_RETURN(loaded.offered, ReadOffered(connection));
    POTOK_ASSIGN_OR_RETURN(std::vector<Change> growth, ReadLiveGrowth(connection));
    std::ranges::move(growth, std::back_inserter(loaded.changes));
    return ReadSteps(connection, &loaded);
  });
  if (!status.ok()) return status;
  return loaded;
}

}  // namespace potok::server
