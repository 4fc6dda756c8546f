#include "server/store/postgres/upserts.h"

#include <string>

#include "common/base/status_macros.h"
#include "server/journal/codec.h"

namespace potok::server {

namespace {

// COPY costs half of what an INSERT of unnested arrays does, and an UPDATE three quarters of an
// INSERT that finds a conflict (docs/benchmarks.md).
const Statement kNewSteps = {
    "copy steps",
    "COPY steps (run, index, revision, attempt, machine_lost, status, machine, queued_us, "
    "started_us, ended_us, since_us, state, lack, facts, displaced) FROM STDIN (FORMAT binary)"};
constexpr int kStepColumnCount = 15;
const Statement kMovedSteps = {
    "update steps",
    "UPDATE steps SET revision = moved.revision, attempt = moved.attempt, "
    "machine_lost = moved.machine_lost, status = moved.status, machine = moved.machine, "
    "queued_us = moved.queued_us, started_us = moved.started_us, ended_us = moved.ended_us, "
    "since_us = moved.since_us, state = moved.state, lack = moved.lack, "
    "facts = moved.facts, displaced = moved.displaced "
    "FROM unnest($1::bigint[], $2::integer[], $3::bigint[], $4::integer[], $5::integer[], "
    "$6::smallint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], "
    "$12::bytea[], $13::smallint[], $14::bytea[], $15::integer[]) AS moved (run, index, revision, "
    "attempt, machine_lost, status, machine, queued_us, started_us, ended_us, since_us, state, "
    "lack, "
    "facts, displaced) "
    "WHERE steps.run = moved.run AND steps.index = moved.index"};
const Statement kRuns = {
    "write runs",
    "INSERT INTO runs (id, name, experiment, status, reason, created_us, started_us, ended_us, "
    "moved_us, revision, completed, failed, canceled, running, added) "
    "SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::smallint[], $5::bytea[], "
    "$6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::integer[], "
    "$12::integer[], $13::integer[], $14::integer[], $15::bytea[]) "
    "ON CONFLICT (id) DO UPDATE SET status = excluded.status, reason = excluded.reason, "
    "started_us = excluded.started_us, ended_us = excluded.ended_us, "
    "moved_us = excluded.moved_us, revision = excluded.revision, completed = excluded.completed, "
    "failed = excluded.failed, canceled = excluded.canceled, running = excluded.running"};
const Statement kAttempts = {
    "write attempts",
    "INSERT INTO attempts (run, index, attempt, machine, started_us, ended_us, cause, code, facts) "
    "SELECT * FROM unnest($1::bigint[], $2::integer[], $3::integer[], $4::bigint[], $5::bigint[], "
    "$6::bigint[], $7::text[], $8::integer[], $9::bytea[]) "
    "ON CONFLICT (run, index, attempt) DO NOTHING"};
const Statement kMachines = {
    "write machines",
    "INSERT INTO machines (id, name, liveness, revision, machine) "
    "SELECT * FROM unnest($1::bigint[], $2::text[], $3::smallint[], $4::bigint[], $5::bytea[]) "
    "ON CONFLICT (id) DO UPDATE SET name = excluded.name, liveness = excluded.liveness, "
    "revision = excluded.revision, machine = excluded.machine"};
const Statement kPools = {
    "write pools",
    "INSERT INTO pools (name, revision, pool) "
    "SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bytea[]) "
    "ON CONFLICT (name) DO UPDATE SET revision = excluded.revision, pool = excluded.pool"};
const Statement kDeletedPools = {"delete pools",
                                 "DELETE FROM pools WHERE name = ANY ($1::bytea[])"};
const Statement kServer = {"write servers",
                           "INSERT INTO servers (epoch, writer, started_us) "
                           "VALUES ($1::bigint, $2::text, $3::bigint) ON CONFLICT DO NOTHING"};

void AppendStep(const StepWrite& step, PgRows* rows) {
  rows->BeginRow(kStepColumnCount);
  rows->Int64(step.moved->step.run).Int32(step.moved->step.index).Int64(step.revision);
  rows->Int32(step.moved->attempt).Int32(step.moved->machine_lost).Int16(step.facts.state);
  rows->Int64(step.facts.machine).Int64(step.facts.queued_us).Int64(step.facts.started_us);
  rows->Int64(step.facts.ended_us).Int64(absl::ToUnixMicros(step.moved->at));
  rows->Bytes(EncodeStepState(step.moved->state)).Int16(static_cast<int>(step.moved->lack));
  rows->Bytes(EncodeAttemptFacts(
      step.moved->usage, step.moved->raise, step.facts.runtime, step.facts.held));
  rows->Int32(step.moved->displaced);
}

absl::Status UpdateSteps(PgConnection& connection, const std::vector<const StepWrite*>& steps) {
  if (steps.empty()) return absl::OkStatus();
  std::vector<std::int64_t> run, index, revision, attempt, lost, machine, queued, started, ended,
      since, displaced;
  std::vector<int> status, lack;
  std::vector<std::string> state, facts;
  for (const StepWrite* step : steps) {
    run.push_back(step->moved->step.run);
    index.push_back(step->moved->step.index);
    revision.push_back(step->revision);
    attempt.push_back(step->moved->attempt);
    lost.push_back(step->moved->machine_lost);
    status.push_back(step->facts.state);
    machine.push_back(step->facts.machine);
    queued.push_back(step->facts.queued_us);
    started.push_back(step->facts.started_us);
    ended.push_back(step->facts.ended_us);
    since.push_back(absl::ToUnixMicros(step->moved->at));
    state.push_back(EncodeStepState(step->moved->state));
    lack.push_back(static_cast<int>(step->moved->lack));
    facts.push_back(EncodeAttemptFacts(
        step->moved->usage, step->moved->raise, step->facts.runtime, step->facts.held));
    displaced.push_back(step->moved->displaced);
  }
  PgParams params;
  params.Int64s(run).Int32s(index).Int64s(revision).Int32s(attempt).Int32s(lost).Int16s(status);
  params.Int64s(machine).Int64s(queued).Int64s(started).Int64s(ended).Int64s(since);
  params.ByteStrings(state).Int16s(lack).ByteStrings(facts).Int32s(displaced);
  return connection.Run(kMovedSteps, params).status();
}

}  // namespace

absl::Status WriteSteps(PgConnection& connection, const std::vector<StepWrite>& steps) {
  PgRows rows;
  std::vector<const StepWrite*> known;
  for (const StepWrite& step : steps) {
    if (step.is_new) {
      AppendStep(step, &rows);
    } else {
      known.push_back(&step);
    }
  }
  if (known.size() < steps.size()) POTOK_RETURN_IF_ERROR(connection.Copy(kNewSteps, rows));
  return UpdateSteps(connection, known);
}

absl::Status WriteRuns(PgConnection& connection, const std::vector<const RunFacts*>& runs) {
  if (runs.empty()) return absl::OkStatus();
  std::vector<std::int64_t> id, created, started, ended, moved, revision;
  std::vector<std::int64_t> completed, failed, canceled, running;
  std::vector<int> status;
  std::vector<std::string> name, experiment, reason, added;
  for (const RunFacts* run : runs) {
    const RunRow& row = run->row;
    id.push_back(row.added.id);
    name.push_back(AsText(row.added.name));
    experiment.push_back(AsText(row.added.experiment_name));
    status.push_back(NumberOf(row.status));
    reason.push_back(row.reason);
    created.push_back(row.created_us);
    started.push_back(row.started_us);
    ended.push_back(row.ended_us);
    moved.push_back(run->moved_us);
    revision.push_back(row.revision);
    completed.push_back(row.completed);
    failed.push_back(row.failed);
    canceled.push_back(row.canceled);
    running.push_back(row.running);
    added.push_back(EncodeRunAdded(row.added));
  }
  PgParams params;
  params.Int64s(id).Texts(name).Texts(experiment).Int16s(status).ByteStrings(reason);
  params.Int64s(created).Int64s(started).Int64s(ended).Int64s(moved).Int64s(revision);
  params.Int32s(completed).Int32s(failed).Int32s(canceled).Int32s(running).ByteStrings(added);
  return connection.Run(kRuns, params).status();
}

absl::Status WriteAttempts(PgConnection& connection, const std::vector<AttemptEnded>& attempts) {
  if (attempts.empty()) return absl::OkStatus();
  std::vector<std::int64_t> run, index, attempt, machine, started, ended, code;
  std::vector<std::string> cause, facts;
  for (const AttemptEnded& one : attempts) {
    run.push_back(one.key.run);
    index.push_back(one.key.index);
    attempt.push_back(one.key.attempt);
    machine.push_back(one.machine);
    started.push_back(one.started_us);
    ended.push_back(one.ended_us);
    cause.push_back(one.cause);
    code.push_back(one.code);
    facts.push_back(EncodeAttemptFacts(one.usage, std::nullopt, one.runtime, std::nullopt));
  }
  PgParams params;
  params.Int64s(run).Int32s(index).Int32s(attempt).Int64s(machine).Int64s(started).Int64s(ended);
  params.Texts(cause).Int32s(code).ByteStrings(facts);
  return connection.Run(kAttempts, params).status();
}

absl::Status WriteMachines(PgConnection& connection, const std::vector<MachineWrite>& machines) {
  if (machines.empty()) return absl::OkStatus();
  std::vector<std::int64_t> id, revision;
  std::vector<int> liveness;
  std::vector<std::string> name, bytes;
  for (const MachineWrite& write : machines) {
    id.push_back(write.machine->id);
    name.push_back(AsText(write.machine->name));
    liveness.push_back(NumberOf(write.machine->liveness));
    revision.push_back(write.revision);
    bytes.push_back(EncodeMachineChanged(*write.machine));
  }
  PgParams params;
  params.Int64s(id).Texts(name).Int16s(liveness).Int64s(revision).ByteStrings(bytes);
  return connection.Run(kMachines, params).status();
}

absl::Status WritePools(PgConnection& connection, const std::vector<PoolWrite>& pools) {
  std::vector<std::int64_t> revision;
  std::vector<std::string> name, bytes, deleted;
  for (const PoolWrite& write : pools) {
    if (write.pool->deleted) {
      deleted.push_back(write.pool->name);
      continue;
    }
    name.push_back(write.pool->name);
    revision.push_back(write.revision);
    bytes.push_back(Encode({*write.pool}));
  }
  if (!deleted.empty()) {
    POTOK_RETURN_IF_ERROR(connection.Run(kDeletedPools, PgParams().ByteStrings(deleted)).status());
  }
  if (name.empty()) return absl::OkStatus();
  PgParams params;
  params.ByteStrings(name).Int64s(revision).ByteStrings(bytes);
  return connection.Run(kPools, params).status();
}

absl::Status WriteServer(PgConnection& connection, const ServerStarted& started) {
  PgParams params;
  params.Int64(started.epoch).Bytes(started.writer).Int64(absl::ToUnixMicros(started.at));
  return connection.Run(kServer, params).status();
}

}  // namespace potok::server
