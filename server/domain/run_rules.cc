#include <algorithm>
#include <set>
#include <utility>

#include "fmt/format.h"
#include "server/domain/fingerprint.h"
#include "server/domain/gang.h"
#include "server/domain/order.h"
#include "server/domain/placement.h"
#include "server/domain/pools.h"
#include "server/domain/turn.h"

namespace potok::server {

namespace {

std::string NameOfStep(const RunRecord& run, std::uint32_t index) {
  return run.plan->NameOf(index);
}

enum class Finals { kStop, kKeep };

// Nothing new starts, but what runs after all others where that is kept; what is on a machine is
// told to stop.
void StopAll(Turn& turn, const RunRecord& run, const std::string& reason, Finals finals) {
  for (std::uint32_t i = 0; i < run.steps.size(); ++i) {
    if (IsTerminal(run.steps[i].state())) continue;
    if (finals == Finals::kKeep && run.plan->definition(i).finalizes) continue;
    MoveStep(turn, {run.id, i}, StopRequested{reason});
  }
}

// A bug of ours in one run ends that run and nothing else.
void Contain(Turn& turn, const StepKey& key, const absl::Status& why) {
  const RunRecord& run = turn.state.runs.at(key.run);
  const StepRecord& step = run.steps[key.index];
  const std::string message{why.message()};
  turn.decision.internal_errors.push_back(fmt::format("run {} step {} attempt {}: {}",
                                                      run.name,
                                                      NameOfStep(run, key.index),
                                                      step.attempt,
                                                      message));
  MachineId machine = 0;
  if (const Placement* placement = PlacementOf(step.state())) {
    machine = placement->machine;
    OrderStop(turn, {key.run, key.index, step.attempt}, machine, message);
  }
  const Failed failed{machine, {FailureCause::kInternal, 0, "internal error: " + message}};
  StepMoved moved{key, step.attempt, step.machine_lost, failed, turn.now};
  moved.displaced = step.displaced;
  Emit(turn, std::move(moved));
  turn.ended.push_back(key);
  StopAll(turn, run, "canceled after an internal error in this run", Finals::kStop);
}

void AddRun(Turn& turn, const RunSubmitted& submitted) {
  const PipelineSpec& spec = submitted.plan->spec();
  RunAdded added;
  added.id = turn.state.next_run;
  added.name = submitted.name;
  added.request_id = submitted.request_id;
  added.spec = submitted.spec;
  added.steps = submitted.plan->submitted();
  added.display_name = spec.display_name;
  added.experiment_name = spec.experiment_name;
  added.description = spec.description;
  added.submitter = submitted.submitter;
  const std::string& team = TeamOf(turn.state, submitted.submitter);
  if (team != kDefaultTeam) added.team = team;
  added.tags = spec.tags;
  added.properties = spec.properties;
  added.is_pipeline = spec.is_pipeline;
  added.at = turn.now;
  added.plan = submitted.plan;
  for (const RunSubmitted::Predecessor& one : submitted.after) added.after.push_back(one.after);
  Emit(turn, added);
}

const Edge& EdgeOf(const PlanStep& step, std::uint32_t upstream) {
  return *std::lower_bound(
      step.upstreams.begin(),
      step.upstreams.end(),
      upstream,
      [](const Edge& edge, std::uint32_t number) { return edge.step < number; });
}

bool NeedsMet(const RunRecord& run, std::uint32_t index) {
  const absl::Span<const Edge> edges = run.plan->planned(index).upstreams;
  return std::all_of(edges.begin(), edges.end(), [&](const Edge& edge) {
    return !edge.required || std::holds_alternative<Succeeded>(run.steps[edge.step].state());
  });
}

// Steps that run after all others do so once only they are left.
bool IsTheirTurn(const RunRecord& run, std::uint32_t index) {
  return !run.plan->definition(index).finalizes || run.open_steps == run.open_finals;
}

void TellDependent(Turn& turn, const RunRecord& run, std::uint32_t upstream, std::uint32_t index) {
  const StepRecord& dependent = run.steps[index];
  if (!std::holds_alternative<Blocked>(dependent.state())) return;
  if (!run.plan->definition(index).when.empty()) return Consider(turn, run, index);
  const bool succeeded = std::holds_alternative<Succeeded>(run.steps[upstream].state());
  if (!succeeded && EdgeOf(run.plan->planned(index), upstream).required) {
    return SkipFor(turn, run, upstream, index);
  }
  // Another upstream may have failed in this very turn and not be drawn consequences from yet.
  if (dependent.waiting_for == 0 && NeedsMet(run, index) && IsTheirTurn(run, index)) {
    MakeReady(turn, {run.id, index});
  }
}

void DrawConsequences(Turn& turn, const RunRecord& run, std::uint32_t index) {
  EndBodies(turn, run, index);
  BodyStepEnded(turn, run, index);
  const bool failed = std::holds_alternative<Failed>(run.steps[index].state());
  const bool is_of_body = run.plan->SegmentOf(index).control.has_value();
  if (failed && !is_of_body && !run.plan->spec().settings.continue_on_step_failure) {
    StopAll(turn,
            run,
            fmt::format("step '{}' failed and continue_on_step_failure is false",
                        NameOfStep(run, index)),
            Finals::kKeep);
    return;
  }
  for (const std::uint32_t dependent : run.plan->planned(index).dependents) {
    TellDependent(turn, run, index, dependent);
  }
}

// Begins what runs after all others, if only that is left.
void BeginFinals(Turn& turn, const RunRecord& run) {
  if (run.open_finals == 0 || run.open_finals != run.open_steps) return;
  const auto steps = run.plan->submitted();
  for (std::uint32_t i = 0; i < steps; ++i) {
    const bool waits = std::holds_alternative<Blocked>(run.steps[i].state());
    if (waits && run.plan->definition(i).finalizes) Consider(turn, run, i);
  }
}

std::string ReasonOfFailure(const RunRecord& run) {
  const StepRecord* first = nullptr;
  const std::size_t steps = run.plan == nullptr ? 0 : run.plan->submitted();
  for (std::size_t i = 0; i < steps; ++i) {
    const StepRecord& step = run.steps[i];
    if (!std::holds_alternative<Failed>(step.state())) continue;
    if (first == nullptr || step.since < first->since) first = &step;
  }
  if (first == nullptr) return "a step failed";
  const auto index = static_cast<std::uint32_t>(first - run.steps.data());
  const Failure& failure = std::get<Failed>(first->state()).failure;
  return fmt::format("step '{}' failed: {}", NameOfStep(run, index), failure.message);
}

// All that follows for steps and for their own runs.
void SettleSteps(Turn& turn) {
  std::set<RunId> touched;
  while (!turn.ended.empty() || !turn.to_advance.empty()) {
    if (turn.ended.empty()) {
      const StepKey control = *turn.to_advance.begin();
      turn.to_advance.erase(turn.to_advance.begin());
      AdvanceControl(turn, control);
    } else {
      const StepKey key = turn.ended.front();
      turn.ended.pop_front();
      const auto it = turn.state.runs.find(key.run);
      if (it == turn.state.runs.end()) continue;
      touched.insert(key.run);
      ServeWaiters(turn, key);
      DrawConsequences(turn, it->second, key.index);
    }
    if (turn.ended.empty() && turn.to_advance.empty()) {
      for (const RunId id : touched) BeginFinals(turn, turn.state.runs.at(id));
    }
  }
  for (const RunId id : touched) {
    if (turn.state.runs.at(id).open_steps == 0) FinishRun(turn, id);
  }
}

}  // namespace

void SubmitRun(Turn& turn, const RunSubmitted& submitted) {
  if (turn.state.run_by_name.contains(submitted.name)) {
    const absl::Status taken = absl::AlreadyExistsError(
        fmt::format("there is a run named '{}' already; choose another name", submitted.name));
    turn.decision.effects.emplace_back(Answer{submitted.reply, taken, ""});
    return;
  }
  const RunId id = turn.state.next_run;
  AddRun(turn, submitted);
  turn.submitted = id;
  turn.found = submitted.found;
  BeginAfter(turn, submitted, id);
  turn.decision.effects.emplace_back(Answer{submitted.reply, absl::OkStatus(), submitted.name});
}

void BeginRun(Turn& turn, RunId id) {
  const std::shared_ptr<const Plan> plan = turn.state.runs.at(id).plan;
  const std::uint32_t steps = plan->size();
  for (std::uint32_t i = 0; i < steps; ++i) {
    if (plan->IsRoot(i)) {
      MakeReady(turn, {id, i});
    } else if (plan->planned(i).upstreams.empty()) {
      Consider(turn, turn.state.runs.at(id), i);
    }
  }
  if (steps == 0) FinishRun(turn, id);
}

void StopRun(Turn& turn, RunId id, const std::string& reason) {
  const RunRecord& run = turn.state.runs.at(id);
  Emit(turn, RunMoved{id, RunStatus::kCancelRequested, reason, turn.now});
  StopAll(turn, run, reason, Finals::kStop);
  if (run.steps.empty()) FinishRun(turn, id);
}

void CancelRun(Turn& turn, const CancelRequested& requested) {
  const auto it = turn.state.run_by_name.find(requested.run);
  if (it == turn.state.run_by_name.end()) {
    const absl::Status unknown =
        absl::NotFoundError(fmt::format("no run named '{}' is going on", requested.run));
    turn.decision.effects.emplace_back(Answer{requested.reply, unknown, ""});
    return;
  }
  const RunRecord& run = turn.state.runs.at(it->second);
  if (run.status != RunStatus::kCancelRequested) {
    StopRun(turn, run.id, requested.reason.empty() ? "canceled" : requested.reason);
  }
  turn.decision.effects.emplace_back(Answer{requested.reply, absl::OkStatus(), requested.run});
}

void MoveStep(Turn& turn, const StepKey& key, const StepEvent& event, const AttemptFacts& facts) {
  const RunRecord& run = turn.state.runs.at(key.run);
  const StepRecord& step = run.steps[key.index];
  absl::StatusOr<StepState> next = Next(step.state(), event);
  if (!next.ok()) return Contain(turn, key, next.status());
  if (*next == step.state()) return;

  StepMoved moved{key, step.attempt, step.machine_lost, *std::move(next), turn.now};
  moved.lack = step.lack;
  moved.usage = facts.usage;
  moved.raise = facts.raise;
  const auto raised = run.raises.find(key.index);
  if (!moved.raise.has_value() && raised != run.raises.end()) moved.raise = raised->second;
  moved.displaced = step.displaced;
  // It goes on waiting since it was queued.
  if (std::holds_alternative<RoomPromised>(event)) moved.at = step.since;
  if (const auto* started = std::get_if<AttemptStarted>(&event)) moved.runtime = started->runtime;
  if (const auto* to = std::get_if<Placed>(&event)) moved.held = to->held;
  if (std::holds_alternative<AttemptSucceeded>(event) &&
      std::holds_alternative<Succeeded>(moved.state)) {
    moved.offer = OfferOf(turn, key);
  }
  const bool placed = std::holds_alternative<Assigned>(moved.state);
  const bool requeued =
      std::holds_alternative<Queued>(moved.state) && PlacementOf(step.state()) != nullptr;
  if (placed) ++moved.attempt;
  const auto* failed = std::get_if<Failed>(&moved.state);
  const bool is_member_gone =
      failed != nullptr && failed->failure.cause == FailureCause::kMachineLost;
  if (std::holds_alternative<Leaving>(step.state())) {
    if (requeued || is_member_gone) ++moved.displaced;
  } else if (requeued) {
    ++moved.machine_lost;
  }
  if (placed && run.status == RunStatus::kNotStarted) {
    Emit(turn, RunMoved{run.id, RunStatus::kRunning, "", turn.now});
  }
  if (IsTerminal(moved.state)) turn.ended.push_back(key);
  Emit(turn, moved);
  if (const auto* stopping = std::get_if<Stopping>(&moved.state)) {
    OrderStop(
        turn, {key.run, key.index, moved.attempt}, stopping->placement.machine, stopping->reason);
  }
  if (const auto* leaving = std::get_if<Leaving>(&moved.state)) {
    OrderStop(
        turn, {key.run, key.index, moved.attempt}, leaving->placement.machine, leaving->reason);
  }
}

void LoseAttempt(Turn& turn, const StepKey& key) {
  const RunRecord& run = turn.state.runs.at(key.run);
  const StepRecord& step = run.steps[key.index];
  const bool leaving = std::holds_alternative<Leaving>(step.state());
  const bool stopping = leaving || std::holds_alternative<Stopping>(step.state());
  if (const Placement* placement = PlacementOf(step.state()); placement != nullptr && !stopping) {
    NoteLoss(turn, placement->machine);
  }
  if ((leaving || !stopping) && MembershipOf(*run.plan, key.index).has_value()) {
    // Alone it cannot begin anew; whether all of them do is decided by AdvanceGang.
    const char* why = leaving ? "its machine was drained" : "its machine was lost";
    if (leaving && std::get<Leaving>(step.state()).room_for.has_value()) why = "it was preempted";
    return MoveStep(turn, key, AttemptFailed{{FailureCause::kMachineLost, 0, why}});
  }
  if (stopping || step.machine_lost < turn.options.machine_lost_max) {
    MoveStep(turn, key, MachineLost{});
    return;
  }
  const std::string message =
      fmt::format("its machine was lost under it {} times; it may be what brings machines down",
                  step.machine_lost + 1);
  MoveStep(turn, key, AttemptFailed{{FailureCause::kMachineLost, 0, message}});
}

void MakeReady(Turn& turn, const StepKey& key) {
  const RunRecord& run = turn.state.runs.at(key.run);
  const Step& step = run.plan->definition(key.index);
  const auto inputs = ResolveInputs(run, key.index);
  if (!inputs.ok()) {
    const std::string message{inputs.status().message()};
    MoveStep(turn, key, AttemptFailed{{FailureCause::kInput, 0, message}});
  } else if (IsReusable(step)) {
    StartOrTake(turn, key, *inputs);
  } else if (IsControl(step)) {
    OpenStep(turn, key);
  } else {
    MoveStep(turn, key, InputsReady{});
  }
}

void Consider(Turn& turn, const RunRecord& run, std::uint32_t index) {
  if (!std::holds_alternative<Blocked>(run.steps[index].state()) || !IsTheirTurn(run, index))
    return;
  if (!run.plan->definition(index).when.empty()) return DecideWhen(turn, run, index);
  if (run.steps[index].waiting_for == 0 && NeedsMet(run, index)) MakeReady(turn, {run.id, index});
}

void Settle(Turn& turn) {
  SettleSteps(turn);
  while (!turn.finished.empty()) {
    ServeFollowers(turn);
    SettleSteps(turn);
  }
}

void FinishRun(Turn& turn, RunId id) {
  const RunRecord& run = turn.state.runs.at(id);
  RunMoved moved{id, RunStatus::kCompleted, "", turn.now};
  if (run.step_failed) {
    moved.status = RunStatus::kFailed;
    moved.reason = ReasonOfFailure(run);
  } else if (run.status == RunStatus::kCancelRequested) {
    moved.status = RunStatus::kCanceled;
    moved.reason = run.reason;
  }
  EndRun(turn, moved);
}

void EndRun(Turn& turn, const RunMoved& moved) {
  const auto followers = turn.state.followers.find(moved.id);
  if (followers != turn.state.followers.end()) {
    turn.finished.push_back(
        {moved.id, turn.state.runs.at(moved.id).name, moved.status, followers->second});
  }
  Emit(turn, moved);
}

void PlaceQueued(Turn& turn) {
  std::vector<StepKey> placed = PlacePromised(turn);
  for (const PlacementChoice& choice : Place(turn.state, turn.options, turn.now)) {
    // Containment may have stopped the run of a later choice.
    const auto run = turn.state.runs.find(choice.step.run);
    if (run == turn.state.runs.end()) continue;
    if (!turn.state.queued.Contains(PlaceOf(run->second, choice.step.index))) continue;
    MoveStep(turn, choice.step, Placed{choice.placement, choice.held});
    placed.push_back(choice.step);
  }
  // After all have a machine: members of a gang are told of each other's.
  for (const StepKey& key : placed) {
    if (turn.state.runs.contains(key.run)) OrderStart(turn, key);
  }
}

void OrderStart(Turn& turn, const StepKey& key) {
  const RunRecord& run = turn.state.runs.at(key.run);
  const auto* assigned = std::get_if<Assigned>(&run.steps[key.index].state());
  if (assigned == nullptr) return;
  auto order = BuildStartOrder(run, key.index);
  if (order.ok() && MembershipOf(*run.plan, key.index).has_value()) {
    auto gang = GangFactsOf(turn.state, run, key.index);
    if (!gang.ok()) return Contain(turn, key, gang.status());
    order->gang = *std::move(gang);
  }
  if (!order.ok()) return Contain(turn, key, order.status());
  const Shape& shape = run.plan->shape_of(key.index);
  if (shape.has_image) order->images = Pools(turn.state, turn.options).ImagesIn(shape.pool);
  const SessionId session = turn.state.machines.at(assigned->placement.machine).session;
  if (session != 0) turn.decision.effects.emplace_back(SendOrder{session, *std::move(order)});
}

void OrderStop(Turn& turn, const AttemptKey& key, MachineId machine, const std::string& reason) {
  const SessionId session = turn.state.machines.at(machine).session;
  if (session != 0) turn.decision.effects.emplace_back(SendOrder{session, StopOrder{key, reason}});
}

}  // namespace potok::server
