// The parts of one turn of Decide: what it has decided so far, and the rules of runs and of
// machines that add to it. Inside server/domain only; one thread.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/domain/decide.h"

namespace potok::server {

struct Turn {
  State& state;
  const absl::Time now;
  const DecideOptions& options;
  Decision decision = {};
  // Steps that ended and whose consequences have not been drawn (Settle).
  std::deque<StepKey> ended = {};
  // Control steps of which a body has ended, to be looked at once those are drawn.
  std::set<StepKey> to_advance = {};
  // Runs that ended and whose followers have not been told of it.
  struct Finished {
    RunId id = 0;
    std::string name;
    RunStatus status = RunStatus::kNotStarted;
    std::set<RunId> followers;
  };
  std::deque<Finished> finished = {};
  // The submission that is being handled, if it brought results.
  RunId submitted = 0;
  std::shared_ptr<const FoundResults> found = nullptr;
};

// Makes the change true and records it.
void Emit(Turn& turn, Change change);

// --- Steps and runs (run_rules.cc)

void SubmitRun(Turn& turn, const RunSubmitted& submitted);
void CancelRun(Turn& turn, const CancelRequested& requested);

// What an attempt's end says beside the event.
struct AttemptFacts {
  std::optional<Usage> usage = std::nullopt;
  std::optional<MemoryRaise> raise = std::nullopt;  // unset: stays what it was
};

// Feeds `event` to the step machine. An impossible move fails the step's run (containment).
void MoveStep(Turn& turn,
              const StepKey& key,
              const StepEvent& event,
              const AttemptFacts& facts = {});
// The step's attempt is known to be dead: queued again, or failed after too many.
void LoseAttempt(Turn& turn, const StepKey& key);
// A step that has not begun and whose upstreams have all ended: queued, or given the result of an
// equal one, or failed if an upstream left a value out.
void MakeReady(Turn& turn, const StepKey& key);
// Draws all consequences of steps that ended: dependents, the failure of the run, its end.
void Settle(Turn& turn);
// Ends the run, all of whose steps have ended.
void FinishRun(Turn& turn, RunId id);
// Moves it to where it ends, and notes who starts after it.
void EndRun(Turn& turn, const RunMoved& moved);
// Nothing new of it starts; what is on a machine is told to stop.
void StopRun(Turn& turn, RunId id, const std::string& reason);
// Begins what needs no other step.
void BeginRun(Turn& turn, RunId id);
// One placement pass over everything queued, with its orders.
void PlaceQueued(Turn& turn);
// Orders the attempt that the step is assigned to. No session: nothing to do until the Hello.
void OrderStart(Turn& turn, const StepKey& key);
void OrderStop(Turn& turn, const AttemptKey& key, MachineId machine, const std::string& reason);

// --- Where runs are in the order (order_rules.cc)

void HoldRun(Turn& turn, const HoldRequested& requested);
void ReleaseRun(Turn& turn, const ReleaseRequested& requested);
void MoveRun(Turn& turn, const MoveRequested& requested);
// The run was added: begins it, unless it starts after one that goes on; or cancels it, if one of
// those did not complete that had to.
void BeginAfter(Turn& turn, const RunSubmitted& submitted, RunId id);
// Those that start after a run that has ended begin, or are canceled.
void ServeFollowers(Turn& turn);

// --- Teams (team_rules.cc)

void EditTeam(Turn& turn, const TeamEdited& edited);
// Stores what the run's team has used so far, if the step begins or ends to hold a machine by this
// move.
void NoteUse(Turn& turn, const StepMoved& moved);

// --- Reuse (reuse_rules.cc)

// Of a step whose inputs have these values: takes a result, waits for one, or queues it.
void StartOrTake(Turn& turn, const StepKey& key, const std::vector<OrderInput>& inputs);
void HearResult(Turn& turn, const ResultLookedUp& looked_up);
// What the step, which is about to succeed by itself, offers. Nothing if it is not reusable.
std::optional<Offer> OfferOf(const Turn& turn, const StepKey& key);
// The step has ended: those that waited for it take its outputs, or one of them runs.
void ServeWaiters(Turn& turn, const StepKey& key);
// After a start: who runs, and who was waiting.
void RestoreReuse(Turn& turn);
// --- Whether a step runs (when_rules.cc)

// Decides a step that has a `when`, as far as that can be.
void DecideWhen(Turn& turn, const RunRecord& run, std::uint32_t index);
// Skips a step for one that it needs and that did not succeed.
void SkipFor(Turn& turn, const RunRecord& run, std::uint32_t upstream, std::uint32_t index);
// Looks at a blocked step again: one with a `when`, one that runs after all others, or one that
// needs no other.
void Consider(Turn& turn, const RunRecord& run, std::uint32_t index);

// --- Control steps (flow_rules.cc, loop_rules.cc, sweep_rules.cc)

// A control step whose inputs are known: it opens, and makes what it begins with.
void OpenStep(Turn& turn, const StepKey& key);
// What an open control step does next; nothing if it waits. May be called at any time.
void AdvanceControl(Turn& turn, const StepKey& key);
// A step has ended: if it is of a body, draws what follows for that.
void BodyStepEnded(Turn& turn, const RunRecord& run, std::uint32_t index);
// A control step has ended: what is left of its bodies stops.
void EndBodies(Turn& turn, const RunRecord& run, std::uint32_t control);
void StopBody(Turn& turn, RunId run, const BodyRecord& body, const std::string& reason);
void TakeComposed(Turn& turn, const OutputsComposed& composed);
void HearMetric(Turn& turn, const MetricReported& reported);
// Sweeps whose time is over, or whose trials have ended and been heard out.
void CheckSweepTimeouts(Turn& turn);

// --- Attempts after those that failed, and waiting (retry_rules.cc)

// How long after so many failed attempts, the last of this failure, the next one is; nothing if
// there is none.
std::optional<absl::Duration> DelayOfRetry(const RetryPolicy& retry,
                                           std::int32_t failures,
                                           const Failure& failure);
// True if the step has moved after this failure of its attempt: it is tried again, or it failed and
// says why it is not. `usage` is the attempt's.
bool RetryAttempt(Turn& turn,
                  const StepKey& key,
                  const Failure& failure,
                  const std::optional<Usage>& usage);
// Queues what has waited for its next attempt long enough.
void EndDelays(Turn& turn);
void CheckQueueTimeouts(Turn& turn);

// --- Steps on several machines at once (gang_rules.cc)

// The step has waited for its next attempt long enough: it is queued, or all of its members are.
void EndDelay(Turn& turn, const StepKey& key);

// --- Machines (machine_rules.cc)

void HearHello(Turn& turn, const MachineHello& hello);
void HearReports(Turn& turn, const MachineReported& reported);
void HearHeartbeat(Turn& turn, const MachineHeard& heard);
void Disconnect(Turn& turn, const MachineDisconnected& disconnected);
void SayGoodbye(Turn& turn, const MachineGoodbye& goodbye);
void DeclareDead(Turn& turn, const MachineDeclaredDead& declared);
// Closes sessions whose agents were told another lease than their pools say now: steps go on, and
// the next Hello is told the new one.
void TellLeases(Turn& turn);
void CheckLeases(Turn& turn);

// --- What keeps new steps off machines (cordon_rules.cc, quarantine_rules.cc)

void CordonMachines(Turn& turn, const MachinesCordoned& cordoned);
void UncordonMachines(Turn& turn, const MachinesUncordoned& uncordoned);
void LabelMachines(Turn& turn, const MachinesLabeled& labeled);
// What machines still hold whose drain is overdue leaves them.
void CheckDrains(Turn& turn);
// The machine began another session, or an attempt was lost on it: it is quarantined if that was
// often so of late.
void NoteSession(Turn& turn, MachineRecord& machine);
void NoteLoss(Turn& turn, MachineId id);
void EndQuarantines(Turn& turn);

// --- Room that teams take back (preemption_rules.cc)

// Places the queued steps that are promised room, where that is free now, and says which; takes
// promises back that cannot be kept.
std::vector<StepKey> PlacePromised(Turn& turn);
// Teams that wait for what they are guaranteed are promised room, and what holds it is stopped.
void TakeBack(Turn& turn);

// --- Pools (pool_rules.cc)

void PutPool(Turn& turn, const PoolPut& put);
void DeletePool(Turn& turn, const PoolDeleted& deleted);

}  // namespace potok::server
