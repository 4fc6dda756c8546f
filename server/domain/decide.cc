#include "server/domain/decide.h"

#include <algorithm>
#include <map>
#include <utility>

#include "common/base/overloaded.h"
#include "server/domain/turn.h"

namespace potok::server {

namespace {

void Handle(Turn& turn, const Event& event) {
  std::visit(Overloaded{
                 [&](const RunSubmitted& e) { SubmitRun(turn, e); },
                 [&](const CancelRequested& e) { CancelRun(turn, e); },
                 [&](const MachineHello& e) { HearHello(turn, e); },
                 [&](const MachineReported& e) { HearReports(turn, e); },
                 [&](const MachineHeard& e) { HearHeartbeat(turn, e); },
                 [&](const MachineDisconnected& e) { Disconnect(turn, e); },
                 [&](const MachineGoodbye& e) { SayGoodbye(turn, e); },
                 [&](const MachineDeclaredDead& e) { DeclareDead(turn, e); },
                 [](const Tick&) {},
             },
             event);
  Settle(turn);
}

// Of each step the last move is kept, and the one to Running, for the time at which it began.
// What was passed through on the way is no news to anyone.
void Coalesce(std::vector<Change>& changes) {
  std::map<StepKey, std::size_t> last;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    if (const auto* moved = std::get_if<StepMoved>(&changes[i])) last[moved->step] = i;
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const auto* moved = std::get_if<StepMoved>(&changes[i]);
    const bool keep = moved == nullptr || last.at(moved->step) == i ||
                      std::holds_alternative<Running>(moved->state);
    if (!keep) continue;
    if (kept != i) changes[kept] = std::move(changes[i]);
    ++kept;
  }
  changes.erase(changes.begin() + static_cast<std::ptrdiff_t>(kept), changes.end());
}

Decision Finish(Turn& turn) {
  Settle(turn);
  PlaceQueued(turn);
  Settle(turn);
  Coalesce(turn.decision.changes);
  return std::move(turn.decision);
}

// The books of a run as they should be. Turns are stored whole, so there is nothing to do here
// unless a bug of an older version stored half of one.
void Repair(Turn& turn, RunId id) {
  const RunRecord& run = turn.state.runs.at(id);
  if (run.plan == nullptr) {
    turn.decision.internal_errors.push_back("run " + run.name + ": its plan is missing");
    Emit(turn, RunMoved{id, RunStatus::kFailed, "internal error: its plan is missing", turn.now});
    return;
  }
  for (std::uint32_t i = 0; i < run.steps.size(); ++i) {
    if (IsTerminal(run.steps[i].state)) turn.ended.push_back({id, i});
  }
  for (std::uint32_t i = 0; i < run.steps.size(); ++i) {
    const StepRecord& step = run.steps[i];
    const bool forgotten = std::holds_alternative<Blocked>(step.state) && step.waiting_for == 0;
    if (forgotten && run.plan->steps[i].upstreams.empty()) MakeReady(turn, {id, i});
  }
  Settle(turn);
  const auto it = turn.state.runs.find(id);
  if (it != turn.state.runs.end() && it->second.open_steps == 0) FinishRun(turn, id);
}

}  // namespace

void Emit(Turn& turn, Change change) {
  Apply(turn.state, change);
  turn.decision.changes.push_back(std::move(change));
}

Decision DecideTurn(State& state,
                    const std::vector<Event>& events,
                    absl::Time now,
                    const DecideOptions& options) {
  Turn turn{state, now, options, {}, {}};
  bool ticked = false;
  for (const Event& event : events) {
    Handle(turn, event);
    ticked = ticked || std::holds_alternative<Tick>(event);
  }
  // After everything else, so that nobody is silent whose message waits in this very turn.
  if (ticked) CheckLeases(turn);
  return Finish(turn);
}

Decision DecideStart(State& state, const ServerStarted& started, const DecideOptions& options) {
  Turn turn{state, started.at, options, {}, {}};
  Emit(turn, started);
  HearEverybody(state, started.at);
  std::vector<RunId> runs;
  for (const auto& [id, run] : state.runs) runs.push_back(id);
  for (const RunId id : runs) Repair(turn, id);
  return Finish(turn);
}

void HearEverybody(State& state, absl::Time now) {
  for (auto& [id, machine] : state.machines) machine.last_heard = now;
}

}  // namespace potok::server
