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
                 [&](const ResultLookedUp& e) { HearResult(turn, e); },
                 [&](const CancelRequested& e) { CancelRun(turn, e); },
                 [&](const MachineHello& e) { HearHello(turn, e); },
                 [&](const MachineReported& e) { HearReports(turn, e); },
                 [&](const MachineHeard& e) { HearHeartbeat(turn, e); },
                 [&](const MachineDisconnected& e) { Disconnect(turn, e); },
                 [&](const MachineGoodbye& e) { SayGoodbye(turn, e); },
                 [&](const MachineDeclaredDead& e) { DeclareDead(turn, e); },
                 [&](const OutputsComposed& e) { TakeComposed(turn, e); },
                 [&](const MetricReported& e) { HearMetric(turn, e); },
                 [&](const HoldRequested& e) { HoldRun(turn, e); },
                 [&](const ReleaseRequested& e) { ReleaseRun(turn, e); },
                 [&](const MoveRequested& e) { MoveRun(turn, e); },
                 [&](const TeamEdited& e) { EditTeam(turn, e); },
                 [&](const MachinesCordoned& e) { CordonMachines(turn, e); },
                 [&](const MachinesUncordoned& e) { UncordonMachines(turn, e); },
                 [&](const MachinesLabeled& e) { LabelMachines(turn, e); },
                 [&](const PoolPut& e) { PutPool(turn, e); },
                 [&](const PoolDeleted& e) { DeletePool(turn, e); },
                 [](const Tick&) {},
             },
             event);
  Settle(turn);
  turn.found = nullptr;
}

// Of each step the last move is kept, and the one to Running, for the time at which it began. What
// was passed through on the way is no news to anyone, and a step that succeeds began in the same
// moment if nothing else is known. From the end: the first that is met is the last.
void Coalesce(std::vector<Change>& changes) {
  enum : std::uint8_t { kUnseen, kSeen, kSeenSucceeded };
  std::map<RunId, std::vector<std::uint8_t>> seen_of_run;
  const auto keep = [&](const Change& change) {
    const auto* moved = std::get_if<StepMoved>(&change);
    if (moved == nullptr) return true;
    std::vector<std::uint8_t>& seen = seen_of_run[moved->step.run];
    if (seen.size() <= moved->step.index) seen.resize(moved->step.index + 1);
    std::uint8_t& of_step = seen[moved->step.index];
    // After a failed attempt, too: what it failed of is nowhere else.
    if (std::holds_alternative<Delayed>(moved->state)) return true;
    const bool began = std::holds_alternative<Running>(moved->state);
    if (of_step != kUnseen) return began && (of_step == kSeen || !moved->runtime.empty());
    of_step = std::holds_alternative<Succeeded>(moved->state) ? kSeenSucceeded : kSeen;
    return true;
  };
  auto kept = changes.end();
  for (auto change = changes.end(); change != changes.begin();) {
    --change;
    if (!keep(*change)) continue;
    --kept;
    if (kept != change) *kept = std::move(*change);
  }
  changes.erase(changes.begin(), kept);
}

// What was right in the middle of the turn may be void at its end: a machine said Hello, was given
// its orders again, and was declared dead.
bool IsVoid(const State& state, const Effect& effect) {
  const auto* sent = std::get_if<SendOrder>(&effect);
  const auto* start = sent == nullptr ? nullptr : std::get_if<StartOrder>(&sent->order);
  if (start == nullptr) return false;
  const auto run = state.runs.find(start->key.run);
  if (run == state.runs.end()) return true;
  const StepRecord& step = run->second.steps[start->key.index];
  return step.attempt != start->key.attempt || PlacementOf(step.state()) == nullptr;
}

// Once a tick at most teams take back what they are guaranteed: it looks at all that runs.
Decision Finish(Turn& turn, bool ticked) {
  EndDelays(turn);
  Settle(turn);
  PlaceQueued(turn);
  if (ticked) TakeBack(turn);
  Settle(turn);
  std::erase_if(turn.decision.effects,
                [&](const Effect& effect) { return IsVoid(turn.state, effect); });
  Coalesce(turn.decision.changes);
  return std::move(turn.decision);
}

// The books of a run as they should be. Turns are stored whole, so there is nothing to do here
// unless a bug of an older version stored half of one.
void Repair(Turn& turn, RunId id) {
  const auto found = turn.state.runs.find(id);
  if (found == turn.state.runs.end()) return;  // ended by what another run's repair gave to it
  const RunRecord& run = found->second;
  if (run.plan == nullptr) {
    turn.decision.internal_errors.push_back("run " + run.name + ": its plan is missing");
    EndRun(turn, {id, RunStatus::kFailed, "internal error: its plan is missing", turn.now});
    return;
  }
  for (std::uint32_t i = 0; i < run.steps.size(); ++i) {
    if (IsTerminal(run.steps[i].state())) turn.ended.push_back({id, i});
  }
  // What they had asked for may have been lost, and is asked for again.
  for (auto it = turn.state.open.lower_bound({id, 0}); it != turn.state.open.end() && it->run == id;
       ++it) {
    turn.to_advance.insert(*it);
  }
  Settle(turn);
  const auto it = turn.state.runs.find(id);
  if (it != turn.state.runs.end() && it->second.open_steps == 0) FinishRun(turn, id);
}

}  // namespace

void Emit(Turn& turn, Change change) {
  if (const auto* moved = std::get_if<StepMoved>(&change)) NoteUse(turn, *moved);
  Apply(turn.state, change);
  turn.decision.changes.push_back(std::move(change));
}

Decision DecideTurn(State& state,
                    const std::vector<Event>& events,
                    absl::Time now,
                    const DecideOptions& options) {
  Turn turn{state, now, options};
  bool ticked = false;
  for (const Event& event : events) {
    Handle(turn, event);
    ticked = ticked || std::holds_alternative<Tick>(event);
  }
  // After everything else, so that nobody is silent whose message waits in this very turn.
  if (ticked) {
    TellLeases(turn);
    CheckLeases(turn);
    CheckDrains(turn);
    EndQuarantines(turn);
    CheckQueueTimeouts(turn);
    CheckSweepTimeouts(turn);
  }
  return Finish(turn, ticked);
}

Decision DecideStart(State& state, const ServerStarted& started, const DecideOptions& options) {
  Turn turn{state, started.at, options};
  Emit(turn, started);
  HearEverybody(state, started.at);
  std::vector<RunId> runs;
  for (const auto& [id, run] : state.runs) runs.push_back(id);
  RestoreReuse(turn);
  for (const RunId id : runs) Repair(turn, id);
  return Finish(turn, false);
}

void HearEverybody(State& state, absl::Time now) {
  for (auto& [id, machine] : state.machines) machine.last_heard = now;
}

}  // namespace potok::server
