#include "server/store/postgres/rows.h"

#include <utility>

#include "common/base/status_macros.h"
#include "server/journal/codec.h"

namespace potok::server {

namespace {

enum RunColumn {
  kRunStatus,
  kRunReason,
  kRunCreated,
  kRunStarted,
  kRunEnded,
  kRunMoved,
  kRunRevision,
  kRunCompleted,
  kRunFailed,
  kRunCanceled,
  kRunRunning,
  kRunAdded,
  kRunForgotten,
  kRunAddedSteps,
};
enum StepColumn {
  kStepRun,
  kStepIndex,
  kStepRevision,
  kStepAttempt,
  kStepMachineLost,
  kStepMachine,
  kStepQueued,
  kStepStarted,
  kStepEnded,
  kStepSince,
  kStepState,
  kStepLack,
  kStepFacts,
  kStepDisplaced,
};

std::int32_t Small(const PgResult& rows, int row, int column) {
  return static_cast<std::int32_t>(rows.Int(row, column));
}
std::uint32_t Number(const PgResult& rows, int row, int column) {
  return static_cast<std::uint32_t>(rows.Int(row, column));
}

}  // namespace

std::string Sha256Of(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.sha256.data()), digest.sha256.size()};
}

const char kSelectRuns[] =
    "SELECT status, reason, created_us, started_us, ended_us, moved_us, revision, completed, "
    "failed, canceled, running, added, coalesce((SELECT at_us FROM forgotten_runs f "
    "WHERE f.run = runs.id), 0), added_steps FROM runs";
const char kStepColumns[] =
    "run, index, steps.revision, attempt, machine_lost, machine, queued_us, steps.started_us, "
    "steps.ended_us, since_us, state, lack, facts, displaced";

absl::StatusOr<RunRow> RunRowFrom(const PgResult& rows, int row) {
  RunRow run;
  POTOK_ASSIGN_OR_RETURN(run.added, DecodeRunAdded(rows.Bytes(row, kRunAdded)));
  POTOK_ASSIGN_OR_RETURN(run.status, RunStatusOf(Small(rows, row, kRunStatus)));
  run.reason = rows.Bytes(row, kRunReason);
  run.created_us = rows.Int(row, kRunCreated);
  run.started_us = rows.Int(row, kRunStarted);
  run.ended_us = rows.Int(row, kRunEnded);
  run.forgotten_us = rows.Int(row, kRunForgotten);
  run.revision = rows.Int(row, kRunRevision);
  run.completed = Small(rows, row, kRunCompleted);
  run.failed = Small(rows, row, kRunFailed);
  run.canceled = Small(rows, row, kRunCanceled);
  run.running = Small(rows, row, kRunRunning);
  run.added_steps = Number(rows, row, kRunAddedSteps);
  return run;
}

absl::StatusOr<RunMoved> RunMovedFrom(const PgResult& rows, int row) {
  POTOK_ASSIGN_OR_RETURN(const RunRow run, RunRowFrom(rows, row));
  RunMoved moved;
  moved.id = run.added.id;
  moved.status = run.status;
  moved.reason = run.reason;
  moved.at = absl::FromUnixMicros(rows.Int(row, kRunMoved));
  return moved;
}

absl::StatusOr<StepRow> StepRowFrom(const PgResult& rows, int row) {
  StepRow step;
  POTOK_ASSIGN_OR_RETURN(step.state, DecodeStepState(rows.Bytes(row, kStepState)));
  step.index = Number(rows, row, kStepIndex);
  step.attempt = Number(rows, row, kStepAttempt);
  step.machine = Number(rows, row, kStepMachine);
  step.queued_us = rows.Int(row, kStepQueued);
  step.started_us = rows.Int(row, kStepStarted);
  step.ended_us = rows.Int(row, kStepEnded);
  step.revision = rows.Int(row, kStepRevision);
  step.lack = static_cast<ResultLack>(rows.Int(row, kStepLack));
  POTOK_RETURN_IF_ERROR(DecodeAttemptFacts(
      rows.Bytes(row, kStepFacts), &step.usage, &step.raise, &step.runtime, &step.held));
  return step;
}

absl::StatusOr<StepMoved> StepMovedFrom(const PgResult& rows, int row) {
  StepMoved moved;
  POTOK_ASSIGN_OR_RETURN(moved.state, DecodeStepState(rows.Bytes(row, kStepState)));
  moved.step = {rows.Int(row, kStepRun), Number(rows, row, kStepIndex)};
  moved.attempt = Number(rows, row, kStepAttempt);
  moved.machine_lost = Number(rows, row, kStepMachineLost);
  moved.at = absl::FromUnixMicros(rows.Int(row, kStepSince));
  moved.lack = static_cast<ResultLack>(rows.Int(row, kStepLack));
  POTOK_RETURN_IF_ERROR(DecodeAttemptFacts(
      rows.Bytes(row, kStepFacts), &moved.usage, &moved.raise, &moved.runtime, &moved.held));
  moved.displaced = Number(rows, row, kStepDisplaced);
  return moved;
}

}  // namespace potok::server
