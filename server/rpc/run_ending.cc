#include "server/rpc/run_ending.h"

#include <variant>

#include "common/base/status_macros.h"
#include "server/rpc/convert.h"

namespace potok::server {

namespace {

const char* WordOf(RunStatus status) {
  if (status == RunStatus::kCompleted) return "Completed";
  return status == RunStatus::kFailed ? "Failed" : "Canceled";
}

absl::StatusOr<std::vector<FailedStep>> FailedStepsOf(RunView& view, const RunRow& row) {
  POTOK_ASSIGN_OR_RETURN(const auto plan, view.PlanOf(row));
  POTOK_ASSIGN_OR_RETURN(const std::vector<StepRow> steps, view.reader().GetSteps(row.added.id, 0));
  std::vector<FailedStep> failed;
  for (const StepRow& step : steps) {
    if (!std::holds_alternative<Failed>(step.state) || step.index >= plan->size()) continue;
    failed.push_back({plan->NameOf(step.index), ToProto(step, {}).reason()});
    if (failed.size() == kFailedStepsTold) break;
  }
  return failed;
}

}  // namespace

absl::StatusOr<Ending> EndingOf(RunView& view, RunId id) {
  POTOK_ASSIGN_OR_RETURN(const RunRow row, view.reader().GetRunById(id));
  Ending ending;
  ending.id = id;
  ending.run = row.added.name;
  ending.display_name = row.added.display_name;
  ending.experiment = row.added.experiment_name;
  ending.status = WordOf(row.status);
  ending.reason = row.reason;
  ending.submitter = row.added.submitter;
  ending.created_us = row.created_us;
  ending.started_us = row.started_us;
  ending.ended_us = row.ended_us;
  ending.steps_total = std::int64_t{row.added.steps} + row.added_steps;
  ending.steps_completed = row.completed;
  ending.steps_failed = row.failed;
  ending.steps_canceled = row.canceled;
  if (row.failed > 0) {
    auto failed = FailedStepsOf(view, row);
    if (failed.ok()) {
      ending.failed_steps = *std::move(failed);
    } else if (absl::IsUnavailable(failed.status())) {
      return failed.status();
    }
  }
  // An address that an older server let pass is nobody's.
  if (auto webhooks = WebhooksOf(row.added.properties); webhooks.ok()) {
    ending.webhooks = *std::move(webhooks);
  }
  return ending;
}

}  // namespace potok::server
