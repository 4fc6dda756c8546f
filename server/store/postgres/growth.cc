#include "server/store/postgres/growth.h"

#include <utility>

#include "common/base/status_macros.h"
#include "fmt/format.h"
#include "server/journal/codec.h"

namespace potok::server {

namespace {

const Statement kWriteGrowth = {
    "write growth",
    "INSERT INTO run_growth (run, revision, position, first_step, change) "
    "SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::integer[], $5::bytea[]) "
    "ON CONFLICT (run, revision, position) DO NOTHING"};
const Statement kAddedCounts = {
    "write added steps",
    "UPDATE runs SET added_steps = grown.added FROM unnest($1::bigint[], $2::integer[]) "
    "AS grown (run, added) WHERE runs.id = grown.run"};
const Statement kLiveGrowth = {
    "load growth",
    "SELECT run_growth.run, change FROM run_growth JOIN runs ON runs.id = run_growth.run "
    "AND runs.ended_us = 0 ORDER BY run_growth.run, run_growth.revision, position"};

absl::StatusOr<Change> ChangeFrom(const std::string& bytes) {
  POTOK_ASSIGN_OR_RETURN(std::vector<Change> changes, Decode(bytes));
  if (changes.size() == 1) return std::move(changes.front());
  return absl::DataLossError(
      fmt::format("a row of run_growth holds {} changes and not one", changes.size()));
}

}  // namespace

const Statement kSelectAddedSteps = {
    "get added steps",
    "SELECT change FROM run_growth WHERE run = $1::bigint AND first_step >= $2::integer "
    "AND first_step >= 0 ORDER BY first_step"};

absl::Status WriteGrowth(PgConnection& connection,
                         const std::vector<GrowthWrite>& growth,
                         const std::vector<const RunFacts*>& runs) {
  if (growth.empty()) return absl::OkStatus();
  std::vector<std::int64_t> run, revision, position, first;
  std::vector<std::string> change;
  for (const GrowthWrite& write : growth) {
    const auto* added = std::get_if<StepsAdded>(&write.change);
    run.push_back(write.run);
    revision.push_back(write.revision);
    position.push_back(write.position);
    first.push_back(added == nullptr ? -1 : std::int64_t{added->first});
    change.push_back(Encode({write.change}));
  }
  PgParams rows;
  rows.Int64s(run).Int64s(revision).Int32s(position).Int32s(first).ByteStrings(change);
  POTOK_RETURN_IF_ERROR(connection.Run(kWriteGrowth, rows).status());
  std::vector<std::int64_t> grown, added;
  for (const RunFacts* facts : runs) {
    if (facts->row.added_steps == 0) continue;
    grown.push_back(facts->row.added.id);
    added.push_back(facts->row.added_steps);
  }
  if (grown.empty()) return absl::OkStatus();
  return connection.Run(kAddedCounts, PgParams().Int64s(grown).Int32s(added)).status();
}

absl::StatusOr<std::vector<Change>> ReadLiveGrowth(PgConnection& connection) {
  POTOK_ASSIGN_OR_RETURN(const PgResult rows, connection.Run(kLiveGrowth));
  std::vector<Change> changes;
  for (int row = 0; row < rows.rows(); ++row) {
    POTOK_ASSIGN_OR_RETURN(changes.emplace_back(), ChangeFrom(rows.Bytes(row, 1)));
  }
  return changes;
}

absl::StatusOr<StepsAdded> AddedStepsFrom(const PgResult& rows, int row) {
  POTOK_ASSIGN_OR_RETURN(Change change, ChangeFrom(rows.Bytes(row, 0)));
  if (auto* added = std::get_if<StepsAdded>(&change)) return std::move(*added);
  return absl::DataLossError("a row of run_growth with a first step adds none");
}

}  // namespace potok::server
