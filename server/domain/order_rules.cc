// What people say of the order in which runs go: held, moved, after others.
#include <algorithm>
#include <utility>

#include "fmt/format.h"
#include "server/domain/explain_team.h"
#include "server/domain/placement.h"
#include "server/domain/turn.h"

namespace potok::server {

namespace {

// The run of that name, if it goes on; else the caller is answered.
const RunRecord* FindForCaller(Turn& turn, ReplyToken reply, const std::string& name) {
  const auto it = turn.state.run_by_name.find(name);
  if (it != turn.state.run_by_name.end()) return &turn.state.runs.at(it->second);
  turn.decision.effects.emplace_back(
      Answer{reply, absl::NotFoundError(fmt::format("no run named '{}' is going on", name)), ""});
  return nullptr;
}

RunOrdered OrderOf(const Turn& turn, const RunRecord& run) {
  return {run.id, run.hold, run.priority, run.pool, turn.now};
}

const char* WordFor(RunStatus status) {
  switch (status) {
    case RunStatus::kCompleted:
      return "Completed";
    case RunStatus::kFailed:
      return "Failed";
    case RunStatus::kCanceled:
      return "Canceled";
    default:
      return "not known any more";
  }
}

std::string ReasonAgainst(const std::string& name, RunStatus status) {
  return fmt::format(
      "was to start only if the run '{}' Completed, and that is {}", name, WordFor(status));
}

// How it ended; kNotStarted where nobody knows.
RunStatus EndOf(const State& state, const RunSubmitted::Predecessor& one) {
  if (one.ended.has_value()) return *one.ended;
  const auto& ended = state.ended_lately;
  const auto found = std::find_if(ended.rbegin(), ended.rend(), [&](const auto& entry) {
    return entry.first == one.after.run;
  });
  return found == ended.rend() ? RunStatus::kNotStarted : found->second;
}

}  // namespace

void HoldRun(Turn& turn, const HoldRequested& requested) {
  const RunRecord* run = FindForCaller(turn, requested.reply, requested.run);
  if (run == nullptr) return;
  RunOrdered ordered = OrderOf(turn, *run);
  ordered.hold = RunHold{requested.by, requested.reason, turn.now};
  const bool is_same = run->hold.has_value() && run->hold->by == requested.by &&
                       run->hold->reason == requested.reason;
  if (!is_same) Emit(turn, std::move(ordered));
  turn.decision.effects.emplace_back(Answer{requested.reply, absl::OkStatus(), requested.run});
}

void ReleaseRun(Turn& turn, const ReleaseRequested& requested) {
  const RunRecord* run = FindForCaller(turn, requested.reply, requested.run);
  if (run == nullptr) return;
  RunOrdered ordered = OrderOf(turn, *run);
  ordered.hold.reset();
  if (run->hold.has_value()) Emit(turn, std::move(ordered));
  turn.decision.effects.emplace_back(Answer{requested.reply, absl::OkStatus(), requested.run});
}

void MoveRun(Turn& turn, const MoveRequested& requested) {
  const RunRecord* run = FindForCaller(turn, requested.reply, requested.run);
  if (run == nullptr) return;
  absl::Status checked;
  if (requested.pool.has_value() && run->plan != nullptr) {
    checked = CheckPool(turn.state, *run->plan, *requested.pool, turn.options);
  }
  // Before the first machine says Hello nothing can be known of it.
  if (absl::IsUnavailable(checked)) checked = absl::OkStatus();
  if (checked.ok() && requested.pool.has_value()) {
    checked = CheckQuotaIn(turn.state, *run, *requested.pool);
  }
  if (!checked.ok()) {
    turn.decision.effects.emplace_back(Answer{requested.reply, checked, ""});
    return;
  }
  RunOrdered ordered = OrderOf(turn, *run);
  if (requested.priority.has_value()) ordered.priority = requested.priority;
  if (requested.pool.has_value()) ordered.pool = requested.pool;
  const bool is_same = ordered.priority == run->priority && ordered.pool == run->pool;
  if (!is_same) Emit(turn, std::move(ordered));
  turn.decision.effects.emplace_back(Answer{requested.reply, absl::OkStatus(), requested.run});
}

void BeginAfter(Turn& turn, const RunSubmitted& submitted, RunId id) {
  for (const RunSubmitted::Predecessor& one : submitted.after) {
    if (!one.after.only_if_completed || turn.state.runs.contains(one.after.run)) continue;
    const RunStatus ended = EndOf(turn.state, one);
    if (ended == RunStatus::kCompleted) continue;
    return StopRun(turn, id, ReasonAgainst(one.after.name, ended));
  }
  if (turn.state.runs.at(id).waits_for == 0) BeginRun(turn, id);
}

absl::Status CheckPending(const State& state,
                          const std::string& submitter,
                          std::size_t more,
                          const DecideOptions& options) {
  const auto pending = state.pending.find(submitter);
  const std::size_t has = pending == state.pending.end() ? 0 : pending->second;
  if (options.pending_runs_max == 0 || has + more <= options.pending_runs_max) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      fmt::format("{} has {} that {} not begun, and this server allows {} "
                  "(--pending_runs_per_user); wait until "
                  "one has begun, or cancel one",
                  submitter.empty() ? "a submitter without a name" : submitter,
                  has + more == 2 ? "1 run" : fmt::format("{} runs", has + more - 1),
                  has + more == 2 ? "has" : "have",
                  options.pending_runs_max));
}

void ServeFollowers(Turn& turn) {
  while (!turn.finished.empty()) {
    const Turn::Finished finished = std::move(turn.finished.front());
    turn.finished.pop_front();
    for (const RunId id : finished.followers) {
      const auto it = turn.state.runs.find(id);
      if (it == turn.state.runs.end()) continue;
      const RunRecord& run = it->second;
      if (run.status == RunStatus::kCancelRequested || run.plan == nullptr) continue;
      const bool had_to_complete =
          std::any_of(run.after.begin(), run.after.end(), [&](const After& after) {
            return after.run == finished.id && after.only_if_completed;
          });
      if (had_to_complete && finished.status != RunStatus::kCompleted) {
        StopRun(turn, id, ReasonAgainst(finished.name, finished.status));
      } else if (run.waits_for == 0) {
        BeginRun(turn, id);
      }
    }
  }
}

}  // namespace potok::server
